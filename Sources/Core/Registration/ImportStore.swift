import CoreProtocol
import HPKI
package import Storage

/// Core's tables of bulk imports: what was ordered and what became of each row, so that a restart goes on where it was.
package enum ImportStore {
    /// The tables that this module owns.
    package static let part = SchemaPart(
        "import",
        versions: [
            """
            CREATE TABLE import_job (
                authority TEXT NOT NULL,
                name TEXT NOT NULL,
                digest BLOB NOT NULL,
                total BIGINT NOT NULL,
                PRIMARY KEY (authority, name)
            );
            CREATE TABLE import_row (
                authority TEXT NOT NULL,
                name TEXT NOT NULL,
                row BIGINT NOT NULL,
                holder TEXT NOT NULL,
                credential TEXT,
                key_type TEXT,
                facts BLOB,
                outcome TEXT,
                detail TEXT,
                PRIMARY KEY (authority, name, row)
            );
            CREATE INDEX import_waiting ON import_row (authority, name, row) WHERE outcome IS NULL;
            """
        ]
    )

    /// A row that waits for its turn.
    struct Waiting: Sendable {
        let authority: AuthorityID
        let name: String
        let row: Int64
        let holder: HolderRecord
        let order: KeyOrder?
    }

    /// Starts an import; gives false where its name stands for other rows.
    static func start(
        _ name: String, _ rows: [ImportRow], of authority: AuthorityID, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        let digest = digest(of: rows)
        let known = try connection.queryOne(
            "SELECT digest FROM import_job WHERE authority = $1 AND name = $2",
            [.text(authority.description), .text(name)]
        )
        if let known { return try known.blob("digest") == digest.bytes }
        try connection.execute(
            "INSERT INTO import_job (authority, name, digest, total) VALUES ($1, $2, $3, $4)",
            [.text(authority.description), .text(name), .blob(digest.bytes), .integer(Int64(rows.count))]
        )
        for (number, row) in rows.enumerated() {
            try connection.execute(
                """
                INSERT INTO import_row (authority, name, row, holder, credential, key_type, facts)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                [
                    .text(authority.description), .text(name), .integer(Int64(number)),
                    .text(row.holder.id.description), .text(optional: row.order?.credential.description),
                    .text(optional: row.order?.keyType?.rawValue), .blob(row.holder.bytes),
                ]
            )
        }
        return true
    }

    /// The next rows of an authority that wait, of any of its imports.
    static func waiting(
        of authority: AuthorityID, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [Waiting] {
        let rows = try connection.query(
            """
            SELECT authority, name, row, credential, key_type, facts FROM import_row
            WHERE outcome IS NULL AND authority = $1 ORDER BY name, row LIMIT $2
            """,
            [.text(authority.description), .integer(Int64(limit))]
        )
        var waiting: [Waiting] = []
        for row in rows {
            guard let authority = AuthorityID(try row.text("authority")),
                let holder = try? HolderRecord(try row.blob("facts"))
            else { throw .unexpectedValue }
            let credential = CredentialID(try row.optionalText("credential") ?? "")
            let keyType = KeyType(rawValue: try row.optionalText("key_type") ?? "")
            waiting.append(
                Waiting(
                    authority: authority, name: try row.text("name"), row: try row.integer("row"), holder: holder,
                    order: credential.map {
                        KeyOrder(credential: $0, holder: holder.id, keyType: keyType, replaces: nil)
                    }
                ))
        }
        return waiting
    }

    /// Notes what became of a row, and lets go of what it held of the holder.
    static func finish(
        _ row: Waiting, outcome: String, detail: String?, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            """
            UPDATE import_row SET outcome = $4, detail = $5, facts = NULL
            WHERE authority = $1 AND name = $2 AND row = $3
            """,
            [
                .text(row.authority.description), .text(row.name), .integer(row.row), .text(outcome),
                .text(optional: detail),
            ]
        )
    }

    /// How far an import is; nil where the authority has none of this name.
    static func facts(
        _ name: String, of authority: AuthorityID, in connection: any SQLConnection
    ) throws(StorageError) -> ImportFacts? {
        let row = try connection.queryOne(
            """
            SELECT j.total AS total, COUNT(r.outcome) AS done,
                COALESCE(SUM(CASE WHEN r.outcome <> 'done' THEN 1 ELSE 0 END), 0) AS failed
            FROM import_job j LEFT JOIN import_row r ON r.authority = j.authority AND r.name = j.name
            WHERE j.authority = $1 AND j.name = $2 GROUP BY j.total
            """,
            [.text(authority.description), .text(name)]
        )
        guard let row else { return nil }
        return ImportFacts(
            name: name, total: UInt32(clamping: try row.integer("total")),
            done: UInt32(clamping: try row.integer("done")), failed: UInt32(clamping: try row.integer("failed"))
        )
    }

    /// The report of at most `limit` rows.
    static func report(
        _ name: String, of authority: AuthorityID, from first: UInt32, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [ImportRowFacts] {
        let rows = try connection.query(
            """
            SELECT row, holder, credential, outcome, detail FROM import_row
            WHERE authority = $1 AND name = $2 AND row >= $3 ORDER BY row LIMIT $4
            """,
            [.text(authority.description), .text(name), .integer(Int64(first)), .integer(Int64(limit))]
        )
        var report: [ImportRowFacts] = []
        for row in rows {
            guard let holder = HolderID(try row.text("holder")) else { throw .unexpectedValue }
            report.append(
                ImportRowFacts(
                    row: UInt32(clamping: try row.integer("row")), holder: holder,
                    credential: CredentialID(try row.optionalText("credential") ?? ""),
                    outcome: try row.optionalText("outcome") ?? "waiting", detail: try row.optionalText("detail")
                ))
        }
        return report
    }

    private static func digest(of rows: [ImportRow]) -> Digest {
        var writer = WireWriter(capacity: 65_536)
        for row in rows {
            row.holder.write(to: &writer)
            writer.optional(row.order) {
                $0.text($1.credential.description)
                $0.text($1.keyType?.rawValue ?? "")
            }
        }
        return Digest(of: writer.bytes)
    }
}
