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

    /// What work on the index's file ended with, as one of ours: what no writer of ours leaves behind is damage.
    init(_ error: any Error) {
        var inner = error
        if case .notDone(let cause)? = error as? TransactionError { inner = cause }
        if let inner = inner as? AuditIndexError {
            self = inner
            return
        }
        switch (error as? TransactionError)?.storage ?? inner as? StorageError {
        // The last: a table or column is not there.
        case .corrupt, .unexpectedValue, .other(code: 1): self = .damaged("the file is damaged")
        default: self = .storage("\(error)")
        }
    }

    /// What reading the log ended with: no new index helps against that.
    init(log error: any Error) {
        if case .notDone(let inner as AuditIndexError)? = error as? TransactionError {
            self = inner
        } else {
            self = .storage("\(error)")
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
