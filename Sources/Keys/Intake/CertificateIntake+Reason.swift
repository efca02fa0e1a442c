import Certificates

extension CertificateIntake {
    /// Why a certificate is refused, by the code that its authority is told.
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        case unreadable
        case otherPublicKey = "other-public-key"
        case brokenChain = "broken-chain"
        case untrustedChain = "untrusted-chain"
        case revoked
        case revocationUnknown = "revocation-unknown"
        case otherAuthority = "other-authority"
        case otherHolder = "other-holder"
        case serialSeen = "serial-seen"
        case wrongPolicy = "wrong-policy"
        case keyUsage = "key-usage"
        case noRole = "no-role"
        case unknownRole = "unknown-role"
        case roleOutsideRemit = "role-outside-remit"
        case roleNotRegistered = "role-not-registered"
        case validityReversed = "validity-reversed"
        case validityTooLong = "validity-too-long"
        case notYetValid = "not-yet-valid"
        case expired

        /// Words for a sentence about the certificate.
        package var text: String {
            switch self {
            case .unreadable: "it is not an X.509 certificate that can be read"
            case .otherPublicKey: "its public key is not the one of this credential"
            case .brokenChain: "its path to a trusted authority does not hold"
            case .untrustedChain: "no path leads from it to a trusted authority"
            case .revoked: "it, or an authority above it, is revoked"
            case .revocationUnknown: "no fresh revocation list tells whether it is revoked"
            case .otherAuthority: "its issuer is none of this authority's"
            case .otherHolder: "the serialNumber of its subject is not the holder's"
            case .serialSeen: "its issuer's serial number was delivered before"
            case .wrongPolicy: "it names no accepted certificate policy"
            case .keyUsage: "its key usage is not nonRepudiation alone"
            case .noRole: "it has no hcRole"
            case .unknownRole: "it has an hcRole that is not known here"
            case .roleOutsideRemit: "it has an hcRole outside this authority's remit"
            case .roleNotRegistered: "it has an hcRole that its holder is not registered with"
            case .validityReversed: "its validity ends before it begins"
            case .validityTooLong: "its validity is longer than allowed"
            case .notYetValid: "its validity has not begun, or begins after it is to take over"
            case .expired: "its validity has ended, or ends before it is to take over"
            }
        }

        /// The reason that a fault of the path comes to; nil for the certificate's own dates, which are judged apart.
        init?(_ fault: PathFault) {
            switch fault {
            case .expired(.leaf, _), .notYetValid(.leaf, _): return nil
            case .noPathToAnchor: self = .untrustedChain
            case .revoked, .revokedLater: self = .revoked
            case .revocationUnknown, .crlStale, .crlAfterExpiry: self = .revocationUnknown
            case .keyUsage, .extendedKeyUsage: self = .keyUsage
            case .policyMissing, .policyNotValid: self = .wrongPolicy
            case .expired, .notYetValid, .badSignature, .leafIsAuthority, .basicConstraints, .keyCertSignMissing,
                .pathTooLong, .unknownCriticalExtension, .unappliedConstraint, .tooComplex, .nameNotPermitted,
                .purposeNotAllowed, .weakKey, .signatureAlgorithm:
                self = .brokenChain
            }
        }
    }
}
