import HPKI
package import Storage

/// Reads entries for people.
package enum AuditReader {
    /// One entry with the fields that have not been erased.
    package struct Entry: Sendable {
        package let leaf: Leaf
        package let detail: Detail?
    }

    /// The entries from `sequence` on, at most `limit`; throws `.unreadable`.
    package static func entries(
        _ database: Database, from sequence: UInt64, limit: Int
    ) async throws(AuditError) -> [Entry] {
        do {
            return try await database.read { try entries(from: sequence, limit: limit, in: $0) }
        } catch { throw .unreadable("\(error)") }
    }

    /// The entries from `sequence` on within a transaction; throws what reading one throws.
    package static func entries(
        from sequence: UInt64, limit: Int, in connection: any SQLConnection
    ) throws -> [Entry] {
        try connection.query(
            "SELECT leaf, detail FROM audit_entry WHERE sequence >= $1 ORDER BY sequence LIMIT $2",
            [.integer(Int64(clamping: sequence)), .integer(Int64(limit))]
        ).map { row in
            Entry(
                leaf: try Leaf(try row.blob("leaf")), detail: try row.optionalBlob("detail").map { try Detail($0) })
        }
    }

    /// What an earlier entry became: its leaf, and the tree of the commit that held it; nil when there is none.
    package static func appended(
        at sequence: UInt64, in connection: any SQLConnection
    ) throws(StorageError) -> AuditLog.Appended? {
        let row = try connection.queryOne(
            """
            SELECT e.leaf AS leaf, c.size AS size, c.root AS root FROM audit_entry e
            JOIN audit_commit c ON c.size = (SELECT MIN(size) FROM audit_commit WHERE size > e.sequence)
            WHERE e.sequence = $1
            """,
            [.integer(Int64(clamping: sequence))]
        )
        guard let row else { return nil }
        return AuditLog.Appended(
            sequence: sequence, leaf: try row.blob("leaf"), treeSize: UInt64(clamping: try row.integer("size")),
            rootHash: try row.blob("root")
        )
    }
}
