/// What somebody who looks at the log is here for; a token names exactly one, so that nobody holds all.
package enum ReviewerRole: String, Sendable, Hashable, CaseIterable {
    /// Proves to third parties how keys were used, and how others looked.
    case auditor
    /// Looks into what may be an attack or a mistake.
    case securityOfficer = "security-officer"
    /// Keeps holders and keys in order.
    case administrator
    /// Keeps the instance running; sees no person.
    case systemOperator = "operator"
}
