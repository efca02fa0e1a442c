internal import Certificates
internal import HPKI

extension PathFault {
    /// This fault of a certificate as ETSI EN 319 102-1 §5.2.6 and §5.3.4 name it; `claimed` is the signer's own word.
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
            // Who claims to have signed behind the revocation says so against himself. Who claims an earlier time, or
            // none, may be right, but nothing proves it.
            if let claimed, claimed >= at {
                .failed(.revoked, "certificate-revoked", explanation)
            } else {
                .unknown(.revokedNoProofOfExistence, "certificate-revoked-since", explanation)
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

    /// True where proof that the signature is older can settle it: the certificate ended, or nothing fresh is at hand.
    var mayBeSettledByProof: Bool {
        switch self {
        case .expired, .revoked, .revokedLater, .revocationUnknown, .crlStale, .crlAfterExpiry: true
        default: false
        }
    }

    var isRevocation: Bool { if case .revoked = self { true } else { false } }

    /// True where the certificate has come to its end.
    var isEnd: Bool { if case .expired = self { true } else { isRevocation } }
}
