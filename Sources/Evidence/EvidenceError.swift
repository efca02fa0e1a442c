package import Certificates

/// Why there is no time stamp or no revocation data, by what a caller can do about it.
package enum EvidenceError: Error, Sendable, Hashable {
    /// No time-stamping authority is configured: the operator must name one.
    case noAuthority
    /// No configured authority makes time stamps under the policy asked for: ask for another, or for none.
    case policyNotOffered(String)
    /// No authority gave a time stamp that holds: later it may work. Each is told with what went wrong.
    case timeStampUnavailable([TimeStampAttempt])
    /// The certificate has no path to an anchor: revocation data would not help.
    case noPath(PathFault)
    /// Whether a certificate of the path is revoked cannot be known now: later it may work.
    ///
    /// `problems` has a clause for each place that was tried.
    case revocationUnavailable(subject: String, problems: [String])
}

extension EvidenceError: CustomStringConvertible {
    /// One sentence for an operator.
    package var description: String {
        switch self {
        case .noAuthority: "no time-stamping authority is configured"
        case .policyNotOffered(let policy): "no time-stamping authority offers the policy \(policy)"
        case .timeStampUnavailable(let attempts):
            "no time stamp was to be had: " + attempts.map { "\($0.authority): \($0.problem)" }.joined(separator: "; ")
        case .noPath(let fault): "the certificate has no path to an anchor: \(fault.explanation)"
        case .revocationUnavailable(let subject, let problems):
            "nothing says whether \(subject) is revoked: "
                + (problems.isEmpty ? "it names no place that may be asked" : problems.joined(separator: "; "))
        }
    }
}

/// One authority that was asked for a time stamp and gave none that holds.
package struct TimeStampAttempt: Sendable, Hashable {
    /// The authority's name in the configuration.
    package let authority: String
    /// One sentence or clause for the operator; nothing of the data.
    package let problem: String
    /// True where the authority refused the policy that was asked for, which is no fault of its own.
    package let isAboutPolicy: Bool
}
