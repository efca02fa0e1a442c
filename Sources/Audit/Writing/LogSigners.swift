import HPKI
internal import Synchronization
package import Transparency

/// The keys that sign the log's checkpoints now: one, and a second while one takes over from the other.
package final class LogSigners: Sendable {
    /// The most keys that sign at once.
    package static let most = 4

    private let origin: String
    private let signers: Mutex<[NoteSigner]>

    /// Takes the seeds one behind the other, 32 bytes each, oldest first; throws `.unreadable` for other bytes, and for
    /// an origin that no note may bear as a name.
    package init(origin: String, seeds: [UInt8]) throws(AuditError) {
        guard !seeds.isEmpty, seeds.count % 32 == 0, seeds.count / 32 <= Self.most else {
            throw .unreadable("the file of checkpoint keys has \(seeds.count) bytes instead of 32 for each key")
        }
        var found: [NoteSigner] = []
        for start in stride(from: 0, to: seeds.count, by: 32) {
            guard let signer = NoteSigner(name: origin, seed: Array(seeds[start..<start + 32])) else {
                throw .unreadable("the log's origin has spaces or plus signs: \(origin)")
            }
            found.append(signer)
        }
        self.origin = origin
        signers = Mutex(found)
    }

    /// The keys, oldest first, as verifiers need them.
    package var keys: [NoteKey] { signers.withLock { $0.map(\.key) } }

    /// Signs from the next commit on with `seed` too; throws `.unreadable` where there are too many keys already.
    func add(_ seed: [UInt8]) throws(AuditError) {
        guard let signer = NoteSigner(name: origin, seed: seed) else { throw .unreadable("a seed has 32 bytes") }
        try signers.withLock { (signers) throws(AuditError) in
            guard signers.count < Self.most else { throw .unreadable("there are \(Self.most) keys already") }
            signers.append(signer)
        }
    }

    /// Signs with `key` no more; false where it is the only one or none of them.
    func retire(_ key: NoteKey) -> Bool {
        signers.withLock { signers in
            guard signers.count > 1, let index = signers.firstIndex(where: { $0.key == key }) else { return false }
            signers.remove(at: index)
            return true
        }
    }

    /// Signs the checkpoint of a head.
    func sign(_ head: TreeHead, at time: Instant) throws(AuditError) -> SignedNote {
        let signers = signers.withLock { $0 }
        let checkpoint = Checkpoint(origin: origin, size: head.size, root: head.root)
        guard let note = checkpoint.signed(by: signers, at: time) else {
            throw .unreadable("a checkpoint key gave no signature")
        }
        return note
    }
}

/// How the signatures of a commit's checkpoint are kept beside it; the note's text follows from the commit.
enum StoredSignatures {
    static func bytes(_ signatures: [SignedNote.Signature]) -> [UInt8] {
        var writer = WireWriter(capacity: 128)
        writer.list(signatures) {
            $0.text($1.name)
            $0.integer($1.keyID)
            $0.data($1.value)
        }
        return writer.bytes
    }

    static func read(_ bytes: [UInt8]) throws(WireError) -> [SignedNote.Signature] {
        var reader = WireReader(bytes)
        let signatures = try reader.list(atMost: 16) { (reader) throws(WireError) in
            SignedNote.Signature(
                name: try reader.text(atMost: 255), keyID: try reader.integer(), value: try reader.data(atMost: 256))
        }
        try reader.end()
        return signatures
    }
}
