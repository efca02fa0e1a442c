internal import HPKI
import Storage
import Transparency

/// What a witness remembers: the logs that it watches, and the newest checkpoint of each that it cosigned.
enum WitnessTables {
    static let part = SchemaPart(
        "witness",
        versions: [
            """
            CREATE TABLE witness_key (
                key TEXT PRIMARY KEY,
                origin TEXT NOT NULL
            );
            CREATE TABLE witness_checkpoint (
                origin TEXT PRIMARY KEY,
                origin_hash TEXT NOT NULL UNIQUE,
                size BIGINT NOT NULL,
                root BLOB NOT NULL,
                note TEXT NOT NULL
            );
            """
        ])

    /// The newest checkpoint that was cosigned of a log.
    struct Seen: Sendable, Hashable {
        let size: UInt64
        let root: [UInt8]
        /// With the log's signatures and the witness's own.
        let note: String

        init(_ row: SQLRow) throws(StorageError) {
            size = UInt64(clamping: try row.integer("size"))
            root = try row.blob("root")
            note = try row.text("note")
        }
    }

    static func insert(_ key: NoteKey, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            "INSERT INTO witness_key (key, origin) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [.text(key.text), .text(key.name)])
    }

    static func delete(_ key: NoteKey, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute("DELETE FROM witness_key WHERE key = $1", [.text(key.text)])
    }

    static func keys(in connection: any SQLConnection) throws -> [NoteKey] {
        try connection.query("SELECT key FROM witness_key ORDER BY key").map { try NoteKey(try $0.text("key")) }
    }

    static func keys(of origin: String, in connection: any SQLConnection) throws -> [NoteKey] {
        try connection.query("SELECT key FROM witness_key WHERE origin = $1 ORDER BY key", [.text(origin)])
            .map { try NoteKey(try $0.text("key")) }
    }

    static func seen(_ origin: String, in connection: any SQLConnection) throws(StorageError) -> Seen? {
        let row = try connection.queryOne(
            "SELECT size, root, note FROM witness_checkpoint WHERE origin = $1", [.text(origin)])
        guard let row else { return nil }
        return try Seen(row)
    }

    static func note(originHash: String, in connection: any SQLConnection) throws(StorageError) -> String? {
        let row = try connection.queryOne(
            "SELECT note FROM witness_checkpoint WHERE origin_hash = $1", [.text(originHash)])
        return try row?.text("note")
    }

    static func put(
        _ note: SignedNote, of checkpoint: Checkpoint, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO witness_checkpoint (origin, origin_hash, size, root, note) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note
            """,
            [
                .text(checkpoint.origin), .text(Witness.hash(of: checkpoint.origin)),
                .integer(Int64(clamping: checkpoint.size)), .blob(checkpoint.root), .text(note.encoded),
            ])
    }

    static func forget(_ origin: String, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute("DELETE FROM witness_checkpoint WHERE origin = $1", [.text(origin)])
    }
}
