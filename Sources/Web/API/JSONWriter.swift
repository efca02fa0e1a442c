internal import NIOCore

/// Writes one JSON object member by member into a buffer (RFC 8259); callers give members in the order to be read.
struct JSONWriter {
    private(set) var buffer: ByteBuffer
    private var isFirst = true

    /// An empty object with room for `capacity` bytes.
    init(capacity: Int) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity)
        buffer.writeInteger(UInt8(ascii: "{"))
    }

    /// A member whose value is a string.
    mutating func string(_ name: StaticString, _ value: String) {
        member(name)
        quoted(value)
    }

    /// A member whose value is a string that needs no escapes, such as Base64 or hexadecimal digits.
    mutating func plain(_ name: StaticString, _ value: String) {
        member(name)
        buffer.writeInteger(UInt8(ascii: "\""))
        buffer.writeString(value)
        buffer.writeInteger(UInt8(ascii: "\""))
    }

    /// A member whose value is JSON already.
    mutating func json(_ name: StaticString, _ value: [UInt8]) {
        member(name)
        buffer.writeBytes(value)
    }

    /// A whole object that is JSON already.
    static func whole(_ json: [UInt8]) -> ByteBuffer { ByteBuffer(bytes: json) }

    mutating func integer(_ name: StaticString, _ value: some FixedWidthInteger) {
        member(name)
        buffer.writeString(String(value))
    }

    mutating func boolean(_ name: StaticString, _ value: Bool) {
        member(name)
        buffer.writeStaticString(value ? "true" : "false")
    }

    mutating func strings(_ name: StaticString, _ values: [String]) {
        member(name)
        buffer.writeInteger(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
            quoted(value)
        }
        buffer.writeInteger(UInt8(ascii: "]"))
    }

    /// A member whose value is an object of its own.
    mutating func object(_ name: StaticString, _ fill: (inout JSONWriter) -> Void) {
        member(name)
        var inner = JSONWriter(capacity: 1024)
        fill(&inner)
        var finished = inner.finish()
        buffer.writeBuffer(&finished)
    }

    /// A member whose value is an array of objects.
    mutating func objects<Value>(_ name: StaticString, _ values: [Value], _ fill: (inout JSONWriter, Value) -> Void) {
        member(name)
        buffer.writeInteger(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
            var inner = JSONWriter(capacity: 512)
            fill(&inner, value)
            var finished = inner.finish()
            buffer.writeBuffer(&finished)
        }
        buffer.writeInteger(UInt8(ascii: "]"))
    }

    /// The object, closed.
    consuming func finish() -> ByteBuffer {
        buffer.writeInteger(UInt8(ascii: "}"))
        return buffer
    }

    private mutating func member(_ name: StaticString) {
        if !isFirst { buffer.writeInteger(UInt8(ascii: ",")) }
        isFirst = false
        buffer.writeInteger(UInt8(ascii: "\""))
        buffer.writeStaticString(name)
        buffer.writeStaticString("\":")
    }

    private mutating func quoted(_ value: String) {
        buffer.writeInteger(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""): buffer.writeStaticString("\\\"")
            case UInt8(ascii: "\\"): buffer.writeStaticString("\\\\")
            case 0x0A: buffer.writeStaticString("\\n")
            case 0..<0x20: buffer.writeString("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
            default: buffer.writeInteger(byte)
            }
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }
}
