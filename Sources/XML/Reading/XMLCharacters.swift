/// The character classes of XML 1.0, fifth edition, and strict UTF-8 (RFC 3629).
enum XMLCharacters {
    /// `Char` (§2.2).
    static func isAllowed(_ scalar: UInt32) -> Bool {
        scalar >= 0x20 ? scalar != 0xFFFE && scalar != 0xFFFF : scalar == 0x09 || scalar == 0x0A || scalar == 0x0D
    }

    static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D
    }

    /// `NameStartChar` without the colon (§2.3), in ASCII.
    static func isNameStart(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_")
    }

    /// `NameChar` without the colon (§2.3), in ASCII.
    static func isName(_ byte: UInt8) -> Bool {
        isNameStart(byte) || byte &- 0x30 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    /// `NameStartChar` beyond ASCII.
    static func isNameStart(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2FF, 0x370...0x37D, 0x37F...0x1FFF, 0x200C...0x200D, 0x2070...0x218F,
            0x2C00...0x2FEF, 0x3001...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFFFD, 0x10000...0xEFFFF:
            true
        default: false
        }
    }

    /// `NameChar` beyond ASCII.
    static func isName(_ scalar: UInt32) -> Bool {
        isNameStart(scalar) || scalar == 0xB7 || 0x300...0x36F ~= scalar || 0x203F...0x2040 ~= scalar
    }

    /// The scalar at `index` and its length, or nil for overlong forms, surrogates and truncation.
    static func scalar(_ bytes: [UInt8], at index: Int) -> (value: UInt32, length: Int)? {
        let first = bytes[index]
        switch first {
        case 0..<0x80: return (UInt32(first), 1)
        case 0xC2...0xDF:
            guard let second = continuation(bytes, index + 1) else { return nil }
            return (UInt32(first & 0x1F) << 6 | second, 2)
        case 0xE0...0xEF:
            guard let second = continuation(bytes, index + 1), let third = continuation(bytes, index + 2) else {
                return nil
            }
            let value = UInt32(first & 0x0F) << 12 | second << 6 | third
            return value < 0x800 || 0xD800...0xDFFF ~= value ? nil : (value, 3)
        case 0xF0...0xF4:
            guard let second = continuation(bytes, index + 1), let third = continuation(bytes, index + 2),
                let fourth = continuation(bytes, index + 3)
            else { return nil }
            let value = UInt32(first & 0x07) << 18 | second << 12 | third << 6 | fourth
            return value < 0x10000 || value > 0x10FFFF ? nil : (value, 4)
        default: return nil
        }
    }

    private static func continuation(_ bytes: [UInt8], _ index: Int) -> UInt32? {
        guard index < bytes.count, bytes[index] & 0xC0 == 0x80 else { return nil }
        return UInt32(bytes[index] & 0x3F)
    }
}
