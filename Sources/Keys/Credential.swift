package import Certificates
package import HPKI
package import Storage

/// One second key with its certificate, as the registry holds it.
package struct Credential: Sendable, Hashable {
    /// Where a key stands in its life; only an active one signs.
    package enum State: String, Sendable, Hashable, CaseIterable {
        case active
        case suspended
        case revoked
    }

    /// Where the private key is kept; wrapped keys join as a second mode.
    package enum Custody: String, Sendable, Hashable, CaseIterable {
        /// A non-extractable object of the token.
        case resident
    }

    package let id: CredentialID
    package let holder: HolderID
    /// `CKA_ID` of the key pair in the token.
    package let keyID: [UInt8]
    package let custody: Custody
    package let algorithm: SignatureAlgorithm
    package let certificate: HPKICertificate
    package let state: State

    /// A credential of its parts.
    package init(
        id: CredentialID, holder: HolderID, keyID: [UInt8], custody: Custody, algorithm: SignatureAlgorithm,
        certificate: HPKICertificate, state: State
    ) {
        self.id = id
        self.holder = holder
        self.keyID = keyID
        self.custody = custody
        self.algorithm = algorithm
        self.certificate = certificate
        self.state = state
    }
}

/// The registry's table of second keys.
package enum CredentialStore {
    /// The table that this module owns.
    package static let part = SchemaPart(
        "keys",
        versions: [
            """
            CREATE TABLE credential (
                id TEXT PRIMARY KEY,
                holder TEXT NOT NULL,
                key_id BLOB NOT NULL UNIQUE,
                custody TEXT NOT NULL,
                algorithm TEXT NOT NULL,
                certificate BLOB NOT NULL,
                state TEXT NOT NULL
            );
            CREATE INDEX credential_holder ON credential (holder);
            """
        ]
    )

    /// Adds a credential; throws `StorageError.constraint` when its id or its key is taken.
    package static func insert(_ credential: Credential, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO credential (id, holder, key_id, custody, algorithm, certificate, state)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                .text(credential.id.description), .text(credential.holder.description), .blob(credential.keyID),
                .text(credential.custody.rawValue), .text(credential.algorithm.rawValue),
                .blob(credential.certificate.der), .text(credential.state.rawValue),
            ]
        )
    }

    /// The credentials of one holder, ordered by id; throws `.unexpectedValue` for a row that cannot be read.
    package static func credentials(
        of holder: HolderID, in connection: any SQLConnection
    ) throws(StorageError) -> [Credential] {
        var credentials: [Credential] = []
        let rows = try connection.query(
            "SELECT id, holder, key_id, custody, algorithm, certificate, state FROM credential WHERE holder = $1 ORDER BY id",
            [.text(holder.description)]
        )
        for row in rows { credentials.append(try credential(row)) }
        return credentials
    }

    /// The state of one credential now; nil when it does not exist.
    package static func state(
        of id: CredentialID, in connection: any SQLConnection
    ) throws(StorageError) -> Credential.State? {
        let row = try connection.queryOne("SELECT state FROM credential WHERE id = $1", [.text(id.description)])
        guard let row else { return nil }
        guard let state = Credential.State(rawValue: try row.text("state")) else { throw .unexpectedValue }
        return state
    }

    /// Moves a credential to another state; throws when it does not exist.
    package static func setState(
        _ state: Credential.State, of id: CredentialID, in connection: any SQLConnection
    ) throws(StorageError) {
        let changed = try connection.execute(
            "UPDATE credential SET state = $2 WHERE id = $1", [.text(id.description), .text(state.rawValue)]
        )
        guard changed == 1 else { throw .missing }
    }

    private static func credential(_ row: SQLRow) throws(StorageError) -> Credential {
        guard let id = CredentialID(try row.text("id")), let holder = HolderID(try row.text("holder")),
            let custody = Credential.Custody(rawValue: try row.text("custody")),
            let algorithm = SignatureAlgorithm(rawValue: try row.text("algorithm")),
            let state = Credential.State(rawValue: try row.text("state")),
            let certificate = try? HPKICertificate(der: try row.blob("certificate"))
        else { throw .unexpectedValue }
        return Credential(
            id: id, holder: holder, keyID: try row.blob("key_id"), custody: custody, algorithm: algorithm,
            certificate: certificate, state: state
        )
    }
}
