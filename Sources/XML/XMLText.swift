/// Escaping for whoever writes XML: what comes out stands unchanged in the canonical form (Canonical XML 1.0 §2.3).
package enum XMLText {
    /// Character data: `&`, `<`, `>` and carriage return become references.
    package static func escape(_ text: String) -> String {
        var output: [UInt8] = []
        appendEscaped(Array(text.utf8)[...], to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// An attribute value for double quotes: `&`, `<`, `"`, tab, line feed and carriage return become references.
    package static func escapeAttribute(_ value: String) -> String {
        var output: [UInt8] = []
        appendEscapedAttribute(Array(value.utf8)[...], to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    static func appendEscaped(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) {
        append(text, to: &output) { byte in
            switch byte {
            case UInt8(ascii: "&"): "&amp;"
            case UInt8(ascii: "<"): "&lt;"
            case UInt8(ascii: ">"): "&gt;"
            case 0x0D: "&#xD;"
            default: nil
            }
        }
    }

    static func appendEscapedAttribute(_ value: ArraySlice<UInt8>, to output: inout [UInt8]) {
        append(value, to: &output) { byte in
            switch byte {
            case UInt8(ascii: "&"): "&amp;"
            case UInt8(ascii: "<"): "&lt;"
            case UInt8(ascii: "\""): "&quot;"
            case 0x09: "&#x9;"
            case 0x0A: "&#xA;"
            case 0x0D: "&#xD;"
            default: nil
            }
        }
    }

    /// Copies runs that need no escaping whole.
    private static func append(
        _ text: ArraySlice<UInt8>, to output: inout [UInt8], reference: (UInt8) -> String?
    ) {
        var run = text.startIndex
        for index in text.indices {
            // Every byte that is escaped is at most ">".
            guard text[index] <= UInt8(ascii: ">"), let reference = reference(text[index]) else { continue }
            output.append(contentsOf: text[run..<index])
            output.append(contentsOf: reference.utf8)
            run = index + 1
        }
        output.append(contentsOf: text[run..<text.endIndex])
    }
}
