/// Why bytes were not what a reader of `WireReader` expected.
package enum WireError: Error, Sendable, Hashable {
    /// The bytes end before the value does.
    case truncated
    /// A length or count is over its bound.
    case tooLong
    /// A value is not one of those defined.
    case invalidValue
    /// Bytes are left over behind the last value.
    case trailingBytes
}

/// Writes big-endian integers and length-prefixed strings, the notation of `docs/audit-format.md`.
package struct WireWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    /// An empty writer.
    package init(capacity: Int = 256) {
        bytes.reserveCapacity(capacity)
    }

    /// One byte.
    package mutating func uint8(_ value: UInt8) { bytes.append(value) }

    /// An integer in big-endian order, as wide as its type.
    package mutating func integer(_ value: some FixedWidthInteger) {
        var shift = value.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Bytes as they stand, for fields of a fixed length.
    package mutating func raw(_ value: [UInt8]) { bytes.append(contentsOf: value) }

    /// Bytes behind their count as UInt32.
    package mutating func data(_ value: [UInt8]) {
        integer(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    /// UTF-8 behind its byte count as UInt32.
    package mutating func text(_ value: String) { data(Array(value.utf8)) }

    /// A flag byte, then the value where there is one.
    package mutating func optional<Value>(_ value: Value?, _ write: (inout WireWriter, Value) -> Void) {
        guard let value else { return uint8(0) }
        uint8(1)
        write(&self, value)
    }

    /// A UInt16 count, then each value.
    package mutating func list<Value>(_ values: [Value], _ write: (inout WireWriter, Value) -> Void) {
        integer(UInt16(clamping: values.count))
        for value in values.prefix(Int(UInt16.max)) { write(&self, value) }
    }
}

/// Reads what `WireWriter` wrote; total on any bytes.
package struct WireReader: Sendable {
    private let bytes: [UInt8]
    private var position = 0

    /// A reader at the start of `bytes`.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// How many bytes have not been read.
    package var remaining: Int { bytes.count - position }

    /// `count` bytes as they stand; throws `.truncated`.
    package mutating func raw(_ count: Int) throws(WireError) -> [UInt8] {
        guard count >= 0, count <= remaining else { throw .truncated }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// One byte; throws `.truncated`.
    package mutating func uint8() throws(WireError) -> UInt8 {
        guard remaining >= 1 else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    /// A big-endian integer as wide as `Value`; throws `.truncated`.
    package mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(WireError) -> Value
    {
        var value: Value = 0
        for byte in try raw(Value.bitWidth / 8) {
            value = value << 8 | Value(truncatingIfNeeded: byte)
        }
        return value
    }

    /// Length-prefixed bytes of at most `limit`; throws `.tooLong` or `.truncated`.
    package mutating func data(atMost limit: Int) throws(WireError) -> [UInt8] {
        let count = Int(try integer(UInt32.self))
        guard count <= limit else { throw .tooLong }
        return try raw(count)
    }

    /// Length-prefixed UTF-8 of at most `limit` bytes; throws `.invalidValue` when it is not UTF-8.
    package mutating func text(atMost limit: Int) throws(WireError) -> String {
        guard let text = String(validating: try data(atMost: limit), as: UTF8.self) else { throw .invalidValue }
        return text
    }

    /// What `WireWriter.optional` wrote; throws `.invalidValue` for another flag than 0 or 1.
    package mutating func optional<Value>(
        _ read: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        switch try uint8() {
        case 0: return nil
        case 1: return try read(&self)
        default: throw .invalidValue
        }
    }

    /// What `WireWriter.list` wrote, at most `limit` values; throws `.tooLong`.
    package mutating func list<Value>(
        atMost limit: Int, _ read: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> [Value] {
        let count = Int(try integer(UInt16.self))
        guard count <= limit else { throw .tooLong }
        var values: [Value] = []
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    /// Nothing may be left; throws `.trailingBytes`.
    package func end() throws(WireError) {
        guard remaining == 0 else { throw .trailingBytes }
    }
}
