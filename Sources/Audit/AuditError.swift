package import HPKI
package import Storage

/// Why the audit log did not take an entry, or could not be opened.
package enum AuditError: Error, Sendable, Hashable {
    /// The log stopped after a failed write; nothing is signed until core has started anew and verified it.
    case stopped
    /// The condition that was to hold in the same transaction did not; nothing was recorded.
    case refused(Failure)
    /// The log does not hold together: what is wrong, naming the record.
    case broken(String)
    /// The store or the head could not be read at all.
    case unreadable(String)
}

extension AuditError {
    /// The failure that a caller is told.
    package var failure: Failure {
        switch self {
        case .refused(let failure):
            failure
        case .stopped:
            Failure(
                .auditUnavailable, "The audit log cannot be written at present, so nothing is signed.", retryAfter: 5
            )
        case .broken(let fault), .unreadable(let fault):
            Failure(
                .auditUnavailable, "The audit log cannot be used at present, so nothing is signed.", retryAfter: 30,
                cause: fault
            )
        }
    }
}

/// The tables that the audit log owns.
package enum AuditSchema {
    /// One row an entry: the chained leaf, and the detail that may be erased; one row a commit: the tree as it then
    /// stood, sealed under the log key, so that nobody else can add to the records behind the head.
    package static let part = SchemaPart(
        "audit",
        versions: [
            """
            CREATE TABLE audit_entry (
                sequence BIGINT PRIMARY KEY,
                leaf BLOB NOT NULL,
                detail BLOB
            );
            CREATE TABLE audit_commit (
                size BIGINT PRIMARY KEY,
                root BLOB NOT NULL,
                seal BLOB NOT NULL
            );
            """,
            // The signatures under the commit's checkpoint, witnesses' cosignatures, and the tree's hashes by tiles.
            """
            ALTER TABLE audit_commit ADD COLUMN signatures BLOB;
            CREATE TABLE audit_cosignature (
                size BIGINT NOT NULL,
                witness TEXT NOT NULL,
                key_id BIGINT NOT NULL,
                value BLOB NOT NULL,
                PRIMARY KEY (size, witness, key_id)
            );
            CREATE TABLE audit_tile (
                level INTEGER NOT NULL,
                number BIGINT NOT NULL,
                hashes BLOB NOT NULL,
                PRIMARY KEY (level, number)
            );
            """,
        ]
    )
}
