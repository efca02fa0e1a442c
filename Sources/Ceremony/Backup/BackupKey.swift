internal import Crypto
import HPKI
import Host

/// The key under which an instance signs its backups: its public half stands in a protocol that the officers signed,
/// so officers who restore can tell a backup of theirs from one that a stranger sealed to them.
struct BackupKey: Sendable {
    private let key: P256.Signing.PrivateKey

    /// Uncompressed point.
    var publicKey: [UInt8] { Array(key.publicKey.x963Representation) }

    /// The key in a file, made where there is none; throws `.damaged` and `.host`.
    static func make(at path: String) throws(CeremonyError) -> BackupKey {
        if !Files.exists(path) {
            var bytes = Array(P256.Signing.PrivateKey().rawRepresentation)
            defer { bytes.erase() }
            let fresh = bytes
            try hosted { () throws(HostError) in try SecretFile.write(fresh, to: path) }
        }
        return try open(at: path)
    }

    static func open(at path: String) throws(CeremonyError) -> BackupKey {
        let secret = try hosted { () throws(HostError) in try SecretFile.read(path, atMost: 64) }
        var bytes = secret.copiedBytes
        defer { bytes.erase() }
        guard let key = try? P256.Signing.PrivateKey(rawRepresentation: bytes) else {
            throw .damaged(path: path, what: "it is no key on P-256")
        }
        return BackupKey(key: key)
    }

    func sign(_ message: [UInt8]) throws(CeremonyError) -> [UInt8] {
        guard let signature = try? key.signature(for: message) else { throw .cryptography }
        return Array(signature.rawRepresentation)
    }

    /// Whether `signature` over `message` was made with the private half of `publicKey`; throws `.archiveRefused`.
    static func verify(_ signature: [UInt8], over message: [UInt8], by publicKey: [UInt8]) throws(CeremonyError) {
        guard let key = try? P256.Signing.PublicKey(x963Representation: publicKey),
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature),
            key.isValidSignature(signature, for: message)
        else { throw .archiveRefused("the instance whose officers signed its protocols did not sign it") }
    }
}
