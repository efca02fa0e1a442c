/// How a document is signed, as far as the bytes to sign depend on it.
package enum SignatureShape: Sendable, Hashable {
    /// The form of prescriptions and dispensing results that is seen in the field.
    case ofForm
    /// A XAdES baseline signature with one Reference to the document.
    case xades(XAdESPlace, mimeType: String?)
    /// A CAdES baseline signature over the document's octets.
    case cades
}

/// Where the one document of a XAdES signature is, and so which octets of it are digested.
package enum XAdESPlace: Sendable, Hashable {
    /// Around the signature: the exclusive canonical form of the whole document without the signature.
    case document
    /// An element with this id beside the signature: its exclusive canonical form.
    case element(id: String)
    /// A `ds:Object` of the signature with this id, which holds the document in Base64: its exclusive canonical form.
    case object(id: String)
    /// Elsewhere, by a name that the verifier understands: the octets as they are.
    case detached(name: String)
}
