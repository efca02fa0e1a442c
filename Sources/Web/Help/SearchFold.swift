/// Makes texts that people take for the same one the same: width, case and kana, and the long vowel's mark, which
/// `セキュリティー` has and `セキュリティ` has not.
enum SearchFold {
    /// Katakana by the half-width forms U+FF66 to U+FF9D, in order.
    private static let halfWidth = Array(
        "ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン".unicodeScalars)

    static func folded(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x41...0x5A: append(scalar.value + 0x20, to: &result)
            case 0xFF21...0xFF3A: append(scalar.value - 0xFEE0 + 0x20, to: &result)
            case 0xFF01...0xFF5E: append(scalar.value - 0xFEE0, to: &result)
            // Hiragana as katakana.
            case 0x3041...0x3096: append(scalar.value + 0x60, to: &result)
            case 0x3000: append(0x20, to: &result)
            // The marks of long vowels and of sound, where they stand alone.
            case 0x30FC, 0xFF70: break
            case 0x3099, 0x309B, 0xFF9E: mark(0x3099, on: &result)
            case 0x309A, 0x309C, 0xFF9F: mark(0x309A, on: &result)
            case 0xFF66...0xFF9D: result.append(halfWidth[Int(scalar.value) - 0xFF66])
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private static func append(_ value: UInt32, to text: inout String.UnicodeScalarView) {
        if let scalar = Unicode.Scalar(value) { text.append(scalar) }
    }

    /// Joins a mark of sound to the katakana before it: `カ` with U+3099 is `ガ`.
    private static func mark(_ mark: UInt32, on text: inout String.UnicodeScalarView) {
        guard let last = text.last?.value else { return }
        let isHa = (0x30CF...0x30DD).contains(last) && (last - 0x30CF) % 3 == 0
        let joined: UInt32? =
            if mark == 0x309A { isHa ? last + 2 : nil } else {
                switch last {
                case 0x30A6: 0x30F4
                // カ to チ, whose voiced forms follow each; ツ comes after a small one.
                case 0x30AB...0x30C1 where last % 2 == 1: last + 1
                case 0x30C4, 0x30C6, 0x30C8: last + 1
                case _ where isHa: last + 1
                default: nil
                }
            }
        guard let joined else { return }
        text.removeLast()
        append(joined, to: &text)
    }
}
