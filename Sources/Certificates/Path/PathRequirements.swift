/// What a certificate must be, beyond having a valid path, to be accepted for one purpose.
package struct PathRequirements: Sendable, Hashable {
    /// Whether revocation data must be at hand.
    package enum Revocation: Sendable, Hashable {
        /// A fresh CRL for every certificate below the anchor.
        case required
        /// Revocation is not looked at; for purposes that have another way to end a certificate.
        case notChecked
    }

    /// The policies of which the certificate itself must have one, as dotted OIDs; empty for no requirement.
    ///
    /// The authorities' own policies are not asked: those of the HPKI have others than the holders below them.
    package var acceptablePolicies: Set<String>
    /// What RFC 5280's policy processing starts from, which looks at the whole path.
    package var policies = PolicyInputs()
    /// True where the certificate to be judged may be an authority's.
    package var mayBeAuthority = false
    /// True where a certificate without keyUsage passes as one for any use (RFC 5280 §4.2.1.3).
    package var keyUsageMayBeAbsent = false
    /// The fewest bits of an RSA modulus anywhere in the path; never below the 2048 that keys are read with.
    package var minimumModulusBits = 2048
    /// What the key must be allowed to do.
    package var keyUsage: KeyUsage
    /// True where the key may be allowed nothing else.
    package var keyUsageIsExact: Bool
    /// The purpose that extKeyUsage must name, as a dotted OID; nil where the extension may be absent or not critical.
    ///
    /// An authority whose own certificate has the extension must have the purpose there too, or any.
    package var extendedKeyUsage: String?
    /// The most certificates of a path, holder and anchor counted; 2 to 10.
    package var maximumPathLength: Int
    package var revocation: Revocation
    /// True where what the key made is proven to have existed at the moment asked about, so that a revocation after that
    /// moment says nothing against it (ETSI EN 319 102-1 §5.6.2).
    package var isExistenceProven = false

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

    /// Those of a certificate that signs CRLs, for a path that is looked for in the course of another.
    func forListSigner() -> PathRequirements {
        var copy = PathRequirements(
            acceptablePolicies: [], keyUsage: .cRLSign, keyUsageIsExact: false, maximumPathLength: maximumPathLength,
            revocation: revocation)
        copy.mayBeAuthority = true
        copy.keyUsageMayBeAbsent = true
        copy.minimumModulusBits = minimumModulusBits
        copy.isExistenceProven = isExistenceProven
        return copy
    }

    /// Those of an HPKI signing certificate: its policy, nonRepudiation and nothing else, revocation known.
    package static let hpkiSigning = PathRequirements(
        acceptablePolicies: [OID.hpkiSigningPolicy], keyUsage: .nonRepudiation, keyUsageIsExact: true)

    /// Those of an HPKI card's certificate for logging in: its policy, digitalSignature and nothing else, revocation known.
    package static let hpkiAuthentication = PathRequirements(
        acceptablePolicies: [OID.hpkiAuthenticationPolicy], keyUsage: .digitalSignature, keyUsageIsExact: true)

    /// Those of a My Number card's certificate for logging in: its policy, digitalSignature and nothing else, revocation
    /// known.
    package static let jpkiAuthentication = PathRequirements(
        acceptablePolicies: [OID.jpkiAuthenticationPolicy], keyUsage: .digitalSignature, keyUsageIsExact: true)
}
