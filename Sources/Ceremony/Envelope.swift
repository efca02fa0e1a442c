internal import Crypto
internal import Foundation
import HPKI
package import Host

/// A secret that any two different officers of the register open together, and no one alone.
///
/// For each pair the secret is sealed to the one and the result to the other, so both private keys are needed to
/// open it and neither to make it: an envelope can be sealed for officers who are not in the room. Each layer is
/// ECDH on P-256 with a fresh key, HKDF-SHA-256 and AES-256-GCM, bound to the label and to both officers.
package struct Envelope: Sendable, Hashable, Codable {
    struct Share: Sendable, Hashable, Codable {
        /// The fingerprints of the pair, in order; the inner layer is the first one's.
        let officers: [HexBytes]
        let sealed: HexBytes
    }

    private static let version = 1

    let version: Int
    /// What the secret is, such as `wrapping-1`.
    package let label: String
    /// `CKA_ID` of the key whose value it is; nil for PINs and archives.
    package let keyID: HexBytes?
    /// The digest of the register that it was sealed for.
    package let register: HexBytes
    let shares: [Share]

    /// Seals a secret of at most 4096 bytes for every pair of the register.
    package static func seal(
        _ secret: LockedBytes, label: String, keyID: [UInt8]? = nil, for register: OfficerRegister
    ) throws(CeremonyError) -> Envelope {
        guard isLabel(label), secret.count <= 4096 else { throw .cryptography }
        let keyID = keyID.map { HexBytes($0) }
        var shares: [Share] = []
        for (index, first) in register.officers.enumerated() {
            for second in register.officers[(index + 1)...] {
                let context = context(label, keyID, first.fingerprint, second.fingerprint)
                var plain = secret.copiedBytes
                defer { plain.erase() }
                let inner = try layer(plain, to: first, context + [1])
                let outer = try layer(inner, to: second, context + [2])
                shares.append(
                    Share(officers: [first.fingerprint, second.fingerprint], sealed: HexBytes(outer)))
            }
        }
        return Envelope(
            version: version, label: label, keyID: keyID, register: try register.digest, shares: shares
        )
    }

    /// The secret, opened by the first pair of these officers that it was sealed for; throws `.envelopeRefused`.
    package func open(by present: PresentOfficers) throws(CeremonyError) -> LockedBytes {
        for share in shares where share.officers.count == 2 {
            guard let first = present.officers.first(where: { $0.identity.fingerprint == share.officers[0] }),
                let second = present.officers.first(where: { $0.identity.fingerprint == share.officers[1] }),
                first.identity.fingerprint != second.identity.fingerprint
            else { continue }
            let context = Self.context(label, keyID, share.officers[0], share.officers[1])
            guard let inner = Self.opened(share.sealed.bytes, by: second, context + [2]),
                var plain = Self.opened(inner, by: first, context + [1])
            else { throw .envelopeRefused(label: label) }
            defer { plain.erase() }
            return LockedBytes(plain)
        }
        throw .envelopeRefused(label: label)
    }

    /// Labels name files: lower-case letters, digits and hyphens.
    static func isLabel(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}

extension Envelope {
    /// Uncompressed points of P-256 have so many bytes.
    private static let pointBytes = 65

    private static func context(
        _ label: String, _ keyID: HexBytes?, _ first: HexBytes, _ second: HexBytes
    ) -> [UInt8] {
        var writer = WireWriter()
        writer.text("shirushi/envelope/1")
        writer.text(label)
        writer.optional(keyID) { $0.data($1.bytes) }
        writer.data(first.bytes)
        writer.data(second.bytes)
        return writer.bytes
    }

    /// The fresh public key, then nonce, ciphertext and tag.
    private static func layer(
        _ plain: [UInt8], to officer: OfficerIdentity, _ context: [UInt8]
    ) throws(CeremonyError) -> [UInt8] {
        let fresh = P256.KeyAgreement.PrivateKey()
        let point = Array(fresh.publicKey.x963Representation)
        guard let recipient = try? P256.KeyAgreement.PublicKey(x963Representation: officer.agreementKey.bytes),
            let shared = try? fresh.sharedSecretFromKeyAgreement(with: recipient),
            let box = try? AES.GCM.seal(
                plain, using: key(shared, point, officer.agreementKey.bytes, context), authenticating: context),
            let sealed = box.combined
        else { throw .cryptography }
        return point + Array(sealed)
    }

    private static func opened(_ sealed: [UInt8], by officer: Officer, _ context: [UInt8]) -> [UInt8]? {
        let point = Array(sealed.prefix(pointBytes))
        guard let sender = try? P256.KeyAgreement.PublicKey(x963Representation: point),
            let shared = try? officer.agreement.sharedSecretFromKeyAgreement(with: sender),
            let box = try? AES.GCM.SealedBox(combined: sealed.dropFirst(pointBytes)),
            var plain = try? AES.GCM.open(
                box, using: key(shared, point, officer.identity.agreementKey.bytes, context), authenticating: context)
        else { return nil }
        defer { plain.resetBytes(in: plain.startIndex..<plain.endIndex) }
        return Array(plain)
    }

    private static func key(
        _ shared: SharedSecret, _ sender: [UInt8], _ recipient: [UInt8], _ context: [UInt8]
    ) -> SymmetricKey {
        shared.hkdfDerivedSymmetricKey(
            using: SHA256.self, salt: sender + recipient, sharedInfo: context, outputByteCount: 32)
    }
}
