package import HPKI
package import Storage

// Where each key is kept: the table `key_material`.
extension CredentialStore {
    /// Where a credential's key is kept; nil where it has none.
    package static func material(
        of id: CredentialID, in connection: any SQLConnection
    ) throws(StorageError) -> KeyMaterial? {
        let row = try connection.queryOne(
            "SELECT key_id, epoch, blob, seal FROM key_material WHERE credential = $1", [.text(id.description)]
        )
        guard let row else { return nil }
        return try material(row)
    }

    /// Stores a credential's key.
    package static func put(
        _ material: KeyMaterial, of id: CredentialID, in connection: any SQLConnection
    ) throws(StorageError) {
        let values: [SQLValue] =
            switch material {
            case .resident(let keyID): [.text(id.description), .blob(keyID), .null, .null, .null]
            case .wrapped(let wrapped):
                [.text(id.description), .null, .integer(wrapped.epoch), .blob(wrapped.blob), .blob(wrapped.seal)]
            }
        try connection.execute(
            """
            INSERT INTO key_material (credential, key_id, epoch, blob, seal) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (credential) DO UPDATE SET key_id = excluded.key_id, epoch = excluded.epoch,
                blob = excluded.blob, seal = excluded.seal
            """,
            values
        )
    }

    /// At most `limit` credentials whose recorded keys are under an epoch.
    package static func movable(
        from epoch: Int64, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [CredentialID] {
        try connection.query(
            """
            SELECT c.id AS id FROM key_material m JOIN credential c ON c.id = m.credential
            WHERE m.epoch = $1 AND c.public_key IS NOT NULL ORDER BY m.credential LIMIT $2
            """,
            [.integer(epoch), .integer(Int64(limit))]
        ).map(id)
    }

    /// Deletes keys under an epoch whose order was cut off before `moment`, before they were recorded.
    package static func deleteAbandoned(
        from epoch: Int64, before moment: Instant, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            """
            DELETE FROM key_material WHERE epoch = $1 AND credential IN
                (SELECT id FROM credential WHERE state = 'requested' AND changed_at < $2)
            """,
            [.integer(epoch), .integer(moment.milliseconds)]
        )
    }

    /// Puts a key moved to another epoch in the place of the very one that was moved; nothing where that is gone.
    package static func replace(
        _ old: WrappedKey, by new: WrappedKey, of id: CredentialID, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            "UPDATE key_material SET epoch = $2, blob = $3, seal = $4 WHERE credential = $1 AND seal = $5",
            [.text(id.description), .integer(new.epoch), .blob(new.blob), .blob(new.seal), .blob(old.seal)]
        )
    }

    /// Deletes a credential's key from the database.
    package static func deleteMaterial(of id: CredentialID, in connection: any SQLConnection) throws(StorageError) {
        // Overwritten first: a deleted row's bytes may stay in a page.
        try connection.execute(
            "UPDATE key_material SET blob = zeroblob(length(blob)) WHERE credential = $1 AND blob IS NOT NULL",
            [.text(id.description)]
        )
        try connection.execute("DELETE FROM key_material WHERE credential = $1", [.text(id.description)])
    }

    /// The CKA_IDs of all resident keys with their credentials.
    package static func residentKeys(
        in connection: any SQLConnection
    ) throws(StorageError) -> [[UInt8]: CredentialID] {
        var keys: [[UInt8]: CredentialID] = [:]
        // So that the index answers: a search for what is not null would read every wrapped key.
        let rows = try connection.query(
            "SELECT credential, key_id FROM key_material WHERE key_id >= $1", [.blob([])])
        for row in rows {
            guard let id = CredentialID(try row.text("credential")) else { throw .unexpectedValue }
            keys[try row.blob("key_id")] = id
        }
        return keys
    }
}
