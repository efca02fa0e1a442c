package import HPKI

/// Why an OCSP response tells nothing of a certificate; none of these means that the certificate is good.
package enum OCSPError: Error, Sendable, Hashable {
    /// More bytes than the reader takes.
    case tooLarge
    /// Not the DER of the structure; `field` names the part, in the terms of RFC 6960.
    case malformed(DERError, field: String)
    /// The responder did not answer, with the status that it gave instead (RFC 6960 §4.2.1).
    case notSuccessful(status: Int)
    /// Another type of response than id-pkix-ocsp-basic, by its OID.
    case unsupportedType(String)
    /// A critical extension that is not understood, by its OID.
    case unknownCriticalExtension(String)
    /// The response has no answer for the certificate that was asked about.
    case otherCertificate
    /// Neither the issuer nor a responder that the issuer authorised is named as the signer.
    case unauthorizedResponder
    /// The responder's own certificate is no good for this moment.
    case responderCertificate(PathFault)
    /// The signature is not that of the responder.
    case badSignature(SignatureError)
    /// The response does not repeat the nonce of the request.
    case wrongNonce
    /// The answer was to be replaced before the moment asked about, or does not say when it will be.
    case stale(nextUpdate: Instant?)
    /// The answer is from after the moment it was received.
    case notYetValid(thisUpdate: Instant)

    /// One sentence in plain words.
    package var explanation: String {
        switch self {
        case .tooLarge: "The OCSP response is larger than \(OCSPResponse.byteLimit) bytes."
        case .malformed(let error, let field): "The field \(field) of the OCSP response is not valid DER (\(error))."
        case .notSuccessful(let status): "The OCSP responder gave no answer (status \(status))."
        case .unsupportedType(let oid): "The OCSP response is of the type \(oid), which is not understood."
        case .unknownCriticalExtension(let oid):
            "The OCSP response has the critical extension \(oid), which is not understood."
        case .otherCertificate: "The OCSP response is about other certificates."
        case .unauthorizedResponder: "The OCSP response is not signed by one whom the certificate's issuer authorised."
        case .responderCertificate(let fault): "The OCSP responder's certificate is not accepted. \(fault.explanation)"
        case .badSignature(let error): "The OCSP response's signature does not verify (\(error))."
        case .wrongNonce: "The OCSP response is not the answer to the request that was made."
        case .stale(let nextUpdate):
            "The OCSP response "
                + (nextUpdate.flatMap(\.rfc3339).map { "was to be replaced at \($0)." } ?? "does not say when it ends.")
        case .notYetValid(let thisUpdate):
            "The OCSP response holds only from \(thisUpdate.rfc3339 ?? "an unknown time")."
        }
    }
}
