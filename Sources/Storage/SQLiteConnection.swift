internal import Foundation
internal import GRDB
internal import Synchronization

/// `SQLConnection` over GRDB; lives as long as its transaction.
final class SQLiteConnection: SQLConnection {
    private let database: GRDB.Database
    /// Why the transaction can go no further, once it cannot.
    private(set) var fault: StorageError?

    init(_ database: GRDB.Database) {
        self.database = database
    }

    /// Refuses all later use: the transaction is over.
    func end() { fault = fault ?? .closed }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws(StorageError) -> Int {
        try guarded { database in
            let statement = try database.cachedStatement(sql: Placeholders.forSQLite(sql))
            try statement.execute(arguments: StatementArguments(arguments.map(\.databaseValue)))
            return statement.isReadonly ? 0 : database.changesCount
        }
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws(StorageError) -> [SQLRow] {
        try rows(sql, arguments, atMost: .max)
    }

    func queryOne(_ sql: String, _ arguments: [SQLValue]) throws(StorageError) -> SQLRow? {
        try rows(sql, arguments, atMost: 1).first
    }

    func savepoint<Value>(_ work: () throws -> Value) throws -> Value {
        try execute("SAVEPOINT entry")
        let value: Value
        do {
            value = try work()
        } catch {
            // Where the database gave the whole transaction up, `fault` is set and this throws it.
            try execute("ROLLBACK TO SAVEPOINT entry")
            try execute("RELEASE SAVEPOINT entry")
            throw error
        }
        try execute("RELEASE SAVEPOINT entry")
        return value
    }

    private func rows(_ sql: String, _ arguments: [SQLValue], atMost limit: Int) throws(StorageError) -> [SQLRow] {
        try guarded { database in
            let statement = try database.cachedStatement(sql: Placeholders.forSQLite(sql))
            let arguments = StatementArguments(arguments.map(\.databaseValue))
            let cursor = try Row.fetchCursor(statement, arguments: arguments)
            let names = statement.columnNames
            var rows: [SQLRow] = []
            while rows.count < limit, let row = try cursor.next() {
                rows.append(SQLRow(names: names, values: try row.databaseValues.map(SQLValue.init)))
            }
            return rows
        }
    }

    /// Runs a statement; notices when SQLite gave the whole transaction up, as it may when the disk is full: what came
    /// after would otherwise be a transaction of its own.
    private func guarded<Value>(_ body: (GRDB.Database) throws -> Value) throws(StorageError) -> Value {
        if let fault { throw fault }
        do {
            return try body(database)
        } catch {
            let failure = StorageError(error)
            if !database.isInsideTransaction || failure.leavesDiskUnknown { fault = failure }
            throw failure
        }
    }
}

extension SQLValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .text(let value): value.databaseValue
        case .blob(let value): Data(value).databaseValue
        }
    }

    fileprivate init(_ value: DatabaseValue) throws {
        switch value.storage {
        case .null: self = .null
        case .int64(let value): self = .integer(value)
        case .string(let value): self = .text(value)
        case .blob(let value): self = .blob(Array(value))
        case .double: throw StorageError.unexpectedValue
        }
    }
}

/// PostgreSQL's parameters in SQLite's words: `$2` becomes `?2`.
enum Placeholders {
    private static let known = Mutex<[String: String]>([:])

    static func forSQLite(_ sql: String) -> String {
        if let text = known.withLock({ $0[sql] }) { return text }
        let text = translate(sql)
        known.withLock { known in
            // Texts are constants of the code; the bound is for whoever builds one after all.
            if known.count < 2000 { known[sql] = text }
        }
        return text
    }

    /// Leaves what stands between quotes as it is.
    private static func translate(_ sql: String) -> String {
        var result: [UInt8] = []
        var quote: UInt8?
        for byte in sql.utf8 {
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            }
            result.append(quote == nil && byte == UInt8(ascii: "$") ? UInt8(ascii: "?") : byte)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
