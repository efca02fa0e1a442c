import Audit
import CoreProtocol
import HPKI
import Storage
import Transparency

/// Puts records into the index, in their order; a batch is one transaction, so that it is there as a whole or not.
///
/// After an error it must be made anew: what it keeps in memory may be ahead of the file.
struct IndexWriter {
    private let database: Database
    /// The record that comes next.
    private(set) var next: UInt64
    /// The hash of the leaf before it, which says that the index is of this log.
    private(set) var newest: [UInt8]
    /// How long the log was when the index was made anew.
    private(set) var target: UInt64
    /// Records whose detail was gone when they were read, or was erased since.
    private(set) var erased: Int64
    private var words = WordTable()
    private var detector = AnomalyDetector()

    /// Opens what the file holds; throws `.damaged` for an index of another version.
    init(_ database: Database) throws(AuditIndexError) {
        self.database = database
        do {
            let read = try database.writeBlocking { connection in
                // What is erased must not stay in free pages.
                _ = try connection.query("PRAGMA secure_delete = ON")
                _ = try connection.query("PRAGMA cache_size = -32768")
                guard
                    let row = try connection.queryOne(
                        "SELECT version, next, newest, target, erased FROM state WHERE id = 1"),
                    try row.integer("version") == IndexSchema.version
                else { throw AuditIndexError.damaged("the index is of another version") }
                let words = try WordTable(connection)
                let next = UInt64(clamping: try row.integer("next"))
                let detector = try AnomalyDetector(before: next, connection)
                return (
                    next, try row.blob("newest"), UInt64(clamping: try row.integer("target")),
                    try row.integer("erased"), words, detector
                )
            }
            (next, newest, target, erased, words, detector) = read
        } catch { throw AuditIndexError(error) }
    }

    /// Makes the first row of an empty index, of a log that has `target` records now.
    static func prepare(_ database: Database, target: UInt64) throws(AuditIndexError) {
        do {
            try database.writeBlocking { connection in
                _ = try connection.execute(
                    "INSERT INTO state (id, version, next, newest, target, erased) VALUES (1, $1, 0, $2, $3, 0)",
                    [.integer(IndexSchema.version), .blob([]), .integer(Int64(clamping: target))])
            }
        } catch { throw AuditIndexError(error) }
    }

    /// Takes the records that come next.
    mutating func apply(_ rows: [LogSource.Row]) throws(AuditIndexError) {
        guard let last = rows.last else { return }
        do {
            try database.writeBlocking { connection in
                var batch = IndexBatch()
                for row in rows {
                    guard row.sequence == next else {
                        throw AuditIndexError.storage("record \(next) is missing from the log")
                    }
                    try take(try row.record(), hasDetail: row.detail != nil, &batch, connection)
                    next += 1
                    if row.detail == nil { erased += 1 }
                }
                try batch.flush(connection)
                newest = MerkleTree.leafHash(last.leaf)
                try connection.execute(
                    "UPDATE state SET next = $1, newest = $2, erased = $3 WHERE id = 1",
                    [.integer(Int64(clamping: next)), .blob(newest), .integer(erased)])
            }
        } catch { throw AuditIndexError(error) }
    }

    private mutating func take(
        _ record: IndexedRecord, hasDetail: Bool, _ batch: inout IndexBatch, _ connection: any SQLConnection
    ) throws {
        var line = IndexLine(record, isErased: !hasDetail)
        func id(_ dimension: Dimension, _ word: String?) throws -> Int64? {
            try word.map { try words.id(Term(dimension, $0), connection) }
        }
        line.holder = try id(.holder, record.holder?.description)
        let credentials = try record.credentials.compactMap { try id(.credential, $0.description) }
        line.credential = credentials.first
        line.client = try id(.client, record.client?.description)
        line.form = try id(.form, record.form?.rawValue)
        line.failure = try id(.failure, record.failure?.rawValue)
        line.party = try id(.authority, record.authority)
        if let intent = record.intent { try batch.close(intent, by: &line, connection) }

        var terms = [line.holder, line.client, line.form, line.failure, line.party].compactMap { $0 }
        terms += credentials
        if credentials.isEmpty, let inherited = line.credential { terms.append(inherited) }
        let kind = try words.id(Term(.kind, "\(line.kind)"), connection)
        terms.append(kind)
        var counted = [kind]
        if record.outcome != nil || record.kind == .outcome {
            let outcome = try words.id(Term(.outcome, "\(line.outcome)"), connection)
            terms.append(outcome)
            counted.append(outcome)
        }
        if record.kind == .intent {
            if let form = line.form { counted.append(form) }
        }
        if record.kind == .refusal, let failure = line.failure { counted.append(failure) }
        batch.add(line, terms: terms, counted: counted, extra: Array(credentials.dropFirst()))
        if record.kind == .intent { batch.noteUse(line) }
        if hasDetail || record.kind == .outcome { try detector.note(line, connection) }
    }

    /// Removes what details told of these records, as far as the index has them.
    mutating func erase(_ sequences: [Int64]) throws(AuditIndexError) {
        do {
            try database.writeBlocking { connection in
                for sequence in sequences where try Eraser.erase(sequence, in: connection) { erased += 1 }
                let gone = try Eraser.eraseUnusedWords(in: connection)
                for id in gone { words.forget(id) }
                detector = try AnomalyDetector(before: next, connection)
                try connection.execute("UPDATE state SET erased = $1 WHERE id = 1", [.integer(erased)])
            }
        } catch { throw AuditIndexError(error) }
        // Where a reader is in the way, the pages go when the file is closed or others take their place.
        _ = database.emptyJournalBlocking()
    }
}

/// The words of the index with their numbers, the usual ones in memory.
struct WordTable {
    private var ids: [Term: Int64] = [:]
    private var nextID: Int64 = 1
    private static let limit = 100_000

    init() {}

    init(_ connection: any SQLConnection) throws(StorageError) {
        nextID = 1 + (try connection.queryOne("SELECT MAX(id) AS id FROM word")?.optionalInteger("id") ?? 0)
    }

    /// The number of a word, a new one where it has none yet.
    mutating func id(_ term: Term, _ connection: any SQLConnection) throws(StorageError) -> Int64 {
        if let id = ids[term] { return id }
        let id: Int64
        if let known = try Self.known(term, connection) {
            id = known
        } else {
            id = nextID
            nextID += 1
            try connection.execute(
                "INSERT INTO word (id, dimension, word) VALUES ($1, $2, $3)",
                [.integer(id), .integer(term.dimension.rawValue), .text(term.word)])
        }
        if ids.count >= Self.limit { ids = [:] }
        ids[term] = id
        return id
    }

    mutating func forget(_ id: Int64) {
        for (term, known) in ids where known == id { ids[term] = nil }
    }

    /// The number of a word; nil where no record has it.
    static func known(_ term: Term, _ connection: any SQLConnection) throws(StorageError) -> Int64? {
        try connection.queryOne(
            "SELECT id FROM word WHERE dimension = $1 AND word = $2",
            [.integer(term.dimension.rawValue), .text(term.word)]
        )?.integer("id")
    }

    /// The word of a number; nil where it was erased.
    static func word(_ id: Int64, _ connection: any SQLConnection) throws(StorageError) -> Term? {
        guard let row = try connection.queryOne("SELECT dimension, word FROM word WHERE id = $1", [.integer(id)]),
            let dimension = Dimension(rawValue: try row.integer("dimension"))
        else { return nil }
        return Term(dimension, try row.text("word"))
    }
}
