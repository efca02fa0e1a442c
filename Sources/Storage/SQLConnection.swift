/// A database within one transaction, for the time of the closure that it is given to.
///
/// SQL is what SQLite and PostgreSQL both understand; parameters are `$1`, `$2`, … as in PostgreSQL. A statement is
/// prepared once for each text, so texts are constants.
package protocol SQLConnection {
    /// Runs one statement; gives the number of rows it changed.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws(StorageError) -> Int

    /// All rows of a statement's result.
    func query(_ sql: String, _ arguments: [SQLValue]) throws(StorageError) -> [SQLRow]

    /// The first row of a statement's result.
    func queryOne(_ sql: String, _ arguments: [SQLValue]) throws(StorageError) -> SQLRow?

    /// Runs `work`; where it throws, undoes what it did, rethrows, and leaves the rest of the transaction as it was.
    func savepoint<Value>(_ work: () throws -> Value) throws -> Value
}

extension SQLConnection {
    /// Runs one statement without parameters; gives the number of rows it changed.
    @discardableResult
    package func execute(_ sql: String) throws(StorageError) -> Int { try execute(sql, []) }

    /// All rows of the result of a statement without parameters.
    package func query(_ sql: String) throws(StorageError) -> [SQLRow] { try query(sql, []) }

    /// The first row of the result of a statement without parameters.
    package func queryOne(_ sql: String) throws(StorageError) -> SQLRow? { try queryOne(sql, []) }
}
