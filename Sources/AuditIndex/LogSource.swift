package import Audit
import HPKI
package import Storage

/// The log's tables as the index reads them: committed rows, in short transactions, so that the writer never waits.
package struct LogSource: Sendable {
    private let database: Database

    /// The tables of core's database.
    package init(_ database: Database) {
        self.database = database
    }

    /// One row as it stands.
    struct Row: Sendable {
        let sequence: UInt64
        let leaf: [UInt8]
        let detail: [UInt8]?

        /// The record; throws `.storage` for a leaf that cannot be read: no new index helps a broken log.
        func record() throws(AuditIndexError) -> IndexedRecord {
            guard let leaf = try? Leaf(leaf), leaf.sequence == sequence else {
                throw .storage("record \(sequence) of the log cannot be read")
            }
            return IndexedRecord(leaf, detail.flatMap { try? Detail($0) })
        }
    }

    /// How many records there are; blocks.
    func size() throws(AuditIndexError) -> UInt64 {
        try read { connection in
            let newest = try connection.queryOne("SELECT MAX(sequence) AS newest FROM audit_entry")
            return try newest?.optionalInteger("newest").map { UInt64(clamping: $0) + 1 } ?? 0
        }
    }

    /// At most `limit` records from `sequence` on; blocks.
    func rows(from sequence: UInt64, limit: Int) throws(AuditIndexError) -> [Row] {
        try read { try Self.rows(from: sequence, limit: limit, in: $0) }
    }

    /// How many records before `end` have no detail; blocks.
    func erasedCount(before end: UInt64) throws(AuditIndexError) -> Int64 {
        try read { connection in
            try connection.queryOne(
                "SELECT COUNT(*) AS n FROM audit_entry WHERE detail IS NULL AND sequence < $1",
                [.integer(Int64(clamping: end))]
            )?.integer("n") ?? 0
        }
    }

    /// At most `limit` records without detail behind `sequence`; blocks.
    func erased(after sequence: Int64, limit: Int) throws(AuditIndexError) -> [Int64] {
        try read { connection in
            try connection.query(
                "SELECT sequence FROM audit_entry WHERE detail IS NULL AND sequence > $1 ORDER BY sequence LIMIT $2",
                [.integer(sequence), .integer(Int64(limit))]
            ).map { try $0.integer("sequence") }
        }
    }

    private static func rows(
        from sequence: UInt64, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [Row] {
        var rows: [Row] = []
        let found = try connection.query(
            "SELECT sequence, leaf, detail FROM audit_entry WHERE sequence >= $1 ORDER BY sequence LIMIT $2",
            [.integer(Int64(clamping: sequence)), .integer(Int64(limit))]
        )
        for row in found {
            rows.append(
                Row(
                    sequence: UInt64(clamping: try row.integer("sequence")), leaf: try row.blob("leaf"),
                    detail: try row.optionalBlob("detail")))
        }
        return rows
    }

    /// The records of these numbers, those that there are; `work` is done in one reading transaction.
    package func entries(_ sequences: [UInt64]) async throws(AuditIndexError) -> [UInt64: AuditReader.Entry] {
        do {
            return try await database.read { connection in
                var entries: [UInt64: AuditReader.Entry] = [:]
                for sequence in sequences {
                    let entry = try AuditReader.entries(from: sequence, limit: 1, in: connection).first
                    if let entry, entry.leaf.sequence == sequence { entries[sequence] = entry }
                }
                return entries
            }
        } catch { throw AuditIndexError(error) }
    }

    private func read<Value>(_ work: (any SQLConnection) throws -> Value) throws(AuditIndexError) -> Value {
        do { return try database.readBlocking(work) } catch { throw AuditIndexError(error) }
    }
}
