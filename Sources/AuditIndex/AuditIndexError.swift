package import HPKI
import Storage

/// Why the index did not answer.
package enum AuditIndexError: Error, Sendable, Hashable {
    /// It is being made anew, or closed; ask again later.
    case away
    /// What it holds cannot be; it is made anew from the log.
    case damaged(String)
    /// The index or the log could not be read or written: the database's word for it.
    case storage(String)

    /// The error that `work` ended with, as one of ours.
    init(_ error: any Error) {
        switch error {
        case let error as AuditIndexError: self = error
        case let error as TransactionError:
            switch error {
            case .notDone(let inner as AuditIndexError): self = inner
            default: self = error.storage == .corrupt ? .damaged("the file is damaged") : .storage("\(error)")
            }
        case StorageError.corrupt, StorageError.unexpectedValue: self = .damaged("the file is damaged")
        default: self = .storage("\(error)")
        }
    }

    /// The failure that a caller is told.
    package var failure: Failure {
        switch self {
        case .away:
            Failure(.coreUnavailable, "The index of the log is being made anew; ask again shortly.", retryAfter: 5)
        case .damaged(let fault), .storage(let fault):
            Failure(
                .coreUnavailable, "The index of the log cannot be read at present.", retryAfter: 10,
                cause: "index of the log: \(fault)")
        }
    }
}
