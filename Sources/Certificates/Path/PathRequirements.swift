/// What a certificate must be, beyond having a valid path, to be accepted for one purpose.
package struct PathRequirements: Sendable, Hashable {
    /// Whether revocation data must be at hand.
    package enum Revocation: Sendable, Hashable {
        /// A fresh CRL for every certificate below the anchor.
        case required
        /// Revocation is not looked at; for purposes that have another way to end a certificate.
        case notChecked
    }

    /// The policies of which the certificate must have one, as dotted OIDs; empty for no requirement.
    package var acceptablePolicies: Set<String>
    /// What the key must be allowed to do.
    package var keyUsage: KeyUsage
    /// True where the key may be allowed nothing else.
    package var keyUsageIsExact: Bool
    /// The purpose that extKeyUsage must name, as a dotted OID; nil where the extension may be absent or not critical.
    package var extendedKeyUsage: String?
    /// The most certificates of a path, holder and anchor counted; 2 to 10.
    package var maximumPathLength: Int
    package var revocation: Revocation

    /// Requirements from configuration; a path length outside 2 to 10 is held at those ends.
    package init(
        acceptablePolicies: Set<String>, keyUsage: KeyUsage, keyUsageIsExact: Bool, extendedKeyUsage: String? = nil,
        maximumPathLength: Int = 6, revocation: Revocation = .required
    ) {
        self.acceptablePolicies = acceptablePolicies
        self.keyUsage = keyUsage
        self.keyUsageIsExact = keyUsageIsExact
        self.extendedKeyUsage = extendedKeyUsage
        self.maximumPathLength = min(max(maximumPathLength, 2), 10)
        self.revocation = revocation
    }

    /// Those of an HPKI signing certificate: its policy, nonRepudiation and nothing else, revocation known.
    package static let hpkiSigning = PathRequirements(
        acceptablePolicies: [OID.hpkiSigningPolicy], keyUsage: .nonRepudiation, keyUsageIsExact: true)
}
