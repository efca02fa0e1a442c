/// How much one review message holds, so that what is usual fits the link's frame of 1 MiB.
package enum ReviewLimits {
    /// Records of one page, and anomalies.
    package static let page = 100
    /// Buckets of one overview: a month of hours, a year and more of days.
    package static let buckets = 750
    /// Series of one overview.
    package static let series = 100
    /// Client systems of one overview that have a series of their own.
    package static let clients = 12
    /// Bytes of a word: a rule, a facility's code, an id.
    package static let wordBytes = 128
    /// Bytes of a note or of a party in a row; longer ones end with `…`.
    package static let noteBytes = 512
    /// Bytes of an opening's value.
    package static let valueBytes = 8192
    /// Bytes of a leaf.
    package static let leafBytes = 4096
    /// Bytes of a record's evidence.
    package static let evidenceBytes = 262_144
    /// Bytes of a checkpoint.
    package static let checkpointBytes = 16_384
    /// Witnesses of a log.
    package static let witnesses = 32
    /// Days of a key's uses: a leap year.
    package static let days = 366
    /// Records of a key's or a policy's life.
    package static let life = 100
    /// Records of a key's last uses.
    package static let lastUses = 20
    /// Keys of a holder.
    package static let credentials = 25
    /// Record numbers of one anomaly; `count` says how many there are.
    package static let anomalyRecords = 20
    /// Rules of a policy set.
    package static let rules = 200
}
