/// A value that goes into a statement or comes out of one; there are no floating-point numbers in our data.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    /// UTF-8.
    case text(String)
    case blob([UInt8])

    /// The number, or null for nil.
    package static func integer(optional value: Int64?) -> SQLValue { value.map { .integer($0) } ?? .null }

    /// The text, or null for nil.
    package static func text(optional value: String?) -> SQLValue { value.map { .text($0) } ?? .null }

    /// The bytes, or null for nil.
    package static func blob(optional value: [UInt8]?) -> SQLValue { value.map { .blob($0) } ?? .null }
}

extension SQLValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
    /// A number written in the code.
    package init(integerLiteral value: Int64) { self = .integer(value) }

    /// A text written in the code.
    package init(stringLiteral value: String) { self = .text(value) }

    /// Null.
    package init(nilLiteral: ()) { self = .null }
}

/// A column of a row, by its place from 0 or by its name in the result.
package enum SQLColumn: Sendable, Hashable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    case index(Int)
    case name(String)

    /// A place written in the code.
    package init(integerLiteral value: Int) { self = .index(value) }

    /// A name written in the code.
    package init(stringLiteral value: String) { self = .name(value) }
}

/// One row of a result; every getter throws `.unexpectedValue` for a column that is not there or of another type.
package struct SQLRow: Sendable {
    private let names: [String]
    private let values: [SQLValue]

    init(names: [String], values: [SQLValue]) {
        self.names = names
        self.values = values
    }

    /// A number.
    package func integer(_ column: SQLColumn) throws(StorageError) -> Int64 {
        guard case .integer(let value) = try value(column) else { throw .unexpectedValue }
        return value
    }

    /// A number, or nil for null.
    package func optionalInteger(_ column: SQLColumn) throws(StorageError) -> Int64? {
        try value(column) == .null ? nil : integer(column)
    }

    /// A text.
    package func text(_ column: SQLColumn) throws(StorageError) -> String {
        guard case .text(let value) = try value(column) else { throw .unexpectedValue }
        return value
    }

    /// A text, or nil for null.
    package func optionalText(_ column: SQLColumn) throws(StorageError) -> String? {
        try value(column) == .null ? nil : text(column)
    }

    /// Bytes.
    package func blob(_ column: SQLColumn) throws(StorageError) -> [UInt8] {
        guard case .blob(let value) = try value(column) else { throw .unexpectedValue }
        return value
    }

    /// Bytes, or nil for null.
    package func optionalBlob(_ column: SQLColumn) throws(StorageError) -> [UInt8]? {
        try value(column) == .null ? nil : blob(column)
    }

    private func value(_ column: SQLColumn) throws(StorageError) -> SQLValue {
        let index: Int?
        switch column {
        case .index(let place): index = place
        case .name(let name): index = names.firstIndex(of: name)
        }
        guard let index, values.indices.contains(index) else { throw .unexpectedValue }
        return values[index]
    }
}
