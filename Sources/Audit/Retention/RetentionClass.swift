/// What a record is kept for; years are configured for each.
package enum RetentionClass: UInt8, Sendable, Hashable, CaseIterable {
    /// Uses of keys on documents, and how they ended.
    case signatures = 1
    /// Holders, credentials, and the proofs of possession of new keys.
    case registration = 2
    /// What was refused to a known caller, authority or reviewer.
    case refusals = 3
    /// Looks at the log.
    case inspections = 4
    /// Starts, stops, configurations, epochs, backups, checkpoint keys and erasures.
    case operations = 5
    /// Logins, their ends, and the client systems that got codes by them.
    case authentications = 6

    /// The word of the configuration and of notes.
    package var name: String {
        switch self {
        case .signatures: "signatures"
        case .registration: "registration"
        case .refusals: "refusals"
        case .inspections: "inspections"
        case .operations: "operations"
        case .authentications: "authentications"
        }
    }
}

extension Leaf {
    /// The class of the record, which its leaf alone tells; an outcome is of its intent's, which is to be given.
    package func retentionClass(closing intent: Leaf? = nil) -> RetentionClass {
        func has(_ field: DetailField) -> Bool { commitments.contains { $0.field == field } }
        switch kind {
        case .intent: return has(.authority) ? .registration : .signatures
        case .outcome: return intent?.retentionClass() ?? .signatures
        case .refusal: return .refusals
        case .inspection: return .inspections
        case .authentication: return .authentications
        case .administration: return has(.authority) || has(.registration) ? .registration : .operations
        case .start, .stop, .configuration: return .operations
        }
    }
}
