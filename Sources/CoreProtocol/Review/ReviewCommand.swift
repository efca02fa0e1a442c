package import HPKI

/// One question of somebody who reviews the log, or of a holder about their own keys.
///
/// `ReviewLimits` bounds every part; a frame beyond them cannot be read, and core closes the link it came on.
package struct ReviewCommand: Sendable, Hashable {
    /// At most 64 bytes.
    package let requestID: String
    /// A reviewer's access token, or for `myUses` a holder's.
    package let token: PresentedToken
    package let question: ReviewQuestion

    /// A command with all its parts.
    package init(requestID: String, token: PresentedToken, question: ReviewQuestion) {
        self.requestID = requestID
        self.token = token
        self.question = question
    }
}

/// What may be asked of the log; `ReviewerRole.mayAsk` says by whom.
package enum ReviewQuestion: Sendable, Hashable {
    /// Who the token makes the caller, and what they may ask.
    case me
    /// The log's size, root and checkpoint, and how far the index is.
    case head
    /// Counts from `from` (rounded down) to `to` (not included) for each hour or day, at most `ReviewLimits.buckets`.
    case overview(from: Instant, to: Instant, step: OverviewStep)
    /// At most `limit` records (1 to 100) that fit the filter, newest first, those before the sequence `before` alone.
    case search(AuditFilter, before: UInt64?, limit: UInt16)
    /// One record with what opens its commitments.
    case record(UInt64)
    /// One key's life and uses.
    case key(CredentialID)
    /// One holder with their keys.
    case holder(HolderID)
    /// The uses of the caller's own keys, at most `limit` (1 to 100) before the sequence `before`, newest first.
    case myUses(before: UInt64?, limit: UInt16)
    /// The policy set in force, and when it changed.
    case policies
    /// What may be worth a look, begun from `from` to `to` (not included), newest first: at most `limit` (1 to 100)
    /// with a lower id than `before`.
    case anomalies(from: Instant, to: Instant, before: UInt64?, limit: UInt16)

    /// A question's name, the word that the log uses.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case me
        case head
        case overview
        case search
        case record
        case key
        case holder
        case myUses = "my-uses"
        case policies
        case anomalies
    }

    /// The question without what it asks for.
    package var kind: Kind {
        switch self {
        case .me: .me
        case .head: .head
        case .overview: .overview
        case .search: .search
        case .record: .record
        case .key: .key
        case .holder: .holder
        case .myUses: .myUses
        case .policies: .policies
        case .anomalies: .anomalies
        }
    }
}

/// How wide a bucket of an overview is; days are those of Japan (UTC+9).
package enum OverviewStep: UInt8, Sendable, Hashable, CaseIterable {
    case hour = 1
    case day = 2

    /// Its seconds.
    package var seconds: Int64 { self == .hour ? 3600 : 86_400 }

    /// The start of the bucket that `moment` lies in.
    package func floor(_ moment: Instant) -> Instant {
        // Held where no sum can overflow: the years 0 to 9999.
        let shift: Int64 = self == .day ? 9 * 3600 : 0
        let moved = min(max(moment.seconds, -62_167_219_200), 253_402_300_799) + shift
        let rest = moved % seconds
        return Instant(seconds: moved - (rest < 0 ? rest + seconds : rest) - shift)
    }
}

/// What records must have; nil asks for nothing.
package struct AuditFilter: Sendable, Hashable {
    package var from: Instant?
    /// Not included.
    package var to: Instant?
    package var holder: HolderID?
    package var credential: CredentialID?
    package var client: ClientID?
    /// A facility's code, by the configuration: any of its client systems; at most 64 bytes.
    package var facility: String?
    /// Any of these; empty for every kind.
    package var kinds: [RecordKind] = []
    package var outcome: RecordOutcome?
    package var form: DocumentForm?
    package var failure: Failure.Kind?
    /// The id of a signature or of a request, exactly; at most 64 bytes.
    package var text: String?

    /// A filter that every record fits.
    package init() {}
}

/// What happened, as a record tells it; the numbers are those of the log's format (`docs/audit-format.md`).
package enum RecordKind: UInt16, Sendable, Hashable, CaseIterable {
    case intent = 1
    case outcome = 2
    case refusal = 3
    case start = 4
    case stop = 5
    case configuration = 6
    case administration = 7
    case inspection = 8
    case authentication = 9

    /// The word that people read.
    package var name: String { "\(self)" }
}

/// How a use of a key ended; the numbers are those of the log's format.
package enum RecordOutcome: UInt16, Sendable, Hashable, CaseIterable {
    case signed = 1
    case failed = 2
    case unknown = 3

    /// The word that people read.
    package var name: String { "\(self)" }
}
