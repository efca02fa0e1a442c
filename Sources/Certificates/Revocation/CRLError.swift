/// Why bytes are not a CRL that this project can use.
package enum CRLError: Error, Sendable, Hashable {
    /// More bytes than the reader takes.
    case tooLarge
    /// Not the DER of the structure; `field` names the part, in the terms of RFC 5280.
    case malformed(DERError, field: String)
    /// A critical extension that is not understood, by its OID: the list may not be used (RFC 5280 §5.2).
    case unknownCriticalExtension(String)
    /// A list for some reasons, attribute certificates or other authorities' certificates only.
    case unsupportedScope
    /// No certificate of the list's issuer, with this key identifier and the right to sign CRLs, is known.
    case unknownIssuer(String)
    /// The signature is not that of the issuer.
    case badSignature(SignatureError)
    /// A newer list of the same issuer and scope is held.
    case superseded
    /// A text file without a PEM block of the expected label, or with a broken one.
    case invalidPEM

    /// One sentence for an operator.
    package var explanation: String {
        switch self {
        case .tooLarge: "The CRL is larger than \(CertificateRevocationList.byteLimit) bytes."
        case .malformed(let error, let field): "The field \(field) is not valid DER (\(error))."
        case .unknownCriticalExtension(let oid): "The CRL has the critical extension \(oid), which is not understood."
        case .unsupportedScope: "The CRL covers reasons or certificates of a kind that is not supported."
        case .unknownIssuer(let name): "No trusted certificate of the CRL's issuer (\(name)) may sign it."
        case .badSignature(let error): "The CRL's signature does not verify (\(error))."
        case .superseded: "A newer list of the same issuer is held already."
        case .invalidPEM: "The file is neither DER nor a well-formed PEM file."
        }
    }
}
