internal import Mustache

/// Escapes for HTML scalar by scalar, and shows what would steer the reader's eye or stay unseen.
///
/// The engine's own escape goes by grapheme clusters, so that a quotation mark with a combining mark behind it is no
/// quotation mark to it, but ends an attribute for a browser.
struct ScalarEscape: MustacheContentType {
    static let name = "SCALARS"

    func escapeText(_ text: String) -> String { Self.escape(text) }

    static func escape(_ text: String) -> String {
        var shown = ""
        shown.reserveCapacity(text.utf8.count + text.utf8.count / 8)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": shown += "&lt;"
            case ">": shown += "&gt;"
            case "&": shown += "&amp;"
            case "\"": shown += "&quot;"
            case "'": shown += "&#39;"
            case "`": shown += "&#96;"
            case "\n", "\t": shown.unicodeScalars.append(scalar)
            default:
                if isUnseen(scalar) {
                    shown += "⟨U+" + hexadecimal(scalar) + "⟩"
                } else {
                    shown.unicodeScalars.append(scalar)
                }
            }
        }
        return shown
    }

    /// Controls, marks of direction and characters without a width.
    private static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: true
        default: scalar.properties.isNoncharacterCodePoint
        }
    }

    private static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
