package import HPKI
package import Storage

/// Relying systems that have to be told of a session's end, until each was.
package enum LogoutNoticeStore {
    /// One that is due.
    package struct Due: Sendable, Hashable {
        package let number: Int64
        package let client: ClientID
        package let session: String
        package let holder: HolderID
    }

    /// The table that this module owns.
    package static let part = SchemaPart(
        "logout-notice",
        versions: [
            """
            CREATE TABLE logout_notice (
                number BIGINT PRIMARY KEY,
                client TEXT NOT NULL,
                session TEXT NOT NULL,
                holder TEXT NOT NULL,
                made_at BIGINT NOT NULL,
                due_at BIGINT NOT NULL,
                tries BIGINT NOT NULL DEFAULT 0
            );
            CREATE INDEX logout_notice_due ON logout_notice (due_at);
            """
        ]
    )

    /// The longest time between two tries, and for how long it is tried, in seconds.
    private static let (longestPause, patience): (Int64, Int64) = (3600, 24 * 3600)

    /// Has a client told, from now on.
    package static func insert(
        _ client: ClientID, session: LoginSession, at now: Instant, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO logout_notice (number, client, session, holder, made_at, due_at)
            SELECT COALESCE(MAX(number), 0) + 1, $1, $2, $3, $4, $4 FROM logout_notice
            """,
            [
                .text(client.description), .text(session.id), .text(session.holder.description),
                .integer(now.milliseconds),
            ])
    }

    /// Those that are due, oldest first, at most `limit`.
    package static func due(
        at now: Instant, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [Due] {
        var due: [Due] = []
        for row in try connection.query(
            "SELECT number, client, session, holder FROM logout_notice WHERE due_at <= $1 ORDER BY due_at LIMIT $2",
            [.integer(now.milliseconds), .integer(Int64(limit))])
        {
            guard let client = ClientID(try row.text("client")), let holder = HolderID(try row.text("holder")) else {
                throw .unexpectedValue
            }
            due.append(
                Due(number: try row.integer("number"), client: client, session: try row.text("session"), holder: holder)
            )
        }
        return due
    }

    /// One was told, or is to be told later: after 2, 4, 8 … seconds, at most an hour, for a day.
    package static func settle(
        _ number: Int64, isDone: Bool, at now: Instant, in connection: any SQLConnection
    ) throws(StorageError) {
        let row = try connection.queryOne(
            "SELECT tries, made_at FROM logout_notice WHERE number = $1", [.integer(number)])
        guard let row else { return }
        let tries = min(try row.integer("tries") + 1, 30)
        let isOver = try row.integer("made_at") < now.adding(seconds: -patience).milliseconds
        guard !isDone, !isOver else {
            try connection.execute("DELETE FROM logout_notice WHERE number = $1", [.integer(number)])
            return
        }
        let pause = min(longestPause, Int64(1) << min(tries, 12))
        try connection.execute(
            "UPDATE logout_notice SET tries = $2, due_at = $3 WHERE number = $1",
            [.integer(number), .integer(tries), .integer(now.adding(seconds: pause).milliseconds)])
    }
}
