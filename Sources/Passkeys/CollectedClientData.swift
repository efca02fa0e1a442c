package import HPKI
internal import JOSE

/// What the browser says of a ceremony, as the authenticator signs it (WebAuthn Level 3 §5.8.1).
package struct CollectedClientData: Sendable, Hashable {
    /// `type`.
    package enum Ceremony: String, Sendable, Hashable {
        case create = "webauthn.create"
        case get = "webauthn.get"
    }

    /// SHA-256 of the JSON as it came, which is what is signed.
    package let hash: Digest
    package let ceremony: Ceremony
    package let challenge: [UInt8]
    package let origin: String
    /// Whether the page stood in a frame of another origin.
    package let isCrossOrigin: Bool
    package let topOrigin: String?

    /// Reads the JSON, at most 4096 bytes of it; members that are not known are let be.
    ///
    /// Throws `.clientData`.
    package init(_ bytes: [UInt8]) throws(PasskeyError) {
        guard bytes.count <= 4096 else { throw .clientData("it is longer than 4096 bytes") }
        guard let json = try? JSONValue.read(bytes), json.members != nil else {
            throw .clientData("it is no JSON object")
        }
        guard let ceremony = json["type"]?.text.flatMap(Ceremony.init(rawValue:)) else {
            throw .clientData("type is missing or none that is known")
        }
        guard let text = json["challenge"]?.text, let challenge = Base64URL.decode(text) else {
            throw .clientData("challenge is missing or no base64url")
        }
        guard let origin = json["origin"]?.text else { throw .clientData("origin is missing") }
        if let value = json["crossOrigin"] {
            guard let flag = value.flag else { throw .clientData("crossOrigin is neither true nor false") }
            isCrossOrigin = flag
        } else {
            isCrossOrigin = false
        }
        if let value = json["topOrigin"] {
            guard let text = value.text else { throw .clientData("topOrigin is no text") }
            topOrigin = text
        } else {
            topOrigin = nil
        }
        hash = Digest(of: bytes)
        self.ceremony = ceremony
        self.challenge = challenge
        self.origin = origin
    }
}
