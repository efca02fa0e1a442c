/// Why bytes are no SignedData that is read here (RFC 5652 §3 and §5).
package enum CMSError: Error, Sendable, Hashable {
    /// More bytes than the reader takes.
    case tooLarge
    /// Not the DER of the structure; `field` names the part, in the terms of RFC 5652.
    case malformed(DERError, field: String)
    /// Another type of content than signed data, by its OID.
    case notSignedData(String)
    /// No signer, or more than the reader takes.
    case signerCount(Int)
}

/// Why a signer's signature does not hold (RFC 5652 §5.4 and §5.6).
package enum CMSSignerError: Error, Sendable, Hashable {
    /// An algorithm that is not accepted, by its OID; also one of another function than the content was digested by.
    case unsupportedAlgorithm(String)
    /// There are no signed attributes, without which neither content type nor certificate is bound.
    case withoutSignedAttributes
    /// The signed attributes are about another content.
    case wrongContent
    /// The value is not that of the key over the signed attributes.
    case badSignature(SignatureError)
}
