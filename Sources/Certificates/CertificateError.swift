/// Why bytes are not a certificate or a key that this project can use.
package enum CertificateError: Error, Sendable, Hashable {
    /// More bytes than the reader takes.
    case tooLarge
    /// Not the DER of the structure; `field` names the part, in the terms of RFC 5280.
    case malformed(DERError, field: String)
    /// The same extension stands twice (RFC 5280 §4.2), by its OID.
    case duplicateExtension(String)
    /// A key that is neither RSA of 2048 to 4096 bits nor on P-256 or P-384; says what it is.
    case unsupportedKey(String)
    /// A text file without a PEM block of the expected label, or with a broken one.
    case invalidPEM

    /// One sentence for an operator.
    package var explanation: String {
        switch self {
        case .tooLarge: "The certificate is larger than \(HPKICertificate.byteLimit) bytes."
        case .malformed(let error, let field): "The field \(field) is not valid DER (\(error))."
        case .duplicateExtension(let oid): "The extension \(oid) stands twice."
        case .unsupportedKey(let kind): "The public key cannot be used here: \(kind)."
        case .invalidPEM: "The file is neither DER nor a well-formed PEM file."
        }
    }
}

/// Why a signature does not verify.
package enum SignatureError: Error, Sendable, Hashable {
    /// The algorithm is not one that this project accepts.
    case unsupportedAlgorithm
    /// The algorithm does not belong to the kind of key.
    case wrongKey
    /// The value has the wrong length or form.
    case malformed
    /// The value is not the signature of these bytes by this key.
    case mismatch
}
