internal import Certificates
package import HPKI
package import Storage

/// The registry's tables of second keys.
package enum CredentialStore {
    // MARK: For signing

    /// The credentials of one holder that have a certificate and a key, ordered by id; throws `.unexpectedValue` for a
    /// row that cannot be read.
    package static func credentials(
        of holder: HolderID, in connection: any SQLConnection
    ) throws(StorageError) -> [Credential] {
        let rows = try connection.query(
            """
            SELECT c.id AS id, c.holder AS holder, c.state AS state, c.algorithm AS algorithm,
                c.certificate AS certificate, m.key_id AS key_id, m.epoch AS epoch, m.blob AS blob, m.seal AS seal
            FROM credential c JOIN key_material m ON m.credential = c.id
            WHERE c.holder = $1 AND c.certificate IS NOT NULL ORDER BY c.id
            """,
            [.text(holder.description)]
        )
        var credentials: [Credential] = []
        for row in rows {
            guard let id = CredentialID(try row.text("id")), let holder = HolderID(try row.text("holder")),
                let state = CredentialState(rawValue: try row.text("state")),
                let algorithm = SignatureAlgorithm(rawValue: try row.text("algorithm")),
                let certificate = try? HPKICertificate(der: try row.blob("certificate"))
            else { throw .unexpectedValue }
            credentials.append(
                Credential(
                    id: id, holder: holder, material: try material(row), algorithm: algorithm,
                    certificate: certificate, state: state
                ))
        }
        return credentials
    }

    /// The state of one credential now; nil when it does not exist.
    package static func state(
        of id: CredentialID, in connection: any SQLConnection
    ) throws(StorageError) -> CredentialState? {
        let row = try connection.queryOne("SELECT state FROM credential WHERE id = $1", [.text(id.description)])
        guard let row else { return nil }
        guard let state = CredentialState(rawValue: try row.text("state")) else { throw .unexpectedValue }
        return state
    }

    // MARK: For the registry

    /// Another credential than `id` that replaces `replaced` and has not ended; nil where there is none.
    package static func successor(
        of replaced: CredentialID, besides id: CredentialID, in connection: any SQLConnection
    ) throws(StorageError) -> CredentialID? {
        // Of one holder there are few.
        try connection.queryOne(
            """
            SELECT c.id AS id FROM credential o JOIN credential c ON c.holder = o.holder
            WHERE o.id = $1 AND c.replaces = $1 AND c.id <> $2
                AND c.state IN ('requested', 'generated', 'certified', 'active', 'suspended') LIMIT 1
            """,
            [.text(replaced.description), .text(id.description)]
        ).map(self.id)
    }

    /// The record of one credential; nil when it does not exist.
    package static func record(
        _ id: CredentialID, in connection: any SQLConnection
    ) throws(StorageError) -> CredentialRecord? {
        try rows(connection, "WHERE id = $1", [.text(id.description)]).first?.record
    }

    /// At most `limit` records of one holder, whichever authority ordered them, in the order of their ids.
    package static func records(
        of holder: HolderID, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [CredentialRecord] {
        try rows(
            connection, "WHERE holder = $1 ORDER BY id LIMIT $2",
            [.text(holder.description), .integer(Int64(limit))]
        ).map(\.record)
    }

    /// A credential's record with the log's entry of its last change, and its key.
    package static func audited(
        _ id: CredentialID, in connection: any SQLConnection
    ) throws(StorageError) -> (record: CredentialRecord, entry: UInt64?, material: KeyMaterial?)? {
        guard let (record, entry) = try rows(connection, "WHERE id = $1", [.text(id.description)]).first else {
            return nil
        }
        return (record, entry, try material(of: id, in: connection))
    }

    /// At most `limit` records of one authority behind `after`, of one holder or of all.
    package static func list(
        of authority: AuthorityID, holder: HolderID?, after: CredentialID?, limit: Int,
        in connection: any SQLConnection
    ) throws(StorageError) -> [CredentialRecord] {
        let after = SQLValue.text(after?.description ?? "")
        if let holder {
            return try rows(
                connection, "WHERE holder = $1 AND authority = $2 AND id > $3 ORDER BY id LIMIT $4",
                [.text(holder.description), .text(authority.description), after, .integer(Int64(limit))]
            ).map(\.record)
        }
        return try rows(
            connection, "WHERE authority = $1 AND id > $2 ORDER BY id LIMIT $3",
            [.text(authority.description), after, .integer(Int64(limit))]
        ).map(\.record)
    }

    /// Ids that fall due at `now`: certified ones to take over, active ones past their certificate's end.
    package static func due(
        at now: Instant, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> (takeOver: [CredentialID], ended: [CredentialID]) {
        let due = try connection.query(
            "SELECT id FROM credential WHERE takes_over_at <= $1 AND state = 'certified' ORDER BY takes_over_at LIMIT $2",
            [.integer(now.milliseconds), .integer(Int64(limit))]
        )
        let ended = try connection.query(
            """
            SELECT id FROM credential WHERE ends_at < $1 AND state IN ('certified', 'active', 'suspended')
            ORDER BY ends_at LIMIT $2
            """,
            [.integer(now.milliseconds), .integer(Int64(limit))]
        )
        return (try due.map(id), try ended.map(id))
    }

    /// Ids whose deletion waits for backups, deleted before `moment`.
    package static func pendingDestruction(
        before moment: Instant, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [CredentialID] {
        try connection.query(
            """
            SELECT id FROM credential WHERE state = 'destruction-pending' AND changed_at < $1
            ORDER BY changed_at LIMIT $2
            """,
            [.integer(moment.milliseconds), .integer(Int64(limit))]
        ).map(id)
    }

    /// At most `limit` ids in one of `states` behind `after`.
    package static func ids(
        in state: CredentialState, after: CredentialID?, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [CredentialID] {
        try connection.query(
            "SELECT id FROM credential WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3",
            [.text(state.rawValue), .text(after?.description ?? ""), .integer(Int64(limit))]
        ).map(id)
    }

    /// Stores a record whose row has the version before; `entry` is the log's entry of the change, `endsAt` the
    /// certificate's end while it can still end.
    ///
    /// Gives false where another change came first, or the name is taken.
    package static func put(
        _ record: CredentialRecord, endsAt: Instant?, entry: UInt64?, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        let values: [SQLValue] = [
            .text(record.id.description), .text(record.holder.description), .text(record.state.rawValue),
            .text(record.authority.description), .text(record.keyType.rawValue), .text(record.algorithm.rawValue),
            .text(record.custody), .text(optional: record.replaces?.description),
            .integer(optional: record.takesOverAt?.milliseconds), .integer(optional: endsAt?.milliseconds),
            .integer(optional: record.reason.map { Int64($0.rawValue) }),
            .integer(optional: record.heldSince?.milliseconds), .integer(record.changedAt.milliseconds),
            .integer(record.version), .integer(optional: entry.map { Int64(clamping: $0) }),
            .blob(optional: record.publicKey), .blob(optional: record.certificate), .blob(optional: record.request),
        ]
        if record.version == 1 {
            return try connection.execute(
                """
                INSERT INTO credential (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                    $15, $16, $17, $18) ON CONFLICT (id) DO NOTHING
                """,
                values
            ) == 1
        }
        return try connection.execute(
            """
            UPDATE credential SET holder = $2, state = $3, authority = $4, key_type = $5, algorithm = $6, custody = $7,
                replaces = $8, takes_over_at = $9, ends_at = $10, reason = $11, held_since = $12, changed_at = $13,
                version = $14, record = $15, public_key = $16, certificate = $17, request = $18
            WHERE id = $1 AND version = $14 - 1
            """,
            values
        ) == 1
    }

    // MARK: Serial numbers

    /// Notes a certificate's issuer (SHA-256 of its name) and serial number; false where they were seen before.
    package static func noteSerial(
        issuer: Digest, serial: [UInt8], of id: CredentialID, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        try connection.execute(
            "INSERT INTO certificate_seen (issuer, serial, credential) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            [.blob(issuer.bytes), .blob(serial), .text(id.description)]
        ) == 1
    }

    /// The credential that has the certificate of this issuer and serial number.
    package static func credential(
        issuer: Digest, serial: [UInt8], in connection: any SQLConnection
    ) throws(StorageError) -> CredentialID? {
        let row = try connection.queryOne(
            "SELECT credential FROM certificate_seen WHERE issuer = $1 AND serial = $2",
            [.blob(issuer.bytes), .blob(serial)]
        )
        return CredentialID(try row?.text("credential") ?? "")
    }

    // MARK: Rows

    private static let columns =
        """
        id, holder, state, authority, key_type, algorithm, custody, replaces, takes_over_at, ends_at, reason,
        held_since, changed_at, version, record, public_key, certificate, request
        """

    private static func rows(
        _ connection: any SQLConnection, _ rest: String, _ arguments: [SQLValue]
    ) throws(StorageError) -> [(record: CredentialRecord, entry: UInt64?)] {
        var records: [(CredentialRecord, UInt64?)] = []
        for row in try connection.query("SELECT \(columns) FROM credential \(rest)", arguments) {
            records.append(
                (try record(row), try row.optionalInteger("record").map { UInt64(clamping: $0) }))
        }
        return records
    }

    private static func record(_ row: SQLRow) throws(StorageError) -> CredentialRecord {
        let certificate = try row.optionalBlob("certificate")
        // Rows of the first release say nothing of their key's kind; the certificate does.
        let read = try certificate.flatMap { der throws(StorageError) in
            try row.text("key_type").isEmpty ? try? HPKICertificate(der: der) : nil
        }
        guard let id = CredentialID(try row.text("id")), let holder = HolderID(try row.text("holder")),
            let state = CredentialState(rawValue: try row.text("state")),
            let keyType = KeyType(rawValue: try row.text("key_type")) ?? read?.publicKey.keyType,
            let algorithm = SignatureAlgorithm(rawValue: try row.text("algorithm")),
            let authority = AuthorityID(try row.text("authority").isEmpty ? "-" : row.text("authority"))
        else { throw .unexpectedValue }
        var record = CredentialRecord(
            id: id, holder: holder, authority: authority, state: state, keyType: keyType, algorithm: algorithm,
            custody: try row.text("custody"),
            replaces: CredentialID(try row.optionalText("replaces") ?? ""),
            changedAt: Instant(milliseconds: try row.integer("changed_at")), version: try row.integer("version")
        )
        record.takesOverAt = try row.optionalInteger("takes_over_at").map { Instant(milliseconds: $0) }
        record.reason = try row.optionalInteger("reason").flatMap { RevocationReason(rawValue: UInt8(clamping: $0)) }
        record.heldSince = try row.optionalInteger("held_since").map { Instant(milliseconds: $0) }
        record.publicKey = try row.optionalBlob("public_key") ?? read?.publicKey.subjectPublicKeyInfo
        record.certificate = certificate
        record.request = try row.optionalBlob("request")
        return record
    }

    static func material(_ row: SQLRow) throws(StorageError) -> KeyMaterial {
        if let keyID = try row.optionalBlob("key_id") { return .resident(keyID: keyID) }
        return .wrapped(
            WrappedKey(epoch: try row.integer("epoch"), blob: try row.blob("blob"), seal: try row.blob("seal")))
    }

    static func id(_ row: SQLRow) throws(StorageError) -> CredentialID {
        guard let id = CredentialID(try row.text("id")) else { throw .unexpectedValue }
        return id
    }
}
