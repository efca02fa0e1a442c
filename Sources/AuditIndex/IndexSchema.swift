package import Storage

/// The tables of the index; all of it follows from the log, so a new release makes it anew instead of migrating it.
enum IndexSchema {
    /// Changed whenever the same log would give other rows; an index of another version is thrown away.
    static let version: Int64 = 1

    // The file is SQLite's alone: INTEGER PRIMARY KEY is its row number. Keys begin with the chunk, so that records just
    // taken in stand together and not everywhere in the file; looking through all chunks of ten million is 153 steps.
    static let part = SchemaPart(
        "audit-index",
        versions: [
            """
            CREATE TABLE state (
                id INTEGER PRIMARY KEY,
                version INTEGER NOT NULL,
                next INTEGER NOT NULL,
                newest BLOB NOT NULL,
                target INTEGER NOT NULL,
                erased INTEGER NOT NULL
            );
            CREATE TABLE word (
                id INTEGER PRIMARY KEY,
                dimension INTEGER NOT NULL,
                word TEXT NOT NULL,
                UNIQUE (dimension, word)
            );
            CREATE TABLE suspect (id INTEGER PRIMARY KEY);
            CREATE TABLE entry (
                sequence INTEGER PRIMARY KEY,
                time INTEGER NOT NULL,
                kind INTEGER NOT NULL,
                outcome INTEGER NOT NULL,
                counterpart INTEGER,
                holder INTEGER,
                credential INTEGER,
                client INTEGER,
                form INTEGER,
                failure INTEGER,
                party INTEGER,
                signature_name INTEGER,
                request_name INTEGER,
                erased INTEGER NOT NULL
            );
            CREATE TABLE extra (
                sequence INTEGER NOT NULL,
                term INTEGER NOT NULL,
                PRIMARY KEY (sequence, term)
            ) WITHOUT ROWID;
            CREATE TABLE posting (
                chunk INTEGER NOT NULL,
                term INTEGER NOT NULL,
                count INTEGER NOT NULL,
                places BLOB NOT NULL,
                PRIMARY KEY (chunk, term)
            ) WITHOUT ROWID;
            CREATE TABLE client_use (
                chunk INTEGER NOT NULL,
                term INTEGER NOT NULL,
                count INTEGER NOT NULL,
                places BLOB NOT NULL,
                PRIMARY KEY (chunk, term)
            ) WITHOUT ROWID;
            CREATE TABLE name (
                chunk INTEGER NOT NULL,
                name INTEGER NOT NULL,
                sequence INTEGER NOT NULL,
                PRIMARY KEY (chunk, name, sequence)
            ) WITHOUT ROWID;
            CREATE TABLE bucket (
                step INTEGER NOT NULL,
                start INTEGER NOT NULL,
                first INTEGER NOT NULL,
                count INTEGER NOT NULL,
                PRIMARY KEY (step, start)
            ) WITHOUT ROWID;
            CREATE TABLE tally (
                step INTEGER NOT NULL,
                start INTEGER NOT NULL,
                term INTEGER NOT NULL,
                count INTEGER NOT NULL,
                PRIMARY KEY (step, start, term)
            ) WITHOUT ROWID;
            CREATE TABLE pair (
                holder INTEGER NOT NULL,
                client INTEGER NOT NULL,
                first INTEGER NOT NULL,
                PRIMARY KEY (holder, client)
            ) WITHOUT ROWID;
            CREATE TABLE anomaly (
                id INTEGER PRIMARY KEY,
                rule TEXT NOT NULL,
                began INTEGER NOT NULL,
                ended INTEGER NOT NULL,
                subject INTEGER NOT NULL,
                client INTEGER,
                count INTEGER NOT NULL,
                bound INTEGER NOT NULL,
                first INTEGER NOT NULL,
                last INTEGER NOT NULL,
                records BLOB NOT NULL
            );
            CREATE INDEX anomaly_began ON anomaly (began);
            CREATE INDEX anomaly_subject ON anomaly (subject, rule, id);
            """
        ]
    )
}

/// Finds erased records quickly; a table's index in core's own database, beside the log's tables.
package enum ErasureSchema {
    /// One entry for each record whose detail is gone.
    package static let part = SchemaPart(
        "audit-erasure",
        versions: ["CREATE INDEX audit_entry_erased ON audit_entry (sequence) WHERE detail IS NULL;"]
    )
}

/// What a word of the index says; the numbers are kept in the file.
enum Dimension: Int64, Sendable, Hashable {
    case kind = 1
    case outcome = 2
    case form = 3
    case failure = 4
    case client = 5
    case holder = 6
    case credential = 7
    /// An authority; refusals are counted for it.
    case authority = 8

    /// Whether its words go when no record has them any more: those that may name somebody.
    var isErasable: Bool {
        switch self {
        case .kind, .outcome, .form, .failure: false
        case .client, .holder, .credential, .authority: true
        }
    }
}

/// A word by what it says.
struct Term: Sendable, Hashable {
    let dimension: Dimension
    let word: String

    init(_ dimension: Dimension, _ word: String) {
        self.dimension = dimension
        self.word = word
    }
}
