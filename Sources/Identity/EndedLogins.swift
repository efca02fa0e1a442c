package import HPKI
import JOSE
package import Storage
import Synchronization

/// Logins that have ended before their time, whose tokens are refused from then on.
///
/// The database keeps them for a window's length; all of them are in memory, so that every use of a token asks.
package final class EndedLogins: Sendable {
    /// The table that this module owns.
    package static let part = SchemaPart(
        "ended-login",
        versions: [
            """
            CREATE TABLE ended_login (
                issuer TEXT NOT NULL,
                session TEXT NOT NULL,
                subject TEXT NOT NULL,
                ended_at BIGINT NOT NULL,
                PRIMARY KEY (issuer, session, subject)
            );
            CREATE INDEX ended_login_time ON ended_login (ended_at);
            """
        ]
    )

    // INVARIANT: what is in the table and not older than a window is here, and at most moments more.
    private let ended: Mutex<[Key: Instant]>

    private struct Key: Hashable {
        let issuer: String
        /// Empty where all of the subject's logins ended.
        let session: String
        /// Empty where one session ended.
        let subject: String
    }

    /// A register that knows of no end yet.
    package init() {
        ended = Mutex([:])
    }

    /// Reads what has ended; throws `StorageError` wrapped as the database gives it.
    package init(_ database: Database) async throws(TransactionError) {
        let rows = try await database.read { connection in
            try connection.query("SELECT issuer, session, subject, ended_at FROM ended_login").map { row in
                (
                    Key(
                        issuer: try row.text("issuer"), session: try row.text("session"),
                        subject: try row.text("subject")),
                    Instant(milliseconds: try row.integer("ended_at"))
                )
            }
        }
        ended = Mutex(Dictionary(rows, uniquingKeysWith: { first, _ in first }))
    }

    /// Stores that a login has ended, in the transaction that ends it; `took` makes it count once that has committed.
    package static func store(_ statement: LogoutStatement, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO ended_login (issuer, session, subject, ended_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (issuer, session, subject) DO UPDATE SET ended_at = $4 WHERE ended_login.ended_at < $4
            """,
            [
                .text(statement.issuer), .text(statement.session ?? ""), .text(statement.subject ?? ""),
                .integer(statement.at.milliseconds),
            ])
    }

    /// From now on the login's tokens are refused.
    package func took(_ statement: LogoutStatement) {
        let key = Key(
            issuer: statement.issuer, session: statement.session ?? "", subject: statement.subject ?? "")
        // An older statement that comes late takes nothing back.
        ended.withLock { $0[key] = max($0[key] ?? statement.at, statement.at) }
    }

    /// Forgets what ended before `moment`, whose tokens are past their window.
    package func forget(before moment: Instant, in database: Database) async throws(TransactionError) {
        _ = try await database.write { connection in
            try connection.execute("DELETE FROM ended_login WHERE ended_at < $1", [.integer(moment.milliseconds)])
        }
        ended.withLock { $0 = $0.filter { moment <= $0.value } }
    }

    /// Throws `.loginEnded` for the token of a login that has ended.
    package func check(
        issuer: String, session: String?, grant: String? = nil, subject: String, authenticatedAt: Instant
    ) throws(IdentityError) {
        let isOver = ended.withLock { ended in
            if let grant, ended[Key(issuer: issuer, session: LogoutStatement.name(ofGrant: grant), subject: "")] != nil
            {
                return true
            }
            if let session, ended[Key(issuer: issuer, session: session, subject: "")] != nil { return true }
            guard let all = ended[Key(issuer: issuer, session: "", subject: subject)] else { return false }
            return authenticatedAt <= all
        }
        guard !isOver else { throw .loginEnded }
    }
}

/// That a session of a subject's, or all of them, ended at an issuer.
package struct LogoutStatement: Sendable, Hashable {
    package let issuer: String
    /// `sid`; nil where all of the subject's sessions ended.
    package let session: String?
    /// Nil where a session alone is named.
    package let subject: String?
    package let at: Instant

    /// That the tokens of one code, and they alone, count no more.
    package init(issuer: String, grant: String, at: Instant) {
        self.init(issuer: issuer, session: Self.name(ofGrant: grant), at: at)
    }

    fileprivate static func name(ofGrant grant: String) -> String { "grant:" + grant }

    private static let event = "http://schemas.openid.net/event/backchannel-logout"

    /// That one session ended here.
    package init(issuer: String, session: String, at: Instant) {
        self.issuer = issuer
        self.session = session
        subject = nil
        self.at = at
    }

    /// Judges a logout token whose signature and type hold (OpenID Connect Back-Channel Logout 1.0 §2.6).
    init(
        _ token: VerifiedToken, issuer: IssuerSettings, window: ActivationWindow, at now: Instant
    ) throws(IdentityError) {
        guard token.issuer == issuer.issuer else { throw .unknownIssuer }
        guard token.audience.contains(issuer.audience) else { throw .wrongAudience }
        guard let issuedAt = token.issuedAt else { throw .claim("iat", "is missing") }
        guard let expires = token.expires else { throw .claim("exp", "is missing") }
        try window.checkTimes(expiresAt: expires, validFrom: issuedAt, at: now)
        guard token.tokenID != nil else { throw .claim("jti", "is missing") }
        guard token.events.contains(Self.event) else { throw .claim("events", "is not that of a logout") }
        guard token.nonce == nil else { throw .claim("nonce", "must not be there") }
        guard token.sessionID != nil || token.subject != nil else { throw .claim("sid", "and sub are missing") }
        self.issuer = issuer.issuer
        session = token.sessionID
        subject = token.sessionID == nil ? token.subject : nil
        at = issuedAt
    }
}
