package import HPKI
package import JOSE
package import Storage

/// What a holder's session granted to a client: one code, and the tokens that came of it.
package struct OAuthGrant: Sendable, Hashable {
    package let id: String
    package let session: String
    package let client: ClientID
    package let redirectURI: String
    package let scopes: [String]
    package let resources: [String]
    /// What was granted beyond scopes (RFC 9396).
    package let authorizationDetails: AuthorizationDetails?
    package let nonce: String?
    /// By S256.
    package let codeChallenge: String
    /// The key that the tokens are to be bound to, or are.
    package let binding: TokenBinding?
    package let codeExpiresAt: Instant

    /// A grant of its parts.
    package init(
        id: String, session: String, client: ClientID, redirectURI: String, scopes: [String], resources: [String],
        authorizationDetails: AuthorizationDetails?, nonce: String?, codeChallenge: String, binding: TokenBinding?,
        codeExpiresAt: Instant
    ) {
        self.id = id
        self.session = session
        self.client = client
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.resources = resources
        self.authorizationDetails = authorizationDetails
        self.nonce = nonce
        self.codeChallenge = codeChallenge
        self.binding = binding
        self.codeExpiresAt = codeExpiresAt
    }
}

/// The tables of grants; codes and refresh tokens are kept as their SHA-256 alone.
package enum GrantStore {
    /// How a grant was found by a secret.
    package enum Finding: Sendable, Hashable {
        case unused(OAuthGrant)
        /// The secret was used before, so somebody has a copy of it.
        case replayed(OAuthGrant)
    }

    /// The tables that this module owns.
    package static let part = SchemaPart(
        "oauth-grant",
        versions: [
            """
            CREATE TABLE oauth_grant (
                id TEXT PRIMARY KEY,
                session TEXT NOT NULL,
                client TEXT NOT NULL,
                redirect_uri TEXT NOT NULL,
                scopes TEXT NOT NULL,
                resources TEXT NOT NULL,
                nonce TEXT,
                code_challenge TEXT NOT NULL,
                binding TEXT,
                code_expires_at BIGINT NOT NULL,
                revoked_at BIGINT
            );
            CREATE INDEX oauth_grant_session ON oauth_grant (session);
            CREATE TABLE oauth_secret (
                secret BLOB PRIMARY KEY,
                grant_id TEXT NOT NULL,
                is_code BIGINT NOT NULL,
                used_at BIGINT
            );
            CREATE INDEX oauth_secret_grant ON oauth_secret (grant_id);
            """,
            "ALTER TABLE oauth_grant ADD COLUMN authorization_details TEXT",
        ]
    )

    /// Adds a grant with its code.
    package static func insert(
        _ grant: OAuthGrant, code: Digest, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO oauth_grant (id, session, client, redirect_uri, scopes, resources, nonce, code_challenge, binding,
                code_expires_at, authorization_details)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            [
                .text(grant.id), .text(grant.session), .text(grant.client.description), .text(grant.redirectURI),
                .text(grant.scopes.joined(separator: " ")), .text(grant.resources.joined(separator: " ")),
                .text(optional: grant.nonce), .text(grant.codeChallenge), .text(optional: grant.binding?.text),
                .integer(grant.codeExpiresAt.milliseconds),
                .text(optional: grant.authorizationDetails.map { String(decoding: $0.json, as: UTF8.self) }),
            ])
        try add(code, isCode: true, to: grant.id, in: connection)
    }

    /// The grant of a code or a refresh token that is not revoked; nil for a stranger's secret.
    package static func grant(
        of secret: Digest, isCode: Bool, in connection: any SQLConnection
    ) throws(StorageError) -> Finding? {
        let row = try connection.queryOne(
            """
            SELECT g.*, s.used_at AS used_at FROM oauth_secret s JOIN oauth_grant g ON g.id = s.grant_id
            WHERE s.secret = $1 AND s.is_code = $2 AND g.revoked_at IS NULL
            """,
            [.blob(secret.bytes), .integer(isCode ? 1 : 0)])
        guard let row else { return nil }
        let grant = try grant(row)
        return try row.optionalInteger("used_at") == nil ? .unused(grant) : .replayed(grant)
    }

    /// Uses a secret up and puts the next refresh token in its place; gives false where it was used at the same time.
    package static func use(
        _ secret: Digest, of grant: OAuthGrant, binding: TokenBinding?, next: Digest?, at now: Instant,
        in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        let used = try connection.execute(
            "UPDATE oauth_secret SET used_at = $2 WHERE secret = $1 AND used_at IS NULL",
            [.blob(secret.bytes), .integer(now.milliseconds)])
        guard used == 1 else { return false }
        try connection.execute(
            "UPDATE oauth_grant SET binding = $2 WHERE id = $1", [.text(grant.id), .text(optional: binding?.text)])
        if let next { try add(next, isCode: false, to: grant.id, in: connection) }
        return true
    }

    /// Revokes a grant with all its tokens.
    package static func revoke(_ id: String, at now: Instant, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            "UPDATE oauth_grant SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
            [.text(id), .integer(now.milliseconds)])
    }

    /// The grant of an id that is not revoked.
    package static func grant(_ id: String, in connection: any SQLConnection) throws(StorageError) -> OAuthGrant? {
        try connection.queryOne("SELECT * FROM oauth_grant WHERE id = $1 AND revoked_at IS NULL", [.text(id)])
            .map { (row) throws(StorageError) in try grant(row) }
    }

    /// The clients that a session granted something to.
    package static func clients(
        of session: String, in connection: any SQLConnection
    ) throws(StorageError) -> [ClientID] {
        let rows = try connection.query(
            "SELECT DISTINCT client FROM oauth_grant WHERE session = $1 ORDER BY client", [.text(session)])
        var clients: [ClientID] = []
        for row in rows { if let client = ClientID(try row.text("client")) { clients.append(client) } }
        return clients
    }

    /// Revokes all that a session granted.
    package static func revoke(
        session: String, at now: Instant, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            "UPDATE oauth_grant SET revoked_at = $2 WHERE session = $1 AND revoked_at IS NULL",
            [.text(session), .integer(now.milliseconds)])
    }

    /// Forgets all that a session granted.
    package static func forget(session: String, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            "DELETE FROM oauth_secret WHERE grant_id IN (SELECT id FROM oauth_grant WHERE session = $1)",
            [.text(session)])
        try connection.execute("DELETE FROM oauth_grant WHERE session = $1", [.text(session)])
    }

    private static func add(
        _ secret: Digest, isCode: Bool, to grant: String, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            "INSERT INTO oauth_secret (secret, grant_id, is_code) VALUES ($1, $2, $3)",
            [.blob(secret.bytes), .text(grant), .integer(isCode ? 1 : 0)])
    }

    private static func grant(_ row: SQLRow) throws(StorageError) -> OAuthGrant {
        guard let client = ClientID(try row.text("client")) else { throw .unexpectedValue }
        func words(_ column: SQLColumn) throws(StorageError) -> [String] {
            try row.text(column).split(separator: " ").map(String.init)
        }
        var details: AuthorizationDetails?
        if let text = try row.optionalText("authorization_details") {
            do { details = try AuthorizationDetails(Array(text.utf8)) } catch { throw .unexpectedValue }
        }
        return OAuthGrant(
            id: try row.text("id"), session: try row.text("session"), client: client,
            redirectURI: try row.text("redirect_uri"), scopes: try words("scopes"), resources: try words("resources"),
            authorizationDetails: details, nonce: try row.optionalText("nonce"),
            codeChallenge: try row.text("code_challenge"),
            binding: try row.optionalText("binding").flatMap { TokenBinding(text: $0) },
            codeExpiresAt: Instant(milliseconds: try row.integer("code_expires_at")))
    }
}
