package import HPKI
package import Storage

/// Core's table of backups that were taken: as long as one that may hold a deleted key has not expired, the key is not
/// called destroyed.
package enum BackupStore {
    /// The table that this module owns, with what a restore leaves to be done.
    package static let part = SchemaPart(
        "backup",
        versions: [
            """
            CREATE TABLE backup (
                id TEXT PRIMARY KEY,
                taken_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL
            );
            CREATE TABLE recovery (
                id TEXT PRIMARY KEY,
                at BIGINT NOT NULL,
                done BIGINT NOT NULL
            );
            """
        ]
    )

    /// Notes a backup; the archive counts until it expires.
    package static func insert(
        _ id: String, takenAt: Instant, expiresAt: Instant, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            "INSERT INTO backup (id, taken_at, expires_at) VALUES ($1, $2, $3)",
            [.text(id), .integer(takenAt.milliseconds), .integer(expiresAt.milliseconds)]
        )
    }

    /// Whether a backup that has not expired at `now` was taken before `moment`, and so may hold what was deleted then.
    static func mayHold(
        deletedAt moment: Instant, at now: Instant, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        try connection.queryOne(
            "SELECT id FROM backup WHERE taken_at <= $1 AND expires_at > $2 LIMIT 1",
            [.integer(moment.milliseconds), .integer(now.milliseconds)]
        ) != nil
    }

    /// Begins or continues the recovery of a restored instance; gives when it began, or nil once it is done.
    static func beginRecovery(
        _ id: String, at now: Instant, in connection: any SQLConnection
    ) throws(StorageError) -> Instant? {
        try connection.execute(
            "INSERT INTO recovery (id, at, done) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING",
            [.text(id), .integer(now.milliseconds)]
        )
        let row = try connection.queryOne("SELECT at FROM recovery WHERE id = $1 AND done = 0", [.text(id)])
        return try row.map { row throws(StorageError) in Instant(milliseconds: try row.integer("at")) }
    }

    /// Notes that every key is suspended.
    static func endRecovery(_ id: String, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute("UPDATE recovery SET done = 1 WHERE id = $1", [.text(id)])
    }
}
