package import HPKI

/// What a time stamp must be of: that which was asked for.
package struct TimeStampExpectation: Sendable, Hashable {
    /// The digest of the data whose time is to be proven.
    package var imprint: Digest
    /// The big-endian magnitude of the request's nonce; nil where a stored time stamp is judged.
    package var nonce: [UInt8]?
    /// The policy that was asked for, dotted; nil where none was.
    package var policy: String?

    /// An expectation; by default of a stored time stamp.
    package init(imprint: Digest, nonce: [UInt8]? = nil, policy: String? = nil) {
        self.imprint = imprint
        self.nonce = nonce
        self.policy = policy
    }
}

/// What makes a time stamp one that is believed.
package struct TimeStampRequirements: Sendable {
    /// The authorities of time-stamping authorities, which are not those of signers.
    package var trust: TrustStore
    package var crls: CRLStore
    /// Answers of OCSP responders about the authorities' certificates; each counts where it can be verified.
    package var ocsp: [OCSPResponse] = []
    /// Certificates of time-stamping authorities that are at hand, for tokens that carry none.
    package var certificates: [HPKICertificate] = []
    /// The moment at which the token is known to be there: now, or one that a later time stamp proves.
    package var instant: Instant
    /// By how many seconds the authority's clock may be ahead of `instant`.
    package var toleranceSeconds: Int64 = 60
    /// The authorities' policies that are accepted, dotted; empty for any.
    package var acceptablePolicies: Set<String> = []
    /// The accuracy that must be promised; nil for none.
    package var maximumAccuracyMicroseconds: Int64?
    /// What is asked of the path: id-kp-timeStamping along it, and revocation known.
    package var path: PathRequirements = {
        var path = PathRequirements(
            acceptablePolicies: [], keyUsage: [], keyUsageIsExact: false, extendedKeyUsage: OID.timeStamping)
        path.keyUsageMayBeAbsent = true
        return path
    }()

    /// Requirements as of `instant`, with revocation to be known.
    package init(trust: TrustStore, crls: CRLStore, at instant: Instant) {
        self.trust = trust
        self.crls = crls
        self.instant = instant
    }
}
