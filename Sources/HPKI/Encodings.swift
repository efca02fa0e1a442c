internal import Foundation

/// Base16 in lower case (RFC 4648 §8).
package enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Two lower-case digits a byte.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of an even number of hexadecimal digits in either case, or nil.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            let value: UInt8
            switch character {
            case 0x30...0x39: value = character - 0x30
            case 0x41...0x46: value = character - 0x41 + 10
            case 0x61...0x66: value = character - 0x61 + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return high == nil ? bytes : nil
    }
}

/// Base64 with the standard alphabet and padding (RFC 4648 §4).
package enum Base64 {
    /// One line, padded.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString()
    }

    /// The bytes of a padded canonical text without white space, or nil.
    package static func decode(_ text: String) -> [UInt8]? {
        canonical(Data(text.utf8))
    }

    /// The bytes of a padded text in which XML white space may stand anywhere, or nil (XML Schema Part 2 §3.2.16).
    package static func decodeIgnoringWhiteSpace(_ text: some Sequence<UInt8>) -> [UInt8]? {
        let dense = text.filter { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        return canonical(Data(dense))
    }

    /// Foundation also takes padding too much and left-over bits: two texts for the same bytes.
    private static func canonical(_ text: Data) -> [UInt8]? {
        guard let bytes = Data(base64Encoded: text), bytes.base64EncodedData() == text else { return nil }
        return Array(bytes)
    }
}

/// Base64 with the URL alphabet and without padding (RFC 4648 §5, as JOSE uses it).
package enum Base64URL {
    /// One line, no padding.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text = Array(Data(bytes).base64EncodedString().utf8)
        while text.last == UInt8(ascii: "=") { text.removeLast() }
        for index in text.indices {
            if text[index] == UInt8(ascii: "+") { text[index] = UInt8(ascii: "-") }
            if text[index] == UInt8(ascii: "/") { text[index] = UInt8(ascii: "_") }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of an unpadded canonical text, or nil for padding, other alphabets and left-over bits.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var standard: [UInt8] = []
        standard.reserveCapacity(text.utf8.count + 3)
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "-"): standard.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): standard.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: standard.append(character)
            }
        }
        while standard.count % 4 != 0 { standard.append(UInt8(ascii: "=")) }
        guard let bytes = Data(base64Encoded: Data(standard)).map({ Array($0) }) else { return nil }
        return encode(bytes) == text ? bytes : nil
    }
}
