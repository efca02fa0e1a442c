package import HPKI
package import Storage

/// The registry's tables of holders, and of the issuers that may speak for each.
package enum HolderStore {
    /// Whether a holder may act.
    package enum State: String, Sendable, Hashable, CaseIterable {
        case enabled
        case disabled
    }

    /// The tables that this module owns.
    package static let part = SchemaPart(
        "identity",
        versions: [
            """
            CREATE TABLE holder (
                id TEXT PRIMARY KEY,
                state TEXT NOT NULL
            );
            CREATE TABLE identity_link (
                issuer TEXT NOT NULL,
                subject TEXT NOT NULL,
                holder TEXT NOT NULL,
                PRIMARY KEY (issuer, subject)
            );
            """,
            """
            ALTER TABLE holder ADD COLUMN authority TEXT NOT NULL DEFAULT '';
            ALTER TABLE holder ADD COLUMN facts BLOB;
            ALTER TABLE holder ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
            ALTER TABLE holder ADD COLUMN record BIGINT;
            CREATE INDEX holder_authority ON holder (authority, id);
            """,
            "CREATE INDEX holder_disabled ON holder (id) WHERE state <> 'enabled'",
        ]
    )

    /// Adds an enabled holder; throws `StorageError.constraint` when the id is taken.
    package static func insert(_ holder: HolderID, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            "INSERT INTO holder (id, state) VALUES ($1, $2)",
            [.text(holder.description), .text(State.enabled.rawValue)]
        )
    }

    /// Registers `issuer` to speak for `holder` under `subject`; an issuer speaks for nobody else.
    package static func link(
        issuer: String, subject: String, to holder: HolderID, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            "INSERT INTO identity_link (issuer, subject, holder) VALUES ($1, $2, $3)",
            [.text(issuer), .text(subject), .text(holder.description)]
        )
    }

    /// The enabled holder that `issuer` may speak for under `subject`.
    package static func holder(
        issuer: String, subject: String, in connection: any SQLConnection
    ) throws(StorageError) -> HolderID? {
        let row = try connection.queryOne(
            """
            SELECT h.id AS id FROM identity_link l JOIN holder h ON h.id = l.holder
            WHERE l.issuer = $1 AND l.subject = $2 AND h.state = $3
            """,
            [.text(issuer), .text(subject), .text(State.enabled.rawValue)]
        )
        return HolderID(try row?.text("id") ?? "")
    }

    /// Whether there is a row of the holder, registered by an authority or not.
    package static func exists(_ holder: HolderID, in connection: any SQLConnection) throws(StorageError) -> Bool {
        try connection.queryOne("SELECT id FROM holder WHERE id = $1", [.text(holder.description)]) != nil
    }

    /// Whether the holder exists and is enabled.
    package static func isEnabled(
        _ holder: HolderID, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        let row = try connection.queryOne(
            "SELECT state FROM holder WHERE id = $1", [.text(holder.description)]
        )
        return try row?.text("state") == State.enabled.rawValue
    }
}
