/// Why a certificate was revoked (RFC 5280 §5.3.1, CRLReason).
package enum RevocationReason: UInt8, Sendable, Hashable, CaseIterable, Codable {
    case unspecified = 0
    case keyCompromise = 1
    case cACompromise = 2
    case affiliationChanged = 3
    case superseded = 4
    case cessationOfOperation = 5
    case certificateHold = 6
    case removeFromCRL = 8
    case privilegeWithdrawn = 9
    case aACompromise = 10

    /// The reason's name as in RFC 5280.
    package var name: String { "\(self)" }
}
