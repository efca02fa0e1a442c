import HPKI
package import Storage
package import Transparency

/// What witnesses put under the log's checkpoints (C2SP tlog-cosignature).
package enum CosignatureTable {
    /// So many of each witness's key are kept: two witnesses that are asked in turn have one of a tree in common.
    private static let kept = 64

    /// Keeps a witness's cosignature of the tree of `size` leaves, in the place of an earlier one of the same tree;
    /// old ones go, since the newest vouches for all that it begins with.
    package static func put(
        _ signature: SignedNote.Signature, size: UInt64, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO audit_cosignature (size, witness, key_id, value) VALUES ($1, $2, $3, $4)
            ON CONFLICT (size, witness, key_id) DO UPDATE SET value = excluded.value
            """,
            [
                .integer(Int64(clamping: size)), .text(signature.name), .integer(Int64(signature.keyID)),
                .blob(signature.value),
            ])
        try connection.execute(
            """
            DELETE FROM audit_cosignature WHERE witness = $1 AND key_id = $2 AND size NOT IN (
                SELECT size FROM audit_cosignature WHERE witness = $1 AND key_id = $2 ORDER BY size DESC LIMIT $3)
            """,
            [.text(signature.name), .integer(Int64(signature.keyID)), .integer(Int64(Self.kept))])
    }

    /// The cosignatures of the tree of `size` leaves.
    package static func all(
        size: UInt64, in connection: any SQLConnection
    ) throws(StorageError)
        -> [SignedNote.Signature]
    {
        let rows = try connection.query(
            "SELECT witness, key_id, value FROM audit_cosignature WHERE size = $1 ORDER BY witness, key_id",
            [.integer(Int64(clamping: size))])
        return try rows.map { row throws(StorageError) in
            SignedNote.Signature(
                name: try row.text("witness"), keyID: UInt32(clamping: try row.integer("key_id")),
                value: try row.blob("value"))
        }
    }

    /// The newest cosignature of each witness's key, with the size of its tree.
    package static func newest(
        in connection: any SQLConnection
    ) throws(StorageError) -> [(size: UInt64, signature: SignedNote.Signature)] {
        let rows = try connection.query(
            """
            SELECT c.size AS size, c.witness AS witness, c.key_id AS key_id, c.value AS value FROM audit_cosignature c
            JOIN (SELECT witness, key_id, MAX(size) AS size FROM audit_cosignature GROUP BY witness, key_id) n
            ON n.witness = c.witness AND n.key_id = c.key_id AND n.size = c.size ORDER BY c.witness LIMIT 32
            """)
        return try rows.map { row throws(StorageError) in
            (
                UInt64(clamping: try row.integer("size")),
                SignedNote.Signature(
                    name: try row.text("witness"), keyID: UInt32(clamping: try row.integer("key_id")),
                    value: try row.blob("value"))
            )
        }
    }
}
