import HPKI
import Storage
import Transparency

/// How far a log was hashed, and what did not hold.
struct AuditScan: Sendable {
    let key: LogKey
    var state = LogState()
    /// Sizes with the roots that the log must have there: the head's own, and those of checkpoints kept elsewhere.
    var heads: [TreeHead] = []
    /// A report reads details and tiles too; a start has no use for them.
    var isWhole = false
    /// The keys whose signatures under commits' checkpoints must hold.
    var keys: [NoteKey] = []
    /// Where a report ends; nil for a start, which reads all there is.
    var end: UInt64?
    /// How many commits' checkpoints were checked.
    private(set) var checkpoints: UInt64 = 0
    var faults: [String] = []
    /// How many details are gone.
    private(set) var erased: UInt64 = 0
    /// Records without detail of whose erasure nothing has told so far.
    private var untold = SequenceRanges()
    private var edge = TileEdge()
    /// The records before this one are those that were committed.
    private var held: UInt64
    /// What records say of each other and cannot be; an altered record may have others blamed, so that the commit that it
    /// is in is told first.
    private var contradictions: [String] = []
    /// Whether a commit's checkpoint was signed so far.
    private var isSigned = false
    /// The keys of witnesses whose cosignatures must hold.
    var witnesses: [NoteKey] = []
    /// The keys that signed earlier and were retired; nil as long as no signature asked for them.
    private var retired: RetiredKeys?

    init(
        key: LogKey, state: LogState = LogState(), heads: [TreeHead] = [], isWhole: Bool = false, keys: [NoteKey] = []
    ) {
        self.key = key
        self.state = state
        held = state.tree.size
        self.heads = heads
        self.isWhole = isWhole
        self.keys = keys
    }

    /// Reports name so many faults at most: one tells that the log is broken.
    private static let faultLimit = 100

    /// The size of the newest commit.
    static func committed(_ connection: any SQLConnection) throws(StorageError) -> UInt64 {
        let newest = try connection.queryOne("SELECT MAX(size) AS size FROM audit_commit")?.optionalInteger("size")
        return UInt64(clamping: newest ?? 0)
    }

    /// Hashes the next thousand records of those before `end`; false once there are none or too many faults.
    mutating func advance(upTo end: UInt64, _ connection: any SQLConnection) throws(StorageError) -> Bool {
        let size = state.tree.size
        let rows = try connection.query(
            // Details are most of a record.
            """
            SELECT sequence, leaf, \(isWhole ? "detail" : "NULL AS detail") FROM audit_entry
            WHERE sequence >= $1 ORDER BY sequence LIMIT $2
            """,
            [.integer(Int64(size)), .integer(Int64(min(1000, end - min(end, size))))]
        )
        guard !rows.isEmpty else { return endContradictions() }
        let commits = try commits(after: size, count: rows.count, in: connection)
        for row in rows {
            guard faults.count + contradictions.count < Self.faultLimit else { return endContradictions() }
            let sequence = UInt64(clamping: try row.integer("sequence"))
            guard sequence == state.tree.size else {
                faults.append("record \(state.tree.size) is missing")
                return endContradictions()
            }
            let leaf = try row.blob("leaf")
            try take(leaf, sequence, connection)
            if isWhole { check(try row.optionalBlob("detail"), of: leaf, sequence) }
            if let commit = commits[state.tree.size] { try check(commit, connection) }
            // Behind the commit, whose fault says more closely where.
            checkHeads()
        }
        return true
    }

    /// The last commit's contradictions, where no commit comes behind them; false, as nothing does.
    private mutating func endContradictions() -> Bool {
        faults += contradictions
        contradictions = []
        return false
    }

    private struct Commit {
        let root: [UInt8]
        let seal: [UInt8]
        let signatures: [UInt8]?
    }

    private func commits(
        after size: UInt64, count: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [UInt64: Commit] {
        var commits: [UInt64: Commit] = [:]
        let rows = try connection.query(
            "SELECT size, root, seal, signatures FROM audit_commit WHERE size > $1 AND size <= $2",
            [.integer(Int64(size)), .integer(Int64(size) + Int64(count))]
        )
        for row in rows {
            commits[UInt64(clamping: try row.integer("size"))] = Commit(
                root: try row.blob("root"), seal: try row.blob("seal"),
                signatures: try row.optionalBlob("signatures"))
        }
        return commits
    }

    private mutating func take(
        _ bytes: [UInt8], _ sequence: UInt64, _ connection: any SQLConnection
    ) throws(StorageError) {
        let hash = MerkleTree.leafHash(bytes)
        state.tree.append(hash: hash)
        if isWhole { try takeTile(hash, connection) }
        guard let leaf = try? Leaf(bytes) else {
            faults.append("record \(sequence) cannot be read")
            return
        }
        if leaf.sequence != sequence { faults.append("record \(sequence) calls itself \(leaf.sequence)") }
        if leaf.time < state.time { contradictions.append("record \(sequence) is older than the one before it") }
        state.time = max(state.time, leaf.time)
        guard !state.note(leaf) else { return }
        contradictions.append(
            leaf.intent.map { "record \(sequence) closes \($0), which is no open intent" }
                ?? "record \(sequence) is an outcome of no intent")
    }

    /// The stored tiles must be those that the leaves give.
    private mutating func takeTile(_ hash: [UInt8], _ connection: any SQLConnection) throws(StorageError) {
        for (tile, hashes) in edge.append(hash) where tile.width == Tile.fullWidth {
            guard try TileTable.hashes(at: tile, in: connection) != hashes else { continue }
            faults.append("the tile \(tile.path) is not that of its records")
        }
    }

    private mutating func check(_ commit: Commit, _ connection: any SQLConnection) throws(StorageError) {
        let head = state.head
        if commit.root != head.root || !head.holds(commit.seal, by: key) {
            let place = head.size - held < 2 ? "record \(held)" : "one of the records \(held) to \(head.size - 1)"
            faults.append(
                "the commit of the records up to \(head.size) does not hold: \(place), or the commit, was altered")
        } else {
            held = head.size
        }
        _ = endContradictions()
        guard !keys.isEmpty else { return }
        guard let signatures = commit.signatures else {
            // Commits of a release that did not sign yet are at the beginning alone.
            if isSigned { faults.append("the checkpoint of the records up to \(head.size) has lost its signatures") }
            return
        }
        isSigned = true
        try check(signatures, of: head, connection)
    }

    /// Every signature that is kept with a commit must be one of the log's keys' over its checkpoint.
    private mutating func check(
        _ signatures: [UInt8], of head: TreeHead, _ connection: any SQLConnection
    ) throws(StorageError) {
        guard let signatures = try? StoredSignatures.read(signatures), !signatures.isEmpty else {
            faults.append("the signatures of the records up to \(head.size) cannot be read")
            return
        }
        let text = Checkpoint(origin: keys[0].name, size: head.size, root: head.root).text
        let note = SignedNote(text: text, signatures: signatures)
        var known = keys
        if !signatures.allSatisfy({ $0.isBy(keys) }) {
            if retired == nil { retired = try RetiredKeys(in: connection) }
            known += retired?.keys ?? []
            guard signatures.allSatisfy({ $0.isBy(known) }) else {
                faults.append(
                    "the checkpoint of the records up to \(head.size) is signed by a key that the log never had")
                return
            }
        }
        do {
            _ = try note.signers(among: known)
            checkpoints += 1
        } catch {
            faults.append("the checkpoint of the records up to \(head.size) is not signed by the log's key")
        }
    }

    /// The root must be what each head of this size says.
    mutating func checkHeads() {
        for (index, head) in heads.enumerated() where head.size == state.tree.size && head.root != state.tree.root {
            faults.append(
                index == 0
                    ? "the records up to \(head.size) do not give the root that the head holds"
                    : "the records up to \(head.size) do not give the root of the saved checkpoint: "
                        + "this log is not the one that was checkpointed")
        }
    }

    private mutating func check(_ detail: [UInt8]?, of bytes: [UInt8], _ sequence: UInt64) {
        guard let detail else {
            // What never had a field has nothing to erase.
            guard let leaf = try? Leaf(bytes), !leaf.commitments.isEmpty else { return }
            erased += 1
            return untold.append(sequence)
        }
        guard let leaf = try? Leaf(bytes), let detail = try? Detail(detail) else {
            faults.append("the detail of record \(sequence) cannot be read")
            return
        }
        if detail.openings.map(\.commitment) != leaf.commitments {
            faults.append("the detail of record \(sequence) does not open the leaf's commitments")
        }
        if let told = ErasureRecord.records(toldBy: leaf, detail) { untold.subtract(told) }
    }

    /// A detail that is gone was erased by the log's writer, which recorded it; else somebody took evidence away.
    private mutating func checkErasures(_ connection: any SQLConnection) throws {
        // What was erased while the report ran is told of behind its end.
        var next = state.tree.size
        while !untold.isEmpty {
            let entries = try AuditReader.entries(from: next, limit: 1000, in: connection)
            for entry in entries {
                if let told = ErasureRecord.records(toldBy: entry.leaf, entry.detail) { untold.subtract(told) }
            }
            guard let last = entries.last else { break }
            next = last.leaf.sequence + 1
        }
        for gone in untold.ranges.prefix(Self.faultLimit) {
            let records =
                gone.lowerBound == gone.upperBound
                ? "record \(gone.lowerBound)" : "records \(gone.lowerBound) to \(gone.upperBound)"
            faults.append("the detail of \(records) is gone, and no record tells of its erasure")
        }
    }

    /// The records end where the newest commit says, and not before a head.
    mutating func checkEnd(_ connection: any SQLConnection) throws {
        let size = state.tree.size
        // No reader comes past these rows, so nothing else would tell of them.
        if try connection.queryOne("SELECT sequence FROM audit_entry WHERE sequence < 0 LIMIT 1") != nil {
            faults.append("a record has a number below 0")
        }
        if let commit = try connection.queryOne("SELECT size FROM audit_commit WHERE size <= 0 LIMIT 1") {
            faults.append("a commit counts \(try commit.integer("size")) records")
        }
        for head in heads.dropFirst() where head.size > size {
            faults.append(
                "the saved checkpoint counts \(head.size) records, and the log has \(size): it was rolled back")
        }
        // A report runs beside the writer: what was committed since it began is not its concern.
        let committed = try Self.committed(connection)
        let counted = max(heads.first?.size ?? 0, end ?? committed)
        let newest = try connection.queryOne("SELECT MAX(sequence) AS newest FROM audit_entry")?
            .optionalInteger("newest")
        if size < counted {
            faults.append("record \(size) and later are missing: \(counted) records were committed")
        } else if let newest, UInt64(clamping: newest) >= committed {
            faults.append("record \(committed) and later belong to no commit")
        } else if newest.map({ UInt64(clamping: $0) + 1 }) ?? 0 < size {
            // Only where the records up to the mark end a full tile: nothing reads the newest of them then.
            let next = newest.map { UInt64(clamping: $0) + 1 } ?? 0
            faults.append("record \(next) and later are missing: \(size) records were committed")
        }
        if isWhole {
            try checkTileEnd(connection)
            try checkErasures(connection)
            if !keys.isEmpty, !isSigned, size > 0 { faults.append("no checkpoint of the log is signed") }
            try checkCosignatures(connection)
        }
    }

    /// What the configured witnesses are said to have cosigned, they must have.
    private mutating func checkCosignatures(_ connection: any SQLConnection) throws {
        guard let origin = keys.first?.name else { return }
        let rows = try connection.query(
            """
            SELECT s.size AS size, s.witness AS witness, s.key_id AS key_id, s.value AS value, c.root AS root
            FROM audit_cosignature s LEFT JOIN audit_commit c ON c.size = s.size ORDER BY s.size
            """)
        for row in rows {
            let (name, id) = (try row.text("witness"), UInt32(clamping: try row.integer("key_id")))
            guard let key = witnesses.first(where: { $0.name == name && $0.keyID == id }) else { continue }
            let size = UInt64(clamping: try row.integer("size"))
            let holds = try row.optionalBlob("root").map { root in
                key.holds(try row.blob("value"), over: Checkpoint(origin: origin, size: size, root: root).text)
            }
            guard holds != true else { continue }
            faults.append("the cosignature by \(name) of the records up to \(size) does not hold")
        }
    }

    private mutating func checkTileEnd(_ connection: any SQLConnection) throws(StorageError) {
        let size = state.tree.size
        for level in 1..<8 {
            let tile = TileEdge.tile(level, of: size)
            guard tile.width > 0, level < edge.levels.count else { continue }
            guard try TileTable.read(tile, in: connection) != edge.levels[level] else { continue }
            faults.append("the tile \(tile.path) is not that of its records")
        }
    }
}
