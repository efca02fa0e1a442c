/// The console's words, one table per language: lines of `key: text`, embedded from `ja.txt` and `en.txt`.
struct ConsoleTexts: Sendable {
    let language: Language
    /// Every text by its key, as templates ask for them.
    let table: [String: String]

    static let japanese = ConsoleTexts(.japanese, PackageResources.ja_txt)
    static let english = ConsoleTexts(.english, PackageResources.en_txt)

    static func of(_ language: Language) -> ConsoleTexts {
        switch language {
        case .japanese: japanese
        case .english: english
        }
    }

    private init(_ language: Language, _ bytes: [UInt8]) {
        self.language = language
        var table: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            table[String(line[..<colon])] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        self.table = table
    }

    /// The text of `key`; the key itself where there is none, which the tests rule out for every key that is used.
    subscript(key: String) -> String { table[key] ?? key }

    /// The text of a code that the log uses, such as a kind: `kind.intent` for `("kind", "intent")`; a code without a text
    /// stands for itself.
    func word(_ group: String, _ code: String) -> String { table["\(group).\(code)"] ?? code }

    /// The text with `{name}` replaced.
    func text(_ key: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = self[key][...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            result += values[String(rest[rest.index(after: open)..<close])] ?? ""
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}

/// The words and what asks for them, for the tests that hold the languages together.
package enum ConsoleWords {
    /// Every text by its key, for each language by its tag.
    package static var tables: [String: [String: String]] {
        Dictionary(uniqueKeysWithValues: Language.allCases.map { ($0.rawValue, ConsoleTexts.of($0).table) })
    }

    /// The keys that the templates ask for.
    package static var ofTemplates: Set<String> {
        var keys: Set<String> = []
        for text in PageTemplates.sources.values {
            var rest = text[...]
            while let start = rest.firstRange(of: "{{t.") {
                rest = rest[start.upperBound...]
                keys.insert(String(rest.prefix { $0 != "}" }))
            }
        }
        return keys
    }
}
