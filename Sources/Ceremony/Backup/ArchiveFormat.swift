internal import Crypto
internal import Foundation
import HPKI

/// What stands before the sealed part of a backup, readable by anyone.
package struct ArchiveHeader: Sendable, Hashable, Codable {
    package let version: Int
    /// 16 random bytes.
    package let id: HexBytes
    /// The name of the instance's audit log.
    package let instance: String
    /// RFC 3339, UTC.
    package let made: String
    /// Seconds since 1970 after which the archive is to be deleted.
    package let keepUntil: Int64
    /// How many records the audit log had, and the root over them.
    package let treeSize: UInt64
    package let treeRoot: HexBytes
    /// The archive's key, for any two officers.
    package let key: Envelope
}

/// The names and sums of everything in a backup.
struct ArchiveManifest: Sendable, Hashable, Codable {
    struct File: Sendable, Hashable, Codable {
        /// Relative to the instance's home.
        let path: String
        let size: Int64
        let sha256: HexBytes
    }

    let archive: HexBytes
    let files: [File]

    /// What the instance signs.
    static func message(_ header: [UInt8], _ manifest: [UInt8]) -> [UInt8] {
        Array("shirushi/backup/1\n".utf8) + sha256(header) + manifest
    }
}

/// The framing of a backup (docs/backup.md): magic, header, then frames of AES-256-GCM up to one that says it is last.
enum ArchiveFormat {
    static let magic = Array("SHIRUSHI-BACKUP\n".utf8)
    static let headerLimit = 1 << 20
    /// Plain bytes of a frame, except the last.
    static let frameBytes = 1 << 18
    static let tagBytes = 16
    static let more: UInt8 = 1
    static let last: UInt8 = 2

    /// Tells the parts of the plain stream apart.
    static let fileMark: UInt8 = 1
    static let endMark: UInt8 = 2

    /// Each frame has a place of its own: none can be moved, left out or put in another archive.
    static func seal(
        _ plain: [UInt8], _ index: UInt64, _ kind: UInt8, _ key: SymmetricKey, header: [UInt8]
    ) throws(CeremonyError) -> [UInt8] {
        guard let nonce = try? AES.GCM.Nonce(data: nonce(index)),
            let box = try? AES.GCM.seal(
                plain, using: key, nonce: nonce, authenticating: context(index, kind, header))
        else { throw .cryptography }
        return Array(box.ciphertext) + Array(box.tag)
    }

    static func open(
        _ sealed: [UInt8], _ index: UInt64, _ kind: UInt8, _ key: SymmetricKey, header: [UInt8]
    ) throws(CeremonyError) -> [UInt8] {
        guard let nonce = try? AES.GCM.Nonce(data: nonce(index)),
            let box = try? AES.GCM.SealedBox(
                nonce: nonce, ciphertext: sealed.dropLast(tagBytes), tag: sealed.suffix(tagBytes)),
            let plain = try? AES.GCM.open(box, using: key, authenticating: context(index, kind, header))
        else { throw .archiveRefused("frame \(index) was altered") }
        return Array(plain)
    }

    private static func nonce(_ index: UInt64) -> [UInt8] {
        var writer = WireWriter(capacity: 12)
        writer.raw([0, 0, 0, 0])
        writer.integer(index)
        return writer.bytes
    }

    private static func context(_ index: UInt64, _ kind: UInt8, _ header: [UInt8]) -> [UInt8] {
        var writer = WireWriter(capacity: 64)
        writer.raw(sha256(header))
        writer.integer(index)
        writer.uint8(kind)
        return writer.bytes
    }
}
