internal import GRDB
internal import Glibc
internal import Synchronization

/// A database file (SQLite, WAL, synchronous=FULL): one writer at a time, readers beside it.
///
/// INVARIANT: after a commit whose outcome is unknown, or an I/O error, nothing is written until the file is opened
/// anew: SQLite would call the next commit good whatever the disk lost before; owned by `state`.
package final class Database: Sendable {
    private struct State {
        var mustReopen = false
        var isClosed = false
        var commits = 0
    }

    /// For which another process's writing is waited.
    private static let patienceSeconds = 5

    /// SQLite's own check-points hide their errors, so they are off and ours come after so many commits.
    private let commitsPerCheckpoint: Int

    private let pool: DatabasePool
    private let isReadOnly: Bool
    private let faults: DatabaseFaults?
    private let state = Mutex(State())

    /// Makes a database with these tables, for its owner alone (0600); blocks; throws `.exists` and others.
    ///
    /// Who writes much in one commit says how many of them may stand in the log before it is moved into the file.
    package static func create(
        at path: String, parts: [SchemaPart], faults: DatabaseFaults? = nil, commitsPerCheckpoint: Int = 256
    ) throws(StorageError) -> Database {
        let file = unsafe Glibc.open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw errno == EEXIST ? .exists : .io }
        Glibc.close(file)
        do throws(StorageError) {
            let database = try Database(path, readOnly: false, faults, commitsPerCheckpoint)
            try database.onWriter { try SchemaPart.migrate($0, parts) }
            return database
        } catch {
            unsafe _ = unlink(path)
            throw error
        }
    }

    /// Opens a database and, unless `readOnly`, brings its tables up to date; blocks; throws `.missing`, `.corrupt`,
    /// `.schemaTooNew`, `.schemaTooOld` (only `readOnly`) and others.
    package static func open(
        at path: String, parts: [SchemaPart], readOnly: Bool = false, faults: DatabaseFaults? = nil,
        commitsPerCheckpoint: Int = 256
    ) throws(StorageError) -> Database {
        guard unsafe access(path, F_OK) == 0 else { throw .missing }
        let database = try Database(path, readOnly: readOnly, faults, commitsPerCheckpoint)
        try database.onWriter { connection in
            try SchemaPart.check(connection, parts, mayBeOlder: !readOnly)
            if !readOnly { try SchemaPart.migrate(connection, parts) }
        }
        return database
    }

    private init(
        _ path: String, readOnly: Bool, _ faults: DatabaseFaults?, _ commitsPerCheckpoint: Int
    ) throws(StorageError) {
        self.commitsPerCheckpoint = max(1, commitsPerCheckpoint)
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Double(Self.patienceSeconds))
        configuration.maximumReaderCount = 4
        self.isReadOnly = readOnly
        self.faults = faults
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            if !readOnly {
                // GRDB chooses NORMAL, with which a power failure may lose commits that were answered.
                try pool.writeWithoutTransaction { connection in
                    try connection.execute(sql: "PRAGMA synchronous = FULL")
                    try connection.execute(sql: "PRAGMA wal_autocheckpoint = 0")
                    // What is overwritten or deleted must not stay in the file's free space.
                    _ = try Row.fetchOne(connection, sql: "PRAGMA secure_delete = ON")
                }
            }
        } catch {
            throw StorageError(error)
        }
    }

    /// Runs `work` in one transaction that is on the disk when this returns.
    ///
    /// Cancelling the task does not stop it. Throws `.notDone` with the closure's error or ours, or `.inDoubt`.
    package func write<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(TransactionError) -> Value {
        let result = await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { continuation.resume(returning: self.transact($0, work)) }
        }
        return try result.get()
    }

    /// `write` on the caller's own thread, which must not be one of Swift's shared ones.
    package func writeBlocking<Value>(
        _ work: (any SQLConnection) throws -> Value
    ) throws(TransactionError) -> Value {
        try pool.writeWithoutTransaction { transact($0, work) }.get()
    }

    /// Runs `work` on one snapshot of what is committed; throws `.notDone` with the closure's error or ours.
    package func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(TransactionError) -> Value {
        let result = await withCheckedContinuation { continuation in
            pool.asyncRead { connection in
                continuation.resume(returning: Result { try Self.look(try connection.get(), work) })
            }
        }
        do { return try result.get() } catch { throw .notDone(Self.plain(error)) }
    }

    /// `read` on the caller's own thread, which must not be one of Swift's shared ones.
    package func readBlocking<Value>(
        _ work: (any SQLConnection) throws -> Value
    ) throws(TransactionError) -> Value {
        do { return try pool.read { try Self.look($0, work) } } catch { throw .notDone(Self.plain(error)) }
    }

    /// Throws `.corrupt` where the file's structure is damaged (PRAGMA quick_check).
    package func checkIntegrity() async throws(StorageError) {
        do {
            let found = try await read { try $0.queryOne("PRAGMA quick_check(1)")?.text(0) }
            guard found == "ok" else { throw StorageError.corrupt }
        } catch let error as TransactionError {
            throw error.storage ?? .corrupt
        } catch {
            throw StorageError(error)
        }
    }

    /// Writes a compact copy of one snapshot to a new file, beside readers and the writer; blocks; throws `.exists`.
    ///
    /// What was deleted or overwritten is not in the copy (VACUUM INTO). It is not synced: whoever keeps it does that.
    package func copy(to path: String) throws(StorageError) {
        guard unsafe access(path, F_OK) != 0 else { throw .exists }
        let file = unsafe Glibc.open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .io }
        Glibc.close(file)
        try onWriter { try $0.execute(sql: "VACUUM INTO ?", arguments: [path]) }
    }

    /// Moves the write-ahead log into the file and empties it, so that nothing is left there of what was overwritten.
    ///
    /// False where somebody reads what it holds, or the file must be opened anew: then it stays for the next time.
    package func emptyJournal() async -> Bool {
        await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { continuation.resume(returning: self.empty($0)) }
        }
    }

    /// `emptyJournal` on the caller's own thread, which must not be one of Swift's shared ones.
    package func emptyJournalBlocking() -> Bool { pool.writeWithoutTransaction(empty) }

    /// Closes the file after what is under way, with the log moved into it; blocks; throws `.busy` while something is
    /// under way, and what the disk said.
    package func close() throws(StorageError) {
        let isSound = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed && !state.mustReopen && !isReadOnly
        }
        if isSound {
            try onWriter { _ = try Row.fetchOne($0, sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
        }
        do { try pool.close() } catch { throw StorageError(error) }
    }

    private func onWriter(_ body: (GRDB.Database) throws -> Void) throws(StorageError) {
        do { try pool.writeWithoutTransaction(body) } catch { throw StorageError(error) }
    }
}

extension Database {
    private func transact<Value>(
        _ database: GRDB.Database, _ work: (any SQLConnection) throws -> Value
    ) -> Result<Value, TransactionError> {
        if let refusal = state.withLock({ $0.isClosed ? .closed : $0.mustReopen ? StorageError.mustReopen : nil }) {
            return .failure(.notDone(refusal))
        }
        let connection = SQLiteConnection(database)
        defer { connection.end() }
        let value: Value
        do {
            try database.beginTransaction(.immediate)
            value = try work(connection)
            // The closure may have swallowed the error that ended the transaction.
            if let fault = connection.fault { throw fault }
            guard database.isInsideTransaction else { throw StorageError.other(code: -1) }
        } catch {
            undo(database)
            if connection.fault?.leavesDiskUnknown == true { refuseWrites() }
            return .failure(.notDone(Self.plain(error)))
        }
        return commit(database).map { value }
    }

    private func commit(_ database: GRDB.Database) -> Result<Void, TransactionError> {
        do {
            try faults?.beforeCommit()
        } catch {
            undo(database)
            refuseWrites()
            return .failure(.inDoubt(.io))
        }
        do {
            try database.commit()
        } catch {
            let fault = StorageError(error)
            undo(database)
            // These two are found before anything of the commit is written.
            if fault == .busy || fault == .constraint { return .failure(.notDone(fault)) }
            refuseWrites()
            return .failure(.inDoubt(fault))
        }
        do {
            try faults?.afterCommit()
        } catch {
            refuseWrites()
            return .failure(.inDoubt(.io))
        }
        checkpoint(database)
        return .success(())
    }

    /// Moves the log's pages into the file now and then; the commits themselves are safe in the log.
    private func checkpoint(_ database: GRDB.Database) {
        let isDue = state.withLock { state in
            state.commits = (state.commits + 1) % commitsPerCheckpoint
            return state.commits == 0
        }
        guard isDue else { return }
        do {
            _ = try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(PASSIVE)")
        } catch {
            if StorageError(error).leavesDiskUnknown { refuseWrites() }
        }
    }

    /// Waits for no reader: the writer is wanted.
    private func empty(_ database: GRDB.Database) -> Bool {
        guard !isReadOnly, !state.withLock({ $0.isClosed || $0.mustReopen }) else { return false }
        do {
            _ = try Row.fetchOne(database, sql: "PRAGMA busy_timeout = 0")
            let isBusy = try Int.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            _ = try Row.fetchOne(database, sql: "PRAGMA busy_timeout = \(Self.patienceSeconds * 1000)")
            return isBusy == 0
        } catch {
            if StorageError(error).leavesDiskUnknown { refuseWrites() }
            return false
        }
    }

    private func undo(_ database: GRDB.Database) {
        guard database.isInsideTransaction else { return }
        do { try database.rollback() } catch { refuseWrites() }
        if database.isInsideTransaction { refuseWrites() }
    }

    /// Whether nothing is written any more until the file is opened anew.
    package var mustReopen: Bool { state.withLock { $0.mustReopen } }

    private func refuseWrites() { state.withLock { $0.mustReopen = true } }

    private static func look<Value>(
        _ database: GRDB.Database, _ work: (any SQLConnection) throws -> Value
    ) throws -> Value {
        let connection = SQLiteConnection(database)
        defer { connection.end() }
        return try work(connection)
    }

    /// GRDB's errors carry SQL: they stay here.
    private static func plain(_ error: any Error) -> any Error {
        error is DatabaseError ? StorageError(error) : error
    }
}
