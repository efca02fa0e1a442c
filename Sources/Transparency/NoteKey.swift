internal import Crypto
import HPKI

/// The public half of a key that signs notes, with the name that it signs under (C2SP signed-note, "Signatures").
package struct NoteKey: Sendable, Hashable {
    /// What a signature by the key looks like; the numbers are the signature type identifiers of C2SP signed-note.
    package enum Kind: UInt8, Sendable, Hashable {
        /// Ed25519 over the text: a log's own.
        case ed25519 = 0x01
        /// Ed25519 over the time and the text: a witness's (C2SP tlog-cosignature, `cosignature/v1`).
        case cosignature = 0x04
    }

    package let name: String
    package let kind: Kind
    /// 32 bytes, as RFC 8032 encodes them.
    package let publicKey: [UInt8]

    /// A key of its parts; nil for a name that no note may bear, or for other than 32 bytes.
    package init?(name: String, kind: Kind, publicKey: [UInt8]) {
        guard Self.isName(name), publicKey.count == 32 else { return nil }
        self.name = name
        self.kind = kind
        self.publicKey = publicKey
    }

    /// Reads a verifier key, `name+keyid+base64`; throws `.malformedKey`.
    package init(_ text: String) throws(TransparencyError) {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let bytes = Base64.decode(parts[2]), Base64.encode(bytes) == parts[2] else {
            throw .malformedKey("a verifier key is a name, an id and a key in Base64, joined by +")
        }
        guard let type = bytes.first, let kind = Kind(rawValue: type) else {
            throw .malformedKey("the key is neither an Ed25519 log key (type 1) nor a witness's (type 4)")
        }
        guard let key = NoteKey(name: parts[0], kind: kind, publicKey: Array(bytes.dropFirst())) else {
            throw .malformedKey("the name or the length of the key is not as a note has them")
        }
        guard key.keyIDText == parts[1] else { throw .malformedKey("the id is not that of this name and key") }
        self = key
    }

    /// `SHA-256(name || 0x0A || type || public key)[:4]`, big-endian.
    package var keyID: UInt32 {
        Digest(of: Array(name.utf8) + [0x0A, kind.rawValue] + publicKey).bytes.prefix(4).reduce(0) {
            $0 << 8 | UInt32($1)
        }
    }

    /// The id in eight lower-case hexadecimal digits.
    package var keyIDText: String {
        let digits = String(keyID, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// The verifier key as it is handed to others.
    package var text: String { "\(name)+\(keyIDText)+\(Base64.encode([kind.rawValue] + publicKey))" }

    /// Whether `value` is this key's signature over the note's text.
    package func holds(_ value: [UInt8], over text: String) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
        switch kind {
        case .ed25519:
            return value.count == 64 && key.isValidSignature(value, for: Array(text.utf8))
        case .cosignature:
            guard let time = Cosignature.time(of: value) else { return false }
            return key.isValidSignature(value.suffix(64), for: Cosignature.message(text, at: time))
        }
    }

    /// Whether a note may bear the name: it is not empty and has neither spaces nor plus signs (C2SP signed-note).
    package static func isName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty && name.utf8.count <= 255
            && name.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0 != "+" && $0.value >= 0x20 }
    }
}

/// What a witness signs: a time and a checkpoint (C2SP tlog-cosignature, "Ed25519 signed message").
package enum Cosignature {
    /// The seconds since 1970 at which a cosignature says that it was made; nil for other than 72 bytes, or behind 2^63.
    package static func time(of value: [UInt8]) -> Int64? {
        guard value.count == 72 else { return nil }
        return Int64(exactly: value.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    static func message(_ text: String, at time: Int64) -> [UInt8] {
        Array("cosignature/v1\ntime \(time)\n\(text)".utf8)
    }
}
