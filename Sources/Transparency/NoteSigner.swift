internal import Crypto
package import HPKI

/// A key that signs notes under a name; the seed is erased with it by swift-crypto.
package struct NoteSigner: Sendable {
    package let key: NoteKey
    private let privateKey: Curve25519.Signing.PrivateKey

    /// Takes the seed, 32 bytes (RFC 8032 §5.1.5); nil for another length, or for a name that no note may bear.
    package init?(name: String, kind: NoteKey.Kind = .ed25519, seed: [UInt8]) {
        guard seed.count == 32, let privateKey = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
            let key = NoteKey(name: name, kind: kind, publicKey: Array(privateKey.publicKey.rawRepresentation))
        else { return nil }
        self.key = key
        self.privateKey = privateKey
    }

    /// Signs a note's text, a witness's key with the time; nil where the library gives no signature, which leaves the
    /// note unsigned.
    package func sign(_ text: String, at time: Instant) -> SignedNote.Signature? {
        switch key.kind {
        case .ed25519:
            guard let value = try? privateKey.signature(for: Array(text.utf8)) else { return nil }
            return SignedNote.Signature(name: key.name, keyID: key.keyID, value: Array(value))
        case .cosignature:
            let seconds = max(0, time.seconds)
            guard let value = try? privateKey.signature(for: Cosignature.message(text, at: seconds)) else { return nil }
            let stamp = (0..<8).map { UInt8(truncatingIfNeeded: seconds >> (56 - 8 * $0)) }
            return SignedNote.Signature(name: key.name, keyID: key.keyID, value: stamp + Array(value))
        }
    }
}
