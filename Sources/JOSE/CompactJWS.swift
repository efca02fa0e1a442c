internal import HPKI

/// A compact JWS taken apart, with nothing believed yet (RFC 7515 §5.2 steps 1 to 7).
struct CompactJWS {
    let payload: [UInt8]
    let signature: [UInt8]
    /// `header.payload` as received, the bytes that are signed.
    let signingInput: [UInt8]
    private let header: JSONValue

    init(_ compact: String, byteLimit: Int = TokenVerifier.byteLimit) throws(JOSEError) {
        guard compact.utf8.count <= byteLimit else { throw .tooLong }
        let parts = compact.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("not three parts") }
        guard let header = Base64URL.decode(Substring(parts[0])), let payload = Base64URL.decode(Substring(parts[1])),
            let signature = Base64URL.decode(Substring(parts[2]))
        else { throw .malformed("not canonical base64url") }
        self.payload = payload
        self.signature = signature
        signingInput = Array(compact.utf8.prefix(parts[0].count + 1 + parts[1].count))
        self.header = try JSONValue.read(header, depthLimit: 4)
        guard case .object = self.header else { throw .malformed("the header is no JSON object") }
        guard self.header["crit"] == nil else { throw .critRefused }
        // RFC 7797 changes what is signed and must come with crit; alone it is a trap for other readers.
        guard self.header["b64"] == nil else { throw .malformed("b64 without crit") }
    }

    /// `alg`, where it is one of `allowed`; throws `.unsecured` or `.algorithmRefused`.
    func algorithm(_ allowed: Set<JWSAlgorithm>) throws(JOSEError) -> JWSAlgorithm {
        guard let name = header["alg"]?.text else { throw .malformed("no alg") }
        guard name.lowercased() != "none" else { throw .unsecured }
        guard let algorithm = JWSAlgorithm(rawValue: name), allowed.contains(algorithm) else {
            throw .algorithmRefused(excerpt(name))
        }
        return algorithm
    }

    /// `typ` in lower case without `application/`, nil where absent; throws `.typeRefused` or `.typeMissing`.
    func type(_ accepted: TokenTypes) throws(JOSEError) -> String? {
        guard let value = header["typ"] else {
            guard accepted.mayBeUntyped else { throw .typeMissing }
            return nil
        }
        guard let text = value.text else { throw .malformed("typ is no string") }
        let type = TokenTypes.normal(text)
        guard accepted.names.contains(type) else { throw .typeRefused(excerpt(text)) }
        return type
    }

    /// The key that the header brings along (RFC 7515 §4.1.3), believed by nobody but a proof of possession.
    var key: JSONValue? { header["jwk"] }

    /// `kid`, nil where absent; throws `.malformed` where it is no string of 1 to 256 bytes.
    func keyID() throws(JOSEError) -> String? {
        guard let value = header["kid"] else { return nil }
        guard let text = value.text, (1...256).contains(text.utf8.count) else { throw .malformed("kid") }
        return text
    }
}
