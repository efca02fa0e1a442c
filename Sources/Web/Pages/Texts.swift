/// The words of a set of pages in one language: lines of `key: text`, and comments that begin with `#`.
struct Texts: Sendable {
    let language: Language
    /// Every text by its key, as templates ask for them.
    let table: [String: String]

    /// Reads the words from an embedded file.
    init(_ language: Language, _ bytes: [UInt8]) {
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

    /// The text of a code, such as a record's kind: `kind.intent` for `("kind", "intent")`; a code without a text stands
    /// for itself.
    func word(_ group: String, _ code: String) -> String { table["\(group).\(code)"] ?? code }

    /// The text with `{name}` replaced.
    func text(_ key: String, _ values: [String: String]) -> String { Self.filled(self[key], values) }

    /// `text` with `{name}` replaced by the value of that name, and by nothing where it has none.
    static func filled(_ text: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            result += values[String(rest[rest.index(after: open)..<close])] ?? ""
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}

/// The words and what asks for them, for the tests that hold the languages together.
package struct PageWords: Sendable {
    /// Every text by its key, for each language by its tag.
    package let tables: [String: [String: String]]
    /// The keys that the templates ask for.
    package let ofTemplates: Set<String>

    /// Those of the reviewer's console.
    package static var console: PageWords { PageWords(ConsoleTexts.of, ConsoleTemplate.sources) }

    /// Those of the authentication platform.
    package static var platform: PageWords { PageWords(PlatformTexts.of, PlatformTemplate.sources) }

    private init(_ texts: (Language) -> Texts, _ sources: [String: String]) {
        tables = Dictionary(uniqueKeysWithValues: Language.allCases.map { ($0.rawValue, texts($0).table) })
        var keys: Set<String> = []
        for text in sources.values {
            var rest = text[...]
            while let start = rest.firstRange(of: "{{t.") {
                rest = rest[start.upperBound...]
                keys.insert(String(rest.prefix { $0 != "}" }))
            }
        }
        ofTemplates = keys
    }
}
