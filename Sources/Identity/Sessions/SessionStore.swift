package import HPKI
package import Storage

/// The table of logins' sessions.
///
/// A secret is kept as its SHA-256 alone. Of a card, its certificate is kept, so that it can be judged again while the
/// session lasts; it is emptied when the session ends.
package enum SessionStore {
    /// The table that this module owns.
    package static let part = SchemaPart(
        "login-session",
        versions: [
            """
            CREATE TABLE login_session (
                id TEXT PRIMARY KEY,
                secret BLOB NOT NULL UNIQUE,
                holder TEXT NOT NULL,
                method TEXT NOT NULL,
                attested_by TEXT NOT NULL,
                certificate BLOB,
                authenticated_at BIGINT NOT NULL,
                ends_at BIGINT NOT NULL,
                ended_at BIGINT
            );
            CREATE INDEX login_session_holder ON login_session (holder) WHERE ended_at IS NULL;
            CREATE INDEX login_session_end ON login_session (ends_at);
            """
        ]
    )

    /// Adds a session.
    package static func insert(
        _ session: LoginSession, secret: Digest, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO login_session (id, secret, holder, method, attested_by, certificate, authenticated_at, ends_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                .text(session.id), .blob(secret.bytes), .text(session.holder.description),
                .text(session.method.rawValue), .text(session.attestedBy), .blob(optional: session.certificate),
                .integer(session.authenticatedAt.milliseconds), .integer(session.endsAt.milliseconds),
            ])
    }

    /// The session of a secret that has not ended at `now`.
    package static func session(
        secret: Digest, at now: Instant, in connection: any SQLConnection
    ) throws(StorageError) -> LoginSession? {
        try connection.queryOne(
            "SELECT \(columns) FROM login_session WHERE secret = $1 AND ended_at IS NULL AND ends_at > $2",
            [.blob(secret.bytes), .integer(now.milliseconds)]
        ).map { (row) throws(StorageError) in try session(row) }
    }

    /// The session of an id that has not ended at `now`.
    package static func session(
        _ id: String, at now: Instant, in connection: any SQLConnection
    ) throws(StorageError) -> LoginSession? {
        try connection.queryOne(
            "SELECT \(columns) FROM login_session WHERE id = $1 AND ended_at IS NULL AND ends_at > $2",
            [.text(id), .integer(now.milliseconds)]
        ).map { (row) throws(StorageError) in try session(row) }
    }

    /// A holder's sessions that have not ended at `now`, newest first, at most `limit`.
    package static func sessions(
        of holder: HolderID, at now: Instant, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [LoginSession] {
        try sessions(
            try connection.query(
                """
                SELECT \(columns) FROM login_session WHERE holder = $1 AND ended_at IS NULL AND ends_at > $2
                ORDER BY authenticated_at DESC, id LIMIT $3
                """,
                [.text(holder.description), .integer(now.milliseconds), .integer(Int64(limit))]))
    }

    /// Sessions that have not ended at `now`, behind the id `after` in the order of ids, at most `limit`.
    package static func open(
        after: String, at now: Instant, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [LoginSession] {
        try sessions(
            try connection.query(
                """
                SELECT \(columns) FROM login_session WHERE id > $1 AND ended_at IS NULL AND ends_at > $2
                ORDER BY id LIMIT $3
                """,
                [.text(after), .integer(now.milliseconds), .integer(Int64(limit))]))
    }

    /// Sessions that have not ended at `now` and whose holder is not enabled, at most `limit`.
    ///
    /// Found by the index of such holders, so that it costs the same however many are logged in.
    package static func openOfDisabled(
        at now: Instant, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [LoginSession] {
        // The state is in the text, as in the index: a parameter would hide that the index serves.
        try sessions(
            try connection.query(
                """
                SELECT \(columns) FROM login_session
                WHERE holder IN (SELECT id FROM holder WHERE state <> 'enabled') AND ended_at IS NULL AND ends_at > $1
                LIMIT $2
                """,
                [.integer(now.milliseconds), .integer(Int64(limit))]))
    }

    /// Ends a session; gives false where it had ended before.
    package static func end(
        _ id: String, at now: Instant, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        try connection.execute(
            "UPDATE login_session SET ended_at = $2, certificate = NULL WHERE id = $1 AND ended_at IS NULL",
            [.text(id), .integer(now.milliseconds)]) == 1
    }

    /// Ends all sessions, as a restore does: which of them had ended since the backup is not known.
    package static func endAll(at now: Instant, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            "UPDATE login_session SET ended_at = $1, certificate = NULL WHERE ended_at IS NULL",
            [.integer(now.milliseconds)])
    }

    /// Forgets sessions whose window closed before `moment` and what they granted, at most `limit`; gives how many.
    package static func forget(
        before moment: Instant, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> Int {
        let past = try connection.query(
            "SELECT id FROM login_session WHERE ends_at < $1 ORDER BY ends_at LIMIT $2",
            [.integer(moment.milliseconds), .integer(Int64(limit))])
        for row in past {
            let id = try row.text("id")
            try GrantStore.forget(session: id, in: connection)
            try connection.execute("DELETE FROM login_session WHERE id = $1", [.text(id)])
        }
        return past.count
    }

    private static let columns = "id, holder, method, attested_by, certificate, authenticated_at, ends_at"

    private static func sessions(_ rows: [SQLRow]) throws(StorageError) -> [LoginSession] {
        var sessions: [LoginSession] = []
        for row in rows { sessions.append(try session(row)) }
        return sessions
    }

    private static func session(_ row: SQLRow) throws(StorageError) -> LoginSession {
        guard let holder = HolderID(try row.text("holder")),
            let method = AuthenticationMethod(rawValue: try row.text("method"))
        else { throw .unexpectedValue }
        return LoginSession(
            id: try row.text("id"), holder: holder, method: method, attestedBy: try row.text("attested_by"),
            certificate: try row.optionalBlob("certificate"),
            authenticatedAt: Instant(milliseconds: try row.integer("authenticated_at")),
            endsAt: Instant(milliseconds: try row.integer("ends_at")))
    }
}

/// That a holder proved who they are, until the window closes or somebody ends it.
package struct LoginSession: Sendable, Hashable {
    /// `sid`, 128 random bits in hexadecimal.
    package let id: String
    package let holder: HolderID
    package let method: AuthenticationMethod
    /// Who saw the proof: `front` for a card, whose TLS ends there.
    package let attestedBy: String
    /// The card's certificate, DER.
    package let certificate: [UInt8]?
    package let authenticatedAt: Instant
    package let endsAt: Instant

    /// A session of its parts.
    package init(
        id: String, holder: HolderID, method: AuthenticationMethod, attestedBy: String, certificate: [UInt8]?,
        authenticatedAt: Instant, endsAt: Instant
    ) {
        self.id = id
        self.holder = holder
        self.method = method
        self.attestedBy = attestedBy
        self.certificate = certificate
        self.authenticatedAt = authenticatedAt
        self.endsAt = endsAt
    }

    /// `amr` (RFC 8176): a key in hardware that a PIN opens, or that a person's presence and body open.
    package var authenticationMethods: [String] {
        switch method {
        case .hpkiCard, .jpkiCard: ["hwk", "pin", "mfa"]
        case .passkeyDevice: ["hwk", "user", "mfa"]
        case .passkeySynced: ["swk", "user", "mfa"]
        }
    }

    /// The session as the log tells it, a line each.
    package var text: String {
        """
        sid=\(id)
        method=\(method.rawValue)
        attested_by=\(attestedBy)
        auth_time=\(authenticatedAt.seconds)
        ends=\(endsAt.seconds)
        """
    }
}
