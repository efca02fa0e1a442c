internal import Crypto
internal import Foundation
import HPKI
package import Host

/// The public half of an officer: what registers, envelopes and protocols know of a person.
package struct OfficerIdentity: Sendable, Hashable, Codable {
    /// The person's name, as protocols print it.
    package let name: String
    /// P-256, uncompressed (SEC 1 §2.3.3): signs protocols.
    package let signingKey: HexBytes
    /// P-256, uncompressed: envelopes are sealed to it.
    package let agreementKey: HexBytes

    /// SHA-256 over name and keys: what two people compare to know that they speak of the same officer.
    package var fingerprint: HexBytes {
        var writer = WireWriter()
        writer.text("shirushi/officer/1")
        writer.text(name)
        writer.data(signingKey.bytes)
        writer.data(agreementKey.bytes)
        return HexBytes(sha256(writer.bytes))
    }

    /// Whether this is the same person, or shares a key with, another: names count without case.
    func clashes(with other: OfficerIdentity) -> Bool {
        name.lowercased() == other.name.lowercased() || signingKey == other.signingKey
            || agreementKey == other.agreementKey
    }

    /// Throws unless the signature over `message` is this officer's.
    func verify(_ signature: [UInt8], over message: [UInt8]) throws(CeremonyError) {
        guard let key = try? P256.Signing.PublicKey(x963Representation: signingKey.bytes),
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature),
            key.isValidSignature(signature, for: message)
        else { throw .cryptography }
    }

    static func check(name: String) throws(CeremonyError) {
        guard !name.isEmpty, name.count <= 100, name.utf8.count <= 400,
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }),
            name == name.trimmingCharacters(in: .whitespacesAndNewlines)
        else { throw .badName }
    }
}

/// A person who takes part in a ceremony, with the private keys; lives as long as the ceremony.
package struct Officer: Sendable {
    package let identity: OfficerIdentity
    let signing: P256.Signing.PrivateKey
    let agreement: P256.KeyAgreement.PrivateKey

    /// A new officer with fresh keys from the cryptographic library's own source; throws `.badName`.
    package static func create(name: String) throws(CeremonyError) -> Officer {
        try OfficerIdentity.check(name: name)
        return Officer(name: name, signing: P256.Signing.PrivateKey(), agreement: P256.KeyAgreement.PrivateKey())
    }

    private init(name: String, signing: P256.Signing.PrivateKey, agreement: P256.KeyAgreement.PrivateKey) {
        self.signing = signing
        self.agreement = agreement
        identity = OfficerIdentity(
            name: name, signingKey: HexBytes(Array(signing.publicKey.x963Representation)),
            agreementKey: HexBytes(Array(agreement.publicKey.x963Representation))
        )
    }

    /// ECDSA with SHA-256 over `message`, r ‖ s.
    func sign(_ message: [UInt8]) throws(CeremonyError) -> HexBytes {
        guard let signature = try? signing.signature(for: message) else { throw .cryptography }
        return HexBytes(Array(signature.rawRepresentation))
    }
}

// MARK: The officer's file

extension Officer {
    private struct File: Codable {
        let kind: String
        let version: Int
        let officer: OfficerIdentity
        let scrypt: Passphrase
        /// Nonce, both private keys under AES-256-GCM, tag.
        let sealed: HexBytes

        static let kind = "shirushi officer"

        /// What the seal covers besides the keys.
        static func context(_ officer: OfficerIdentity, _ scrypt: Passphrase) throws(CeremonyError) -> [UInt8] {
            try CustodyJSON.bytes(officer) + CustodyJSON.bytes(scrypt)
        }
    }

    /// The credential file of this officer under a passphrase; throws `.passphraseTooShort`.
    package func file(under words: LockedBytes, _ scrypt: Passphrase) throws(CeremonyError) -> [UInt8] {
        guard words.count >= Passphrase.leastBytes else { throw .passphraseTooShort }
        var plain = Array(signing.rawRepresentation) + Array(agreement.rawRepresentation)
        defer { plain.erase() }
        let context = try File.context(identity, scrypt)
        let key = try scrypt.key(from: words)
        guard let box = try? AES.GCM.seal(plain, using: key, authenticating: context), let sealed = box.combined else {
            throw .cryptography
        }
        return try CustodyJSON.bytes(
            File(kind: File.kind, version: 1, officer: identity, scrypt: scrypt, sealed: HexBytes(Array(sealed)))
        )
    }

    /// Whose file it is, as far as it says itself; throws `.damaged`.
    package static func unverifiedIdentity(
        inFile bytes: [UInt8], at path: String
    ) throws(CeremonyError)
        -> OfficerIdentity
    {
        try read(bytes, at: path).officer
    }

    /// The officer in a credential file; throws `.passphraseRefused` and `.damaged`.
    package static func open(
        file bytes: [UInt8], at path: String, under words: LockedBytes
    ) throws(CeremonyError) -> Officer {
        let file = try read(bytes, at: path)
        let key = try file.scrypt.key(from: words)
        guard let box = try? AES.GCM.SealedBox(combined: file.sealed.bytes),
            var plain = try? AES.GCM.open(box, using: key, authenticating: File.context(file.officer, file.scrypt))
        else { throw .passphraseRefused(officer: file.officer.name) }
        defer { plain.resetBytes(in: plain.startIndex..<plain.endIndex) }
        guard plain.count == 64, let signing = try? P256.Signing.PrivateKey(rawRepresentation: plain.prefix(32)),
            let agreement = try? P256.KeyAgreement.PrivateKey(rawRepresentation: plain.suffix(32))
        else { throw .damaged(path: path, what: "it holds no keys") }
        let officer = Officer(name: file.officer.name, signing: signing, agreement: agreement)
        guard officer.identity == file.officer else { throw .damaged(path: path, what: "its keys do not fit") }
        return officer
    }

    private static func read(_ bytes: [UInt8], at path: String) throws(CeremonyError) -> File {
        let file = try CustodyJSON.value(File.self, from: bytes, at: path)
        guard file.kind == File.kind, file.version == 1 else {
            throw .damaged(path: path, what: "it is no officer's file of this release")
        }
        try OfficerIdentity.check(name: file.officer.name)
        return file
    }
}
