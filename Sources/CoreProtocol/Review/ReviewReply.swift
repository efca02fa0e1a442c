package import HPKI

/// What the log answers.
package enum ReviewReply: Sendable, Hashable {
    case me(ReviewerFacts)
    case head(LogHeadFacts)
    case overview(OverviewFacts)
    /// To `search` and `myUses`.
    case page(RecordPage)
    case record(RecordFacts)
    case key(KeyReview)
    case holder(HolderReview)
    case policies(PolicyReview)
    case anomalies(AnomalyPage)
}

/// Who asks.
package struct ReviewerFacts: Sendable, Hashable {
    package let issuer: String
    package let subject: String
    package let role: ReviewerRole
    /// When the window of this authentication closes.
    package let until: Instant

    /// Facts of a reviewer.
    package init(issuer: String, subject: String, role: ReviewerRole, until: Instant) {
        self.issuer = issuer
        self.subject = subject
        self.role = role
        self.until = until
    }
}

/// How far the index is behind the log; what is asked of it misses the newest records by so many.
package struct IndexFacts: Sendable, Hashable {
    /// Records that the index has.
    package let indexed: UInt64
    /// Records that the log has.
    package let size: UInt64
    /// Whether it is being made anew, and finds little until it has caught up.
    package let isRebuilding: Bool

    /// How many records are not found yet.
    package var behind: UInt64 { size - min(size, indexed) }

    /// The state of an index.
    package init(indexed: UInt64, size: UInt64, isRebuilding: Bool) {
        self.indexed = indexed
        self.size = size
        self.isRebuilding = isRebuilding
    }
}

/// One page of records, newest first.
package struct RecordPage: Sendable, Hashable {
    /// At most `ReviewLimits.page`.
    package let rows: [RecordRow]
    /// What to ask with as `before` for older ones; nil at the end.
    package let next: UInt64?
    /// How many records fit, on all pages.
    package let count: UInt64
    /// False where `count` is as far as was counted, and there may be more.
    package let isCountExact: Bool
    package let index: IndexFacts

    /// A page.
    package init(rows: [RecordRow], next: UInt64?, count: UInt64, isCountExact: Bool, index: IndexFacts) {
        self.rows = rows
        self.next = next
        self.count = count
        self.isCountExact = isCountExact
        self.index = index
    }
}

/// One record on one line; an outcome has holder, key, client system and form from its intent.
package struct RecordRow: Sendable, Hashable {
    package let sequence: UInt64
    package let time: Instant
    package let kind: RecordKind
    package var outcome: RecordOutcome?
    package var form: DocumentForm?
    package var holder: HolderID?
    /// The holder's name in the registry now, Japanese where there is one.
    package var holderName: String?
    package var credential: CredentialID?
    package var client: ClientID?
    /// The facility of the client system, by the configuration now.
    package var facility: String?
    /// Why a caller was refused, or an authority.
    package var failure: Failure.Kind?
    /// The policy rule that decided.
    package var rule: String?
    package var signature: SignatureID?
    package var request: String?
    package var note: String?
    /// The authority or the reviewer that acted, and on what ground.
    package var party: String?
    /// The outcome of an intent, the intent of an outcome.
    package var counterpart: UInt64?
    /// Whether the detail was erased: what names persons and documents is gone for good.
    package var isErased: Bool

    /// A record of which no more is known.
    package init(sequence: UInt64, time: Instant, kind: RecordKind, isErased: Bool = false) {
        self.sequence = sequence
        self.time = time
        self.kind = kind
        self.isErased = isErased
    }
}

/// One record with what opens its commitments.
package struct RecordFacts: Sendable, Hashable {
    package let row: RecordRow
    /// The chained bytes.
    package let leaf: [UInt8]
    /// In the order of the leaf's commitments; empty where the detail was erased.
    package let openings: [Opening]
    /// The outcome of an intent, the intent of an outcome.
    package let counterpart: RecordRow?
    /// A document that proves the record to third parties, with its inclusion proof and checkpoint; nil without one.
    package let evidence: [UInt8]?

    /// One field with the salt that opens its commitment.
    package struct Opening: Sendable, Hashable {
        package let field: UInt8
        /// The field's word.
        package let name: String
        /// 16 bytes.
        package let salt: [UInt8]
        package let value: String

        /// An opening with all its parts.
        package init(field: UInt8, name: String, salt: [UInt8], value: String) {
            self.field = field
            self.name = name
            self.salt = salt
            self.value = value
        }
    }

    /// Facts of a record.
    package init(row: RecordRow, leaf: [UInt8], openings: [Opening], counterpart: RecordRow?, evidence: [UInt8]?) {
        self.row = row
        self.leaf = leaf
        self.openings = openings
        self.counterpart = counterpart
        self.evidence = evidence
    }
}

/// Counts over time, each kind of count as a series of its own.
package struct OverviewFacts: Sendable, Hashable {
    /// The start of the first bucket.
    package let from: Instant
    package let step: OverviewStep
    package let buckets: UInt16
    /// All records in the time.
    package let records: UInt64
    /// Only series that count anything; the largest first within a dimension.
    package let series: [Series]
    /// Client systems that have no series of their own, and their uses.
    package let otherClients: UInt32
    package let otherClientUses: UInt64
    /// Anomalies that began in the time.
    package let anomalies: UInt64
    package let index: IndexFacts

    /// What a series counts by.
    package enum Dimension: UInt8, Sendable, Hashable, CaseIterable {
        /// All records, by the name of their `RecordKind`.
        case kind = 1
        /// Uses that ended, by the name of their `RecordOutcome`.
        case outcome = 2
        /// Intents, by the form of their document.
        case form = 3
        /// Refusals, by their `Failure.Kind`.
        case failure = 4
        /// Intents, by the client system.
        case client = 5
    }

    /// One line of a chart.
    package struct Series: Sendable, Hashable {
        package let dimension: Dimension
        package let name: String
        /// The facility of a client system.
        package let facility: String?
        package let total: UInt64
        /// One for each bucket.
        package let counts: [UInt32]

        /// A series.
        package init(dimension: Dimension, name: String, facility: String?, total: UInt64, counts: [UInt32]) {
            self.dimension = dimension
            self.name = name
            self.facility = facility
            self.total = total
            self.counts = counts
        }
    }

    /// Counts with all their parts.
    package init(
        from: Instant, step: OverviewStep, buckets: UInt16, records: UInt64, series: [Series], otherClients: UInt32,
        otherClientUses: UInt64, anomalies: UInt64, index: IndexFacts
    ) {
        self.from = from
        self.step = step
        self.buckets = buckets
        self.records = records
        self.series = series
        self.otherClients = otherClients
        self.otherClientUses = otherClientUses
        self.anomalies = anomalies
        self.index = index
    }
}
