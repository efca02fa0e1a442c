internal import HPKI
internal import NIOCore

/// Writes CSV (RFC 4180) that a spreadsheet takes for text: UTF-8 with its mark.
struct CSVWriter {
    private(set) var buffer: ByteBuffer

    /// A table with its header.
    init(header: [String]) {
        buffer = ByteBufferAllocator().buffer(capacity: 64 << 10)
        buffer.writeString("\u{FEFF}")
        row(header)
    }

    mutating func row(_ fields: [String]) {
        buffer.writeBytes(CSVField.line(fields))
        buffer.writeStaticString("\r\n")
    }
}
