package import HPKI
import Host
import JOSE
package import Storage
package import Transparency

/// A log with all its details as files, which hold together without the instance (`docs/audit-format.md`, "Archive").
///
/// `log/` has the tree as C2SP tiles, `records.jsonl` is a complete export under the same checkpoint.
package enum LogArchive {
    static let log = "log"
    static let records = "records.jsonl"

    /// Where an archive ends.
    package struct End: Sendable {
        package let checkpoint: Checkpoint
        let note: SignedNote
        let header: [UInt8]
    }

    /// The newest signed checkpoint of which no record is of `until` or later; nil where there is none.
    ///
    /// Throws what reading throws.
    package static func end(
        _ database: Database, origin: String, keys: [NoteKey], until: Instant?, isCosigned: Bool = false
    ) throws -> End? {
        try database.readBlocking { connection in
            let end = try until.map { try first(from: $0, in: connection) } ?? .max
            let choice = LogEvidence.Choice.before(end, isCosigned: isCosigned)
            guard let evidence = try LogEvidence(origin: origin, keys: keys, choice, in: connection) else {
                return nil
            }
            return End(
                checkpoint: evidence.checkpoint, note: evidence.note,
                header: evidence.fileHeader(isComplete: true).bytes)
        }
    }

    /// The first record whose detail the log has and an archive of it does not; nil where there is none.
    package static func firstMissing(_ contents: Contents, in connection: any SQLConnection) throws -> UInt64? {
        for range in contents.erased.ranges {
            let row = try connection.queryOne(
                """
                SELECT MIN(sequence) AS first FROM audit_entry
                WHERE sequence >= $1 AND sequence <= $2 AND detail IS NOT NULL
                """,
                [.integer(Int64(clamping: range.lowerBound)), .integer(Int64(clamping: range.upperBound))])
            if let first = try row?.optionalInteger("first") { return UInt64(clamping: first) }
        }
        return nil
    }

    /// The number of the first record of `time` or later; times of a log never go back.
    private static func first(from time: Instant, in connection: any SQLConnection) throws -> UInt64 {
        var (low, high) = (UInt64(0), try AuditStanding.read(in: connection).size)
        while low < high {
            let middle = low + (high - low) / 2
            let entry = try AuditReader.entries(from: middle, limit: 1, in: connection).first
            if let entry, entry.leaf.time < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Writes an archive into a folder that it makes, in short transactions beside the log's writer; blocks.
    ///
    /// All of it is on the disk afterwards. `progress` is told how many of how many records are done.
    package static func write(
        _ end: End, of database: Database, to folder: String, progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws {
        let size = end.checkpoint.size
        let tree = TreeWriter("\(folder)/\(log)")
        try Files.makeFolder(folder)
        let sink = try FileSink(creating: "\(folder)/\(records)")
        try sink.write(end.header + [0x0A])
        let (tiles, bundles) = TileExport.places(size)
        for bundle in bundles {
            let (file, lines) = try database.readBlocking { connection in
                let entries = try AuditReader.entries(
                    from: bundle.number << 8, limit: bundle.width, in: connection)
                let lines = entries.map { entry in
                    EvidenceRecord(leaf: entry.leaf, openings: entry.detail?.openings ?? [], proof: nil).json.bytes
                }
                return (try TileExport.bundle(bundle, in: connection), lines)
            }
            try tree.write(file)
            try sink.write(Array(lines.map { $0 + [0x0A] }.joined()))
            progress(bundle.number << 8 + UInt64(bundle.width), size)
        }
        for tile in tiles { try tree.write(try database.readBlocking { try TileExport.tile(tile, in: $0) }) }
        try sink.finish()
        // Last, so that a folder with a checkpoint is whole.
        try tree.write(TileExport.File(path: "checkpoint", bytes: Array(end.note.encoded.utf8)))
    }
}
