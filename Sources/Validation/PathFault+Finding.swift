internal import Certificates
internal import HPKI

extension PathFault {
    /// This fault of a certificate as ETSI EN 319 102-1 §5.2.6 and §5.3.4 name it, without proof of existence.
    func finding(signedAt claimed: Instant?) -> Finding {
        switch self {
        case .noPathToAnchor:
            .unknown(.noCertificateChain, "no-path-to-anchor", explanation)
        case .expired:
            .unknown(.outOfBoundsNoProofOfExistence, "certificate-expired", explanation)
        case .notYetValid:
            .failed(.notYetValid, "certificate-not-yet-valid", explanation)
        case .badSignature:
            .failed(.chainGeneralFailure, "certificate-signature-mismatch", explanation)
        case .signatureAlgorithm:
            .unknown(.cryptoConstraintsFailure, "certificate-algorithm-not-accepted", explanation)
        case .revoked(_, let at, _):
            // A signer who claims an earlier time may be right, but nothing proves it.
            if let claimed, claimed < at {
                .unknown(.revokedNoProofOfExistence, "certificate-revoked-since", explanation)
            } else {
                .failed(.revoked, "certificate-revoked", explanation)
            }
        case .revokedLater:
            .unknown(.revokedNoProofOfExistence, "certificate-revoked-since", explanation)
        case .revocationUnknown:
            .unknown(.tryLater, "revocation-unknown", explanation)
        case .crlStale:
            .unknown(.tryLater, "crl-stale", explanation)
        case .crlAfterExpiry:
            .unknown(.outOfBoundsNoProofOfExistence, "crl-after-expiry", explanation)
        case .keyUsage, .extendedKeyUsage:
            .failed(.chainConstraintsFailure, "key-usage-not-accepted", explanation)
        case .policyMissing, .policyNotValid:
            .failed(.chainConstraintsFailure, "certificate-policy-not-accepted", explanation)
        case .weakKey:
            .failed(.chainConstraintsFailure, "certificate-key-too-short", explanation)
        case .leafIsAuthority, .basicConstraints, .keyCertSignMissing, .pathTooLong, .unknownCriticalExtension,
            .nameNotPermitted, .purposeNotAllowed:
            .failed(.chainConstraintsFailure, "certificate-path-invalid", explanation)
        case .unappliedConstraint, .tooComplex:
            .unknown(.chainGeneralFailure, "certificate-path-not-judged", explanation)
        }
    }
}
