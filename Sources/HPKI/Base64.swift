/// Base64 with the standard alphabet and padding (RFC 4648 §4).
///
/// Strict, where Foundation's is not: one text for any bytes, so padding must be exact and left-over bits zero. Each
/// signed document passes here several times, so it works on arrays and in one pass.
package enum Base64 {
    /// One line, padded.
    package static func encode(_ bytes: [UInt8]) -> String {
        String(decoding: RadixSixtyFour.encode(bytes, RadixSixtyFour.standard, padded: true), as: UTF8.self)
    }

    /// The bytes of a padded canonical text without white space, or nil.
    package static func decode(_ text: String) -> [UInt8]? {
        RadixSixtyFour.decode(Array(text.utf8), RadixSixtyFour.standardValues, padded: true, skippingWhiteSpace: false)
    }

    /// The bytes of a padded text in which XML white space may stand anywhere, or nil (XML Schema Part 2 §3.2.16).
    package static func decodeIgnoringWhiteSpace(_ text: [UInt8]) -> [UInt8]? {
        RadixSixtyFour.decode(text, RadixSixtyFour.standardValues, padded: true, skippingWhiteSpace: true)
    }
}

/// Base64 with the URL alphabet and without padding (RFC 4648 §5, as JOSE uses it).
package enum Base64URL {
    /// One line, no padding.
    package static func encode(_ bytes: [UInt8]) -> String {
        String(decoding: RadixSixtyFour.encode(bytes, RadixSixtyFour.url, padded: false), as: UTF8.self)
    }

    /// The bytes of an unpadded canonical text, or nil for padding, other alphabets and left-over bits.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        // A part of a text is copied byte by byte, a whole text at once.
        RadixSixtyFour.decode(
            Array(String(text).utf8), RadixSixtyFour.urlValues, padded: false, skippingWhiteSpace: false)
    }
}

/// The one codec behind both alphabets.
private enum RadixSixtyFour {
    static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    static let url = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    static let standardValues = values(of: standard)
    static let urlValues = values(of: url)
    private static let pad = UInt8(ascii: "=")
    private static let none: UInt8 = 0xFF
    private static let space: UInt8 = 0xFE

    private static func values(of alphabet: [UInt8]) -> [UInt8] {
        var values = [UInt8](repeating: none, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        for character in " \t\r\n".utf8 { values[Int(character)] = space }
        return values
    }

    static func encode(_ bytes: [UInt8], _ alphabet: [UInt8], padded: Bool) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index + 2 < bytes.count {
            let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
            text.append(alphabet[Int(group >> 18)])
            text.append(alphabet[Int(group >> 12 & 63)])
            text.append(alphabet[Int(group >> 6 & 63)])
            text.append(alphabet[Int(group & 63)])
            index += 3
        }
        switch bytes.count - index {
        case 1:
            let group = UInt32(bytes[index]) << 16
            text.append(alphabet[Int(group >> 18)])
            text.append(alphabet[Int(group >> 12 & 63)])
            if padded { text += [pad, pad] }
        case 2:
            let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8
            text.append(alphabet[Int(group >> 18)])
            text.append(alphabet[Int(group >> 12 & 63)])
            text.append(alphabet[Int(group >> 6 & 63)])
            if padded { text.append(pad) }
        default:
            break
        }
        return text
    }

    static func decode(_ text: [UInt8], _ values: [UInt8], padded: Bool, skippingWhiteSpace: Bool) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 3)
        var group: UInt32 = 0
        // Characters of the alphabet in the open group, and padding behind them.
        var filled = 0
        var padding = 0
        for character in text {
            let value = values[Int(character)]
            if value < 64 {
                guard padding == 0 else { return nil }
                group = group << 6 | UInt32(value)
                filled += 1
                if filled == 4 {
                    bytes.append(UInt8(truncatingIfNeeded: group >> 16))
                    bytes.append(UInt8(truncatingIfNeeded: group >> 8))
                    bytes.append(UInt8(truncatingIfNeeded: group))
                    group = 0
                    filled = 0
                }
            } else if value == space {
                guard skippingWhiteSpace else { return nil }
            } else {
                guard character == pad, padded, filled >= 2, padding < 4 - filled else { return nil }
                padding += 1
            }
        }
        switch filled {
        case 0:
            return padding == 0 ? bytes : nil
        case 2:
            guard group & 0xF == 0, padding == (padded ? 2 : 0) else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: group >> 4))
        case 3:
            guard group & 0x3 == 0, padding == (padded ? 1 : 0) else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
        default:
            return nil
        }
        return bytes
    }
}
