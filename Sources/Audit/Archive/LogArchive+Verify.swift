import HPKI
import Host
package import Transparency

extension LogArchive {
    /// What an archive holds, once all of it was checked.
    package struct Contents: Sendable {
        package let checkpoint: Checkpoint
        /// Records whose details were erased before the archive was made.
        package let erased: SequenceRanges
    }

    /// Reads an archive and checks all of it against a checkpoint that one of `keys` signed; blocks.
    ///
    /// `progress` is told how many of how many records are done. Throws `EvidenceFault`, naming the file or the record.
    package static func verify(
        _ folder: String, keys: [NoteKey], progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(EvidenceFault) -> Contents {
        let (note, checkpoint) = try checkpoint(folder, keys)
        let lines = try Lines("\(folder)/\(records)")
        guard let first = try lines.next() else { throw EvidenceFault("\(records) is empty") }
        let header = try EvidenceHeader(first, origin: checkpoint.origin)
        guard header.isComplete, header.unverifiedNote == note else {
            throw EvidenceFault("\(records) is not the complete export of the checkpoint in \(log)")
        }

        var state = LogState()
        var edge = TileEdge()
        var erased = SequenceRanges()
        for bundle in TileExport.places(checkpoint.size).bundles {
            var content = WireReader(try read(folder, Tile.bundlePath(bundle.number, width: bundle.width)))
            for _ in 0..<bundle.width {
                let sequence = state.tree.size
                guard let length: UInt16 = try? content.integer(), let leaf = try? content.raw(Int(length)) else {
                    throw EvidenceFault("the bundle of record \(sequence) ends before it")
                }
                let record = try self.record(sequence, try lines.next(), leaf, &state)
                if record.isErased { erased.append(sequence) }
                for (tile, hashes) in edge.append(MerkleTree.leafHash(leaf)) where tile.width == Tile.fullWidth {
                    try check(tile, hashes, folder)
                }
            }
            guard content.remaining == 0 else {
                throw EvidenceFault("the bundle of record \(bundle.number << 8) has more than its records")
            }
            progress(state.tree.size, checkpoint.size)
        }
        for (level, hashes) in edge.levels.enumerated() where !hashes.isEmpty {
            let number = checkpoint.size >> (8 * UInt64(level) + 8)
            try check(Tile(level: level, number: number, width: hashes.count / 32), hashes, folder)
        }
        guard state.tree.root == checkpoint.root else {
            throw EvidenceFault("its \(checkpoint.size) records do not give the checkpoint's root")
        }
        guard try lines.next() == nil else { throw EvidenceFault("\(records) has more than the checkpoint's records") }
        return Contents(checkpoint: checkpoint, erased: erased)
    }

    private static func checkpoint(
        _ folder: String, _ keys: [NoteKey]
    ) throws(EvidenceFault) -> (note: String, Checkpoint) {
        let bytes = try read(folder, "checkpoint")
        do {
            let note = try SignedNote(bytes)
            return (note.encoded, try Checkpoint(note, signedBy: keys))
        } catch {
            throw EvidenceFault("its checkpoint is signed by no key that was given, or cannot be read: \(error)")
        }
    }

    /// The next record, which must be that of the leaf and follow those before it.
    private static func record(
        _ sequence: UInt64, _ line: [UInt8]?, _ bytes: [UInt8], _ state: inout LogState
    ) throws(EvidenceFault) -> EvidenceRecord {
        guard let line else { throw EvidenceFault("record \(sequence) and later are missing in \(records)") }
        let record: EvidenceRecord
        do { record = try EvidenceRecord(completeLine: line) } catch {
            throw EvidenceFault("record \(sequence) \(error)")
        }
        let leaf = record.leaf
        guard leaf.bytes == bytes, leaf.sequence == sequence else {
            throw EvidenceFault("record \(sequence) is another one in \(records) than in \(log)")
        }
        guard leaf.time >= state.time, state.note(leaf) else {
            throw EvidenceFault("record \(sequence) does not follow from those before it")
        }
        state.time = leaf.time
        state.tree.append(hash: MerkleTree.leafHash(bytes))
        return record
    }

    private static func check(_ tile: Tile, _ hashes: [UInt8], _ folder: String) throws(EvidenceFault) {
        guard try read(folder, tile.path) == hashes else {
            throw EvidenceFault("\(log)/\(tile.path) is not that of its records")
        }
    }

    private static func read(_ folder: String, _ path: String) throws(EvidenceFault) -> [UInt8] {
        do { return try Files.read("\(folder)/\(log)/\(path)", atMost: 1 << 19) } catch {
            throw EvidenceFault("\(log)/\(path) cannot be read: \(error)")
        }
    }
}

/// The lines of a file without their ends; a record has at most 32 fields of 8192 bytes.
private final class Lines {
    private static let longest = 1 << 20

    private let path: String
    private let source: FileSource
    private var buffer: [UInt8] = []
    private var position = 0

    init(_ path: String) throws(EvidenceFault) {
        self.path = path
        do { source = try FileSource(path) } catch { throw EvidenceFault("\(path) cannot be read: \(error)") }
    }

    /// The next line; nil behind the last.
    func next() throws(EvidenceFault) -> [UInt8]? {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { position = end + 1 }
                return Array(buffer[position..<end])
            }
            searched = buffer.count - position
            buffer.removeFirst(position)
            position = 0
            guard buffer.count <= Self.longest else { throw EvidenceFault("\(path) has a line that is too long") }
            let more: [UInt8]
            do { more = try source.read(1 << 16) } catch { throw EvidenceFault("\(path) cannot be read: \(error)") }
            guard !more.isEmpty else {
                guard buffer.isEmpty else { throw EvidenceFault("\(path) ends within a line") }
                return nil
            }
            buffer += more
        }
    }
}
