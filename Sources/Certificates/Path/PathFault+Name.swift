extension PathFault {
    /// A stable word for machines, such as `no-path-to-anchor`.
    package var name: String {
        switch self {
        case .expired: "expired"
        case .notYetValid: "not-yet-valid"
        case .noPathToAnchor: "no-path-to-anchor"
        case .badSignature: "bad-certificate-signature"
        case .signatureAlgorithm: "certificate-signature-algorithm"
        case .revoked: "revoked"
        case .revokedLater: "revoked-later"
        case .revocationUnknown: "revocation-unknown"
        case .crlStale: "crl-stale"
        case .crlAfterExpiry: "crl-after-expiry"
        case .keyUsage: "key-usage"
        case .extendedKeyUsage: "extended-key-usage"
        case .policyMissing: "policy-missing"
        case .leafIsAuthority: "leaf-is-authority"
        case .basicConstraints: "basic-constraints"
        case .keyCertSignMissing: "key-cert-sign-missing"
        case .pathTooLong: "path-too-long"
        case .unknownCriticalExtension: "unknown-critical-extension"
        case .unappliedConstraint: "unapplied-constraint"
        case .nameNotPermitted: "name-not-permitted"
        case .policyNotValid: "policy-not-valid"
        case .purposeNotAllowed: "purpose-not-allowed"
        case .weakKey: "weak-key"
        case .tooComplex: "too-complex"
        }
    }
}
