package import HPKI

/// Why bytes are not a time stamp, or one that proves nothing here.
package enum TimeStampFault: Error, Sendable, Hashable {
    /// More bytes than the reader takes.
    case tooLarge
    /// Not the DER of the structure; `field` names the part, in the terms of RFC 5652 and RFC 3161.
    case malformed(DERError, field: String)
    /// Another kind of content than signed data around a TSTInfo, by its OID.
    case notTimeStamp(String)
    /// The authority gave no token.
    case notGranted(TimeStampRefusal)
    /// A time stamp has exactly one signer (RFC 3161 §2.4.2).
    case signerCount(Int)
    /// An algorithm that is not accepted, by its OID or name.
    case unsupportedAlgorithm(String)
    /// A critical extension of the TSTInfo that is not understood, by its OID.
    case unknownCriticalExtension(String)
    /// The authority's certificate neither came along nor is at hand.
    case signerCertificateMissing
    /// No certificate of the named signer is the one that the signed attributes bind to the signature.
    case signerNotBound
    /// The signed attributes are about another content.
    case wrongContent
    /// The signature is not that of the authority.
    case badSignature(SignatureError)
    /// The time stamp is of other data.
    case wrongImprint
    /// The time stamp does not repeat the nonce of the request.
    case wrongNonce
    /// The authority's policy is not the one asked for, or none of those accepted.
    case policyNotAccepted(found: String)
    /// The authority does not promise the accuracy that is required.
    case notAccurateEnough(microseconds: Int64?)
    /// The authority's certificate is not for time stamps alone, or does not say so critically (RFC 3161 §2.3).
    case purpose(found: [String])
    /// The authority's key is for other uses than signatures.
    case keyUsage(found: KeyUsage)
    /// The time stamp names another authority than the certificate does.
    case otherAuthority
    /// The stated time is outside the validity of the authority's certificate.
    case outsideCertificate(stated: Instant)
    /// The stated time is later than the moment of judgement.
    case fromTheFuture(stated: Instant)
    /// The authority's certificate is not accepted.
    case certificate(PathFault)
    /// The authority's certificate has ended since, and nothing proves that the time stamp was there before.
    case certificateEnded(PathFault)

    /// True where the time stamp certainly proves nothing; false where more data, or proof of an earlier time, could
    /// still show it good.
    package var isConclusive: Bool {
        switch self {
        case .certificate(let fault): fault.isConclusive
        case .certificateEnded, .signerCertificateMissing, .fromTheFuture: false
        case .tooLarge, .malformed, .notTimeStamp, .notGranted, .signerCount, .unsupportedAlgorithm,
            .unknownCriticalExtension, .signerNotBound, .wrongContent, .badSignature, .wrongImprint, .wrongNonce,
            .policyNotAccepted, .notAccurateEnough, .purpose, .keyUsage, .otherAuthority, .outsideCertificate:
            true
        }
    }

    /// One sentence in plain words, or two where the certificate's own fault is told.
    package var explanation: String {
        switch self {
        case .tooLarge: "The time stamp is larger than \(TimeStampToken.byteLimit) bytes."
        case .malformed(let error, let field): "The field \(field) of the time stamp is not valid DER (\(error))."
        case .notTimeStamp(let oid): "The bytes are no time stamp, but content of the type \(oid)."
        case .notGranted(let refusal): refusal.explanation
        case .signerCount(let count): "The time stamp has \(count) signers; it must have one."
        case .unsupportedAlgorithm(let name): "The time stamp uses the algorithm \(name), which is not accepted."
        case .unknownCriticalExtension(let oid):
            "The time stamp has the critical extension \(oid), which is not understood."
        case .signerCertificateMissing: "The certificate of the time-stamping authority is not at hand."
        case .signerNotBound: "The time stamp is not bound to the certificate of its signer."
        case .wrongContent: "The time stamp's signature is about another content."
        case .badSignature(let error): "The time stamp's signature does not verify (\(error))."
        case .wrongImprint: "The time stamp is of other data."
        case .wrongNonce: "The time stamp is not the answer to the request that was made."
        case .policyNotAccepted(let found): "The time stamp's policy \(found) is not accepted."
        case .notAccurateEnough(let found):
            "The time stamp's accuracy ("
                + (found.map { "\($0) microseconds" } ?? "not stated") + ") is not the required one."
        case .purpose(let found):
            "The certificate of the time-stamping authority is not for time stamps alone ("
                + (found.isEmpty ? "no extended key usage" : found.joined(separator: ", ")) + "), or not critically so."
        case .keyUsage(let found): "The key of the time-stamping authority is for \(found.text)."
        case .otherAuthority: "The time stamp names another authority than its signer's certificate does."
        case .outsideCertificate(let stated):
            "The stated time \(Self.text(stated)) is outside the validity of the authority's certificate."
        case .fromTheFuture(let stated): "The stated time \(Self.text(stated)) is yet to come."
        case .certificate(let fault):
            "The certificate of the time-stamping authority is not accepted. \(fault.explanation)"
        case .certificateEnded(let fault):
            "Nothing proves that the time stamp is older than the end of its authority's certificate. "
                + fault.explanation
        }
    }

    private static func text(_ instant: Instant) -> String { instant.rfc3339 ?? "(unknown)" }
}
