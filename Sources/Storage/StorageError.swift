internal import GRDB

/// What a database could not do; never with SQL or values in it.
package enum StorageError: Error, Sendable, Hashable {
    /// Another connection held the database for longer than the time limit.
    case busy
    /// The disk is full.
    case full
    /// The disk, or the file system, said no.
    case io
    /// The file is not a database of ours, or is damaged.
    case corrupt
    /// A statement would have broken a constraint of its table.
    case constraint
    /// There is no such database.
    case missing
    /// A database that was to be made is there already.
    case exists
    /// A write on a connection that only reads.
    case readOnly
    /// The data was written by a newer release than this one.
    case schemaTooNew(part: String, found: Int, known: Int)
    /// The data must first be brought up to date by a connection that writes.
    case schemaTooOld(part: String, found: Int, known: Int)
    /// A column is not there or of another type than its reader takes.
    case unexpectedValue
    /// A write went wrong such that only opening the database anew tells what it holds.
    case mustReopen
    /// The database, or the transaction, is closed.
    case closed
    /// Another fault, by the database's own code.
    case other(code: Int)

    /// The word for what GRDB threw.
    init(_ error: any Error) {
        if let error = error as? StorageError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self = .other(code: -1)
            return
        }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy
        case .SQLITE_FULL: self = .full
        case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM: self = .io
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt
        case .SQLITE_CONSTRAINT: self = .constraint
        case .SQLITE_READONLY: self = .readOnly
        default: self = .other(code: Int(error.extendedResultCode.rawValue))
        }
    }

    /// Whether the disk may hold something else than the database's memory says.
    var leavesDiskUnknown: Bool {
        switch self {
        case .io, .corrupt: true
        default: false
        }
    }
}

/// How a transaction failed: the difference decides whether it may be tried again.
package enum TransactionError: Error, Sendable {
    /// Nothing was changed: the error of the transaction's own closure, or a `StorageError`.
    case notDone(any Error)
    /// The change may or may not be there; the database answers `.mustReopen` from now on.
    case inDoubt(StorageError)

    /// The database's fault, where it was one.
    package var storage: StorageError? {
        switch self {
        case .notDone(let error): error as? StorageError
        case .inDoubt(let error): error
        }
    }
}

extension StorageError: CustomStringConvertible {
    /// One line for the operator.
    package var description: String {
        switch self {
        case .busy: "another process holds the database"
        case .full: "the disk is full"
        case .io: "the disk or the file system failed"
        case .corrupt: "the file is damaged or no database of this program"
        case .constraint: "a constraint of a table would be broken"
        case .missing: "there is no such database"
        case .exists: "the database exists already"
        case .readOnly: "the connection only reads"
        case .schemaTooNew(let part, let found, let known):
            "a newer release wrote it (tables of `\(part)`: version \(found), known here: \(known)); use that release"
        case .schemaTooOld(let part, let found, let known):
            "an older release wrote it (tables of `\(part)`: version \(found), needed here: \(known)); open it for writing"
        case .unexpectedValue: "a column has another type than expected"
        case .mustReopen: "a write failed before; the database must be opened anew"
        case .closed: "the database is closed"
        case .other(let code): "the database failed with code \(code)"
        }
    }
}
