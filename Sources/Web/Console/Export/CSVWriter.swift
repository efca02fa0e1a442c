internal import NIOCore

/// Writes CSV (RFC 4180) that a spreadsheet takes for text: UTF-8 with its mark, every field quoted, and a quotation
/// mark before what would be a formula.
struct CSVWriter {
    private(set) var buffer: ByteBuffer

    /// A table with its header.
    init(header: [String]) {
        buffer = ByteBufferAllocator().buffer(capacity: 64 << 10)
        buffer.writeString("\u{FEFF}")
        row(header)
    }

    mutating func row(_ fields: [String]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
            buffer.writeInteger(UInt8(ascii: "\""))
            if Self.isFormula(field) { buffer.writeInteger(UInt8(ascii: "'")) }
            for byte in field.utf8 {
                if byte == UInt8(ascii: "\"") { buffer.writeInteger(byte) }
                buffer.writeInteger(byte)
            }
            buffer.writeInteger(UInt8(ascii: "\""))
        }
        buffer.writeStaticString("\r\n")
    }

    /// Spreadsheets look behind white space, and Japanese ones take full-width signs for the narrow ones.
    private static func isFormula(_ field: String) -> Bool {
        guard let first = field.unicodeScalars.first(where: { !$0.properties.isWhitespace && $0 != "\u{FEFF}" }) else {
            return false
        }
        return "=+-@|%＝＋－＠｜％".unicodeScalars.contains(first)
            || ["\t", "\r", "\n"].contains(field.unicodeScalars.first)
    }
}
