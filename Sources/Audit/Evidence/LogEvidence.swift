import HPKI
package import JOSE
package import Storage
package import Transparency

/// What leaves a log: its checkpoint, and records with the proofs that they are in it.
///
/// All of it is public knowledge of the format: whoever has it can check it with no help from the instance.
package struct LogEvidence {
    /// The newest checkpoint, which every proof is made for.
    package let checkpoint: Checkpoint
    /// The checkpoint with the signatures of the log and of witnesses.
    package let note: SignedNote
    /// The checkpoint with the log's signatures alone, as it goes to witnesses.
    package let ownNote: SignedNote
    /// The keys whose signatures the log puts under it.
    package let keys: [NoteKey]
    private let connection: any SQLConnection
    private var tree: TiledTree<StorageError>

    /// Which of the log's checkpoints the evidence is to be under.
    package enum Choice: Sendable, Hashable {
        case newest
        /// The newest one that a witness cosigned, if it has this record; else the newest.
        case cosigned(with: UInt64)
        /// That of the commit that ended with so many leaves.
        case size(UInt64)
        /// The newest that has no record from this one on, and that a witness cosigned where that is asked for.
        case before(UInt64, isCosigned: Bool = false)
    }

    /// The evidence under a commit that is signed, within one read transaction; nil for a log without such a one.
    ///
    /// Throws what reading throws, and `WireError` for signatures that cannot be read.
    package init?(
        origin: String, keys: [NoteKey], _ choice: Choice = .newest, in connection: any SQLConnection
    ) throws {
        guard let row = try Self.commit(choice, in: connection) else { return nil }
        let checkpoint = Checkpoint(
            origin: origin, size: UInt64(clamping: try row.integer("size")), root: try row.blob("root"))
        let own = try StoredSignatures.read(try row.blob("signatures"))
        let cosignatures = try CosignatureTable.all(size: checkpoint.size, in: connection)
        self.checkpoint = checkpoint
        self.keys = keys
        self.connection = connection
        ownNote = SignedNote(text: checkpoint.text, signatures: own)
        note = SignedNote(text: checkpoint.text, signatures: own + cosignatures)
        tree = TiledTree(size: checkpoint.size) { tile throws(StorageError) in
            try TileTable.read(tile, in: connection)
        }
    }

    private static func commit(_ choice: Choice, in connection: any SQLConnection) throws -> SQLRow? {
        let columns = "SELECT size, root, signatures FROM audit_commit WHERE signatures IS NOT NULL"
        switch choice {
        case .newest:
            return try connection.queryOne("\(columns) ORDER BY size DESC LIMIT 1")
        case .size(let size):
            return try connection.queryOne("\(columns) AND size = $1", [.integer(Int64(clamping: size))])
        case .before(let end, let isCosigned):
            let cosigned = isCosigned ? " AND size IN (SELECT size FROM audit_cosignature)" : ""
            return try connection.queryOne(
                "\(columns)\(cosigned) AND size <= $1 ORDER BY size DESC LIMIT 1", [.integer(Int64(clamping: end))])
        case .cosigned(let sequence):
            let row = try connection.queryOne(
                "\(columns) AND size IN (SELECT size FROM audit_cosignature WHERE size > $1) ORDER BY size DESC LIMIT 1",
                [.integer(Int64(clamping: sequence))])
            return try row ?? commit(.newest, in: connection)
        }
    }

    /// The record at `sequence` with its proof; nil where the checkpoint's tree does not have it.
    ///
    /// Throws what reading
    /// throws, and a tree's fault where tiles are missing.
    package mutating func record(_ sequence: UInt64, withProof: Bool = true) throws -> EvidenceRecord? {
        guard sequence < checkpoint.size,
            let entry = try AuditReader.entries(from: sequence, limit: 1, in: connection).first,
            entry.leaf.sequence == sequence
        else { return nil }
        let proof = withProof ? try tree.inclusionProof(sequence, in: checkpoint.size) : nil
        return EvidenceRecord(leaf: entry.leaf, openings: entry.detail?.openings ?? [], proof: proof)
    }

    /// The proof that this tree begins with the one of `size` leaves; throws as `record` does.
    package mutating func consistencyProof(from size: UInt64) throws -> [[UInt8]] {
        try tree.consistencyProof(from: size, to: checkpoint.size)
    }

    /// The root over the first `size` leaves; throws as `record` does.
    package mutating func root(_ size: UInt64) throws -> [UInt8] { try tree.root(size) }

    /// The keys that sign the log now, and those that it says were retired; reads the whole log, and throws what reading
    /// throws.
    package static func allKeys(_ current: [NoteKey], in connection: any SQLConnection) throws -> [NoteKey] {
        current + (try RetiredKeys(in: connection).keys)
    }

    /// The members that head an evidence file or a receipt.
    private func header(format: String) -> [JSONMember] {
        Self.header(format: format, origin: checkpoint.origin, note: note.encoded, keys: keys.map(\.text))
    }

    private static func header(format: String, origin: String, note: String, keys: [String]) -> [JSONMember] {
        [
            JSONMember("format", .string(format)),
            JSONMember("origin", .string(origin)),
            JSONMember("checkpoint", .string(note)),
            JSONMember("keys", .array(keys.map { .string($0) })),
        ]
    }

    /// The first line of an evidence file.
    package func fileHeader(isComplete: Bool) -> JSONValue {
        Self.fileHeader(
            origin: checkpoint.origin, note: note.encoded, keys: keys.map(\.text), isComplete: isComplete)
    }

    static func fileHeader(origin: String, note: String, keys: [String], isComplete: Bool) -> JSONValue {
        .object(
            header(format: EvidenceFormat.export, origin: origin, note: note, keys: keys)
                + [JSONMember("complete", .boolean(isComplete))])
    }

    /// One record with what proves it, in one object; nil where the checkpoint's tree does not have it.
    package mutating func document(of sequence: UInt64) throws -> JSONValue? {
        guard let record = try record(sequence) else { return nil }
        return .object(header(format: EvidenceFormat.export) + [JSONMember("records", .array([record.json]))])
    }

    /// The receipt of one signature: the records of its intent and its outcome in one tree; nil where one is missing.
    package mutating func receipt(intent: UInt64, outcome: UInt64) throws -> FoundReceipt? {
        guard let intent = try record(intent), let outcome = try record(outcome) else { return nil }
        guard !intent.isErased, !outcome.isErased else { return .erased }
        return .receipt(
            .object(
                header(format: EvidenceFormat.receipt)
                    + [JSONMember("records", .array([intent.json, outcome.json]))]))
    }
}

/// A signature's receipt, as far as its records still say what it is about.
package enum FoundReceipt: Sendable {
    case receipt(JSONValue)
    /// What the key was used on was erased; the leaves alone are no receipt.
    case erased
}

/// The names of the formats in which evidence leaves the log.
package enum EvidenceFormat {
    /// A file of records, one JSON object a line behind a header.
    package static let export = "shirushi-audit/1"
    /// The two records of one signature.
    package static let receipt = "shirushi-receipt/1"
}
