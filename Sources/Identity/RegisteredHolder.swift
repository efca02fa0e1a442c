package import HPKI
package import Storage

/// A holder as an authority registered them.
package struct RegisteredHolder: Sendable, Hashable {
    package var record: HolderRecord
    package var authority: AuthorityID
    package var state: HolderStore.State
    /// Counts the changes of the row, from 1.
    package var version: Int64

    /// A holder of their parts.
    package init(record: HolderRecord, authority: AuthorityID, state: HolderStore.State, version: Int64) {
        self.record = record
        self.authority = authority
        self.state = state
        self.version = version
    }

    /// SHA-256 over everything that the row holds: what the log commits to at each change.
    package var digest: Digest {
        var writer = WireWriter(capacity: 512)
        writer.text("shirushi/holder/1")
        record.write(to: &writer)
        writer.text(authority.description)
        writer.text(state.rawValue)
        writer.integer(version)
        return Digest(of: writer.bytes)
    }
}

extension HolderStore {
    /// The holder as registered; nil for one of whom only the id is known, and for nobody.
    package static func registered(
        _ id: HolderID, in connection: any SQLConnection
    ) throws(StorageError) -> RegisteredHolder? {
        let row = try connection.queryOne("SELECT \(columns) FROM holder WHERE id = $1", [.text(id.description)])
        guard let row else { return nil }
        return try holder(row)
    }

    /// At most `limit` holders of one authority behind `after`, in the order of their ids.
    package static func list(
        of authority: AuthorityID, after: HolderID?, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [RegisteredHolder] {
        let rows = try connection.query(
            "SELECT \(columns) FROM holder WHERE authority = $1 AND id > $2 ORDER BY id LIMIT $3",
            [.text(authority.description), .text(after?.description ?? ""), .integer(Int64(limit))]
        )
        var holders: [RegisteredHolder] = []
        for row in rows { if let holder = try holder(row) { holders.append(holder) } }
        return holders
    }

    /// Stores a holder whose row has the version before; `record` is the log's entry of the change.
    ///
    /// Gives false where another change came first.
    package static func put(
        _ holder: RegisteredHolder, record: UInt64, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        let values: [SQLValue] = [
            .text(holder.record.id.description), .text(holder.state.rawValue), .text(holder.authority.description),
            .blob(holder.record.bytes), .integer(holder.version), .integer(Int64(clamping: record)),
        ]
        if holder.version == 1 {
            return try connection.execute(
                """
                INSERT INTO holder (id, state, authority, facts, version, record) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (id) DO NOTHING
                """,
                values
            ) == 1
        }
        return try connection.execute(
            """
            UPDATE holder SET state = $2, authority = $3, facts = $4, version = $5, record = $6
            WHERE id = $1 AND version = $5 - 1
            """,
            values
        ) == 1
    }

    /// The version of a holder's row and the entry of its last change, for an audit of the registry.
    package static func audited(
        _ id: HolderID, in connection: any SQLConnection
    ) throws(StorageError) -> (holder: RegisteredHolder?, record: UInt64?)? {
        let row = try connection.queryOne(
            "SELECT \(columns), record FROM holder WHERE id = $1", [.text(id.description)]
        )
        guard let row else { return nil }
        return (try holder(row), try row.optionalInteger("record").map { UInt64(clamping: $0) })
    }

    private static let columns = "id, state, authority, facts, version"

    private static func holder(_ row: SQLRow) throws(StorageError) -> RegisteredHolder? {
        guard let facts = try row.optionalBlob("facts") else { return nil }
        guard let record = try? HolderRecord(facts), record.id.description == (try row.text("id")),
            let authority = AuthorityID(try row.text("authority")), let state = State(rawValue: try row.text("state"))
        else { throw .unexpectedValue }
        return RegisteredHolder(record: record, authority: authority, state: state, version: try row.integer("version"))
    }
}
