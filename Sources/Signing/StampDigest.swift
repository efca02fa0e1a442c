package import CoreProtocol
package import Evidence
package import HPKI

/// A time stamp for a known caller, over a digest alone: no document comes here, and no key of a holder is used.
package struct StampDigest: Sendable {
    private let core: any CoreCalling
    private let client: TimeStampClient?
    private let rate: TimeStampRate

    /// Without `client` no time stamps are offered; `rate` is shared with signatures that need time stamps.
    package init(
        core: any CoreCalling, client: TimeStampClient?, rate: TimeStampRate = TimeStampRate(perMinute: 0)
    ) {
        self.core = core
        self.client = client
        self.rate = rate
    }

    /// Has core judge the token, and only then asks an authority; the policy is dotted, nil for the authority's choice.
    ///
    /// Throws what core says of the token, `.timeStampsNotOffered`, `.timeStampPolicyNotOffered`,
    /// `.timeStampUnavailable` and `.tooManyRequests`.
    package func callAsFunction(
        _ digest: Digest, policy: String?, _ origin: RequestOrigin
    ) async throws(Failure) -> StampedDigest {
        try await core.identify(origin.token, deadline: origin.deadline)
        guard let client else { throw EvidenceError.noAuthority.failure }
        try rate.take(1, of: origin.client)
        do throws(EvidenceError) {
            return StampedDigest(try await client.stamp(digest, policy: policy))
        } catch {
            throw error.failure
        }
    }
}

extension CoreCalling {
    /// Throws unless the token makes a known caller, for what needs one and no key.
    func identify(_ token: PresentedToken, deadline: UInt64) async throws(Failure) {
        guard case .noted = try await call(.identify(token: token), deadline: deadline) else {
            throw .surprised("core answered an identification with something else")
        }
    }
}

/// A time stamp as it is given out.
package struct StampedDigest: Sendable, Hashable {
    /// TimeStampToken in DER.
    package let token: [UInt8]
    package let time: Instant
    /// The subject of the authority's certificate.
    package let authority: String
    /// Dotted.
    package let policy: String
    /// In hexadecimal digits.
    package let serialNumber: String
    /// By how much the time may be off, either way; nil where the authority does not say.
    package let accuracyMicroseconds: Int64?

    fileprivate init(_ stamp: TimeStamp) {
        token = stamp.token
        time = stamp.stated
        authority = stamp.signer
        policy = stamp.policy
        serialNumber = stamp.serialNumber
        accuracyMicroseconds = stamp.accuracyMicroseconds
    }
}

extension EvidenceError {
    /// The refusal that a caller sees; what went wrong in detail is for the operator.
    package var failure: Failure {
        switch self {
        case .noAuthority:
            Failure(.timeStampsNotOffered, "No time-stamping authority is configured here.")
        case .policyNotOffered(let policy):
            Failure(.timeStampPolicyNotOffered, "No time-stamping authority here offers the policy \(policy).")
        case .timeStampUnavailable:
            Failure(
                .timeStampUnavailable, "No time-stamping authority gave a time stamp that holds.", retryAfter: 30,
                cause: "\(self)")
        case .noPath:
            Failure(
                .credentialUnusable, "The certificate has no path to an anchor that is trusted here.", cause: "\(self)")
        case .revocationUnavailable:
            Failure(
                .revocationUnknown, "What shows whether the certificate is revoked cannot be had now.", retryAfter: 60,
                cause: "\(self)")
        }
    }
}
