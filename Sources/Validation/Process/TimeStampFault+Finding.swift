internal import Certificates

extension TimeStampFault {
    /// A stable code in kebab-case.
    var reason: String {
        switch self {
        case .tooLarge, .malformed, .notTimeStamp, .notGranted, .signerCount, .unknownCriticalExtension:
            "time-stamp-malformed"
        case .unsupportedAlgorithm: "time-stamp-algorithm-not-accepted"
        case .signerCertificateMissing: "time-stamp-certificate-missing"
        case .signerNotBound, .otherAuthority: "time-stamp-signer-not-bound"
        case .wrongContent, .badSignature: "time-stamp-signature-mismatch"
        case .wrongImprint, .wrongNonce: "time-stamp-of-other-data"
        case .policyNotAccepted: "time-stamp-policy-not-accepted"
        case .notAccurateEnough: "time-stamp-not-accurate"
        case .purpose, .keyUsage: "time-stamp-key-usage"
        case .outsideCertificate: "time-stamp-outside-certificate"
        case .fromTheFuture: "time-stamp-from-the-future"
        case .certificate(let fault), .certificateEnded(let fault): fault.finding(signedAt: nil).reason
        }
    }

    /// The words of ETSI EN 319 102-1 §5.4 for it.
    var subIndication: SubIndication {
        switch self {
        case .tooLarge, .malformed, .notTimeStamp, .notGranted, .signerCount, .unknownCriticalExtension:
            .formatFailure
        case .unsupportedAlgorithm: .cryptoConstraintsFailure
        case .signerCertificateMissing: .noSigningCertificate
        case .signerNotBound, .otherAuthority, .badSignature: .signatureCryptoFailure
        case .wrongContent, .wrongImprint, .wrongNonce: .hashFailure
        case .policyNotAccepted, .notAccurateEnough: .signatureConstraintsFailure
        case .purpose, .keyUsage: .chainConstraintsFailure
        case .outsideCertificate: .outOfBoundsNoProofOfExistence
        case .fromTheFuture: .timeStampOrderFailure
        case .certificate(let fault), .certificateEnded(let fault): fault.finding(signedAt: nil).subIndication
        }
    }

    /// True where the token is what it says, by the key that it names, whatever that key is worth.
    var isOfTrustAlone: Bool {
        switch self {
        case .certificate, .certificateEnded: true
        default: false
        }
    }

    /// The fault of the authority's certificate, where proof that the token is older can settle it.
    var mayBeSettledByProof: Bool {
        switch self {
        case .certificateEnded: true
        case .certificate(let fault): fault.mayBeSettledByProof
        default: false
        }
    }
}
