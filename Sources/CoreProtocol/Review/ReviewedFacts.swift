package import HPKI

/// One key's life and uses.
package struct KeyReview: Sendable, Hashable {
    package let id: CredentialID
    /// As the registry has it; nil where it has none of this name.
    package let facts: CredentialFacts?
    /// The name of the authority that ordered it.
    package let authority: AuthorityID?
    /// Administration of the key, newest first, at most `ReviewLimits.life`.
    package let life: [RecordRow]
    /// Intents of this key in the whole log.
    package let uses: UInt64
    /// Days of Japan with intents, oldest first, within the last `ReviewLimits.days`.
    package let days: [Day]
    /// Intents and outcomes, newest first, at most `ReviewLimits.lastUses`.
    package let lastUses: [RecordRow]
    package let index: IndexFacts

    /// The uses of one day.
    package struct Day: Sendable, Hashable {
        package let start: Instant
        package let uses: UInt32

        /// A day's uses.
        package init(start: Instant, uses: UInt32) {
            self.start = start
            self.uses = uses
        }
    }

    /// A review with all its parts.
    package init(
        id: CredentialID, facts: CredentialFacts?, authority: AuthorityID?, life: [RecordRow], uses: UInt64,
        days: [Day], lastUses: [RecordRow], index: IndexFacts
    ) {
        self.id = id
        self.facts = facts
        self.authority = authority
        self.life = life
        self.uses = uses
        self.days = days
        self.lastUses = lastUses
        self.index = index
    }
}

/// One holder as a reviewer may see them.
package struct HolderReview: Sendable, Hashable {
    package let id: HolderID
    /// As the authority registered them; nil for one of whom only the id is known.
    package let record: HolderRecord?
    package let authority: AuthorityID?
    /// Nil where the registry has no such holder.
    package let isEnabled: Bool?
    /// At most `ReviewLimits.credentials`.
    package let credentials: [CredentialFacts]
    /// Intents of the holder in the whole log.
    package let uses: UInt64
    package let lastUse: RecordRow?
    package let index: IndexFacts

    /// A review with all its parts.
    package init(
        id: HolderID, record: HolderRecord?, authority: AuthorityID?, isEnabled: Bool?,
        credentials: [CredentialFacts], uses: UInt64, lastUse: RecordRow?, index: IndexFacts
    ) {
        self.id = id
        self.record = record
        self.authority = authority
        self.isEnabled = isEnabled
        self.credentials = credentials
        self.uses = uses
        self.lastUse = lastUse
        self.index = index
    }
}

/// The policy set in force and the starts at which another one took effect.
package struct PolicyReview: Sendable, Hashable {
    package let name: String
    /// SHA-256 of its file.
    package let hash: Digest
    /// The ids of its rules, in order.
    package let rules: [String]
    /// Newest first, at most `ReviewLimits.life`.
    package let changes: [Change]

    /// A set that took effect.
    package struct Change: Sendable, Hashable {
        package let sequence: UInt64
        package let time: Instant
        package let name: String
        package let hash: Digest

        /// A change with all its parts.
        package init(sequence: UInt64, time: Instant, name: String, hash: Digest) {
            self.sequence = sequence
            self.time = time
            self.name = name
            self.hash = hash
        }
    }

    /// A review with all its parts.
    package init(name: String, hash: Digest, rules: [String], changes: [Change]) {
        self.name = name
        self.hash = hash
        self.rules = rules
        self.changes = changes
    }
}

/// One page of anomalies, newest first.
package struct AnomalyPage: Sendable, Hashable {
    /// At most `ReviewLimits.page`.
    package let anomalies: [Anomaly]
    /// What to ask with as `before` for older ones; nil at the end.
    package let next: UInt64?
    package let index: IndexFacts

    /// A page.
    package init(anomalies: [Anomaly], next: UInt64?, index: IndexFacts) {
        self.anomalies = anomalies
        self.next = next
        self.index = index
    }
}

/// Something that may be worth a look; no judgement.
package struct Anomaly: Sendable, Hashable {
    package let id: UInt64
    package let rule: AnomalyRule
    /// The time of its first record.
    package let from: Instant
    /// The time of its last record so far.
    package let to: Instant
    /// Nil where nobody is concerned, or the records' details were erased.
    package let holder: HolderID?
    package let client: ClientID?
    /// How many records there are.
    package let count: UInt64
    /// The number from which on the rule raises it.
    package let limit: UInt32
    /// The first of the records, at most `ReviewLimits.anomalyRecords`, oldest first.
    package let records: [UInt64]
    /// What the rule says, in English, naming no person.
    package let words: String

    /// An anomaly with all its parts.
    package init(
        id: UInt64, rule: AnomalyRule, from: Instant, to: Instant, holder: HolderID?, client: ClientID?, count: UInt64,
        limit: UInt32, records: [UInt64], words: String
    ) {
        self.id = id
        self.rule = rule
        self.from = from
        self.to = to
        self.holder = holder
        self.client = client
        self.count = count
        self.limit = limit
        self.records = records
        self.words = words
    }
}

/// What raises an anomaly; the words are kept in the index and in exports, and never change meaning.
package enum AnomalyRule: String, Sendable, Hashable, CaseIterable {
    /// More intents of one holder within 10 minutes than `limit`.
    case burst
    /// Intents of one holder from 0 to 5 o'clock in Japan, one anomaly for a night.
    case oddHours = "odd-hours"
    /// A client system that this holder, who used others, never used before.
    case newClient = "new-client"
    /// Refusals of one holder or authority within an hour, `limit` of them or more.
    case refusals
    /// Uses that failed, of one holder within an hour.
    case failedOutcome = "failed-outcome"
    /// Uses of which nobody knows how they ended, of one holder within an hour.
    case unknownOutcome = "unknown-outcome"
}

/// How the log stands.
package struct LogHeadFacts: Sendable, Hashable {
    /// The log's name.
    package let origin: String
    package let size: UInt64
    /// 32 bytes.
    package let root: [UInt8]
    /// The time of the newest record; nil for an empty log.
    package let newest: Instant?
    /// Whether entries are taken.
    package let isRunning: Bool
    /// The signed checkpoint as text; nil where the log has none.
    package let checkpoint: String?
    package let witnesses: [Witness]
    package let index: IndexFacts

    /// One witness that cosigns.
    package struct Witness: Sendable, Hashable {
        package let name: String
        /// The size that it cosigned last; nil for none yet.
        package let size: UInt64?
        package let cosignedAt: Instant?
        /// A sentence where something is wrong.
        package let fault: String?

        /// A witness with all its facts.
        package init(name: String, size: UInt64?, cosignedAt: Instant?, fault: String?) {
            self.name = name
            self.size = size
            self.cosignedAt = cosignedAt
            self.fault = fault
        }
    }

    /// Facts of a head.
    package init(
        origin: String, size: UInt64, root: [UInt8], newest: Instant?, isRunning: Bool, checkpoint: String?,
        witnesses: [Witness], index: IndexFacts
    ) {
        self.origin = origin
        self.size = size
        self.root = root
        self.newest = newest
        self.isRunning = isRunning
        self.checkpoint = checkpoint
        self.witnesses = witnesses
        self.index = index
    }
}
