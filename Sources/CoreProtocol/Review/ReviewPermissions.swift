package import HPKI

/// Who may see what of the log: the one table, for core, which holds to it, and for the console, which shows no door
/// that stays shut.
///
/// | question | auditor | security-officer | administrator | operator |
/// |---|---|---|---|---|
/// | me, head, overview, policies | yes | yes | yes | yes |
/// | key, holder | yes | yes | yes | – |
/// | search, record, anomalies | yes | yes | – | – |
/// | records of inspections | yes | – | – | – |
///
/// `my-uses` is for a holder with a holder's token, and for no role.
extension ReviewerRole {
    /// Whether the role may ask questions of this kind.
    package func mayAsk(_ kind: ReviewQuestion.Kind) -> Bool {
        switch kind {
        case .me, .head, .overview, .policies: true
        case .key, .holder: self != .systemOperator
        case .search, .record, .anomalies: self == .auditor || self == .securityOfficer
        case .myUses: false
        }
    }

    /// Whether the role sees who looked: those who look do not watch themselves.
    package var seesInspections: Bool { self == .auditor }
}

extension ReviewQuestion.Kind {
    /// Whether asking is recorded in the log before it is answered: all but who one is, how the log stands, and what a
    /// holder asks of their own keys.
    package var isRecorded: Bool {
        switch self {
        case .me, .head, .myUses: false
        case .overview, .search, .record, .key, .holder, .policies, .anomalies: true
        }
    }
}
