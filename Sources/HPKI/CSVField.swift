/// One field of a CSV table (RFC 4180) that a spreadsheet takes for text.
package enum CSVField {
    /// The field in quotation marks, in UTF-8; what would be a formula has an apostrophe before it.
    package static func encode(_ field: String) -> [UInt8] {
        let mark = UInt8(ascii: "\"")
        var bytes = [mark]
        bytes.reserveCapacity(field.utf8.count + 2)
        if isFormula(field) { bytes.append(UInt8(ascii: "'")) }
        // By bytes: what a quotation mark with a combining mark behind it is to a reader of text, it is not to a parser.
        for byte in field.utf8 {
            if byte == mark { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(mark)
        return bytes
    }

    /// One line of a table, without its end.
    package static func line(_ fields: [String]) -> [UInt8] {
        Array(fields.map(encode).joined(separator: [UInt8(ascii: ",")]))
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
