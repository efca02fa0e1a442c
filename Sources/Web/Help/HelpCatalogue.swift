/// Every message of the platform, and of the browsers, phones and card software around it, in one language.
package struct HelpCatalogue: Sendable {
    /// The catalogue that help desks know, `E1` to `F24`, in order.
    package let rows: [HelpEntry]
    /// Messages of our own: answers of OAuth that are shown to people, and failures of the service.
    package let own: [HelpEntry]
    /// Lines of the texts that are none, for the tests.
    package let faults: [String]

    private let byID: [String: HelpEntry]
    /// What a search looks at, for each of the rows and of our own.
    private let folded: [(entry: HelpEntry, text: [UInt8])]

    /// The longest search, in bytes; what is beyond it is not looked at.
    package static let searchLimit = 200
    private static let wordLimit = 8

    /// The catalogue in Japanese, which has the words of the screens.
    package static let japanese = HelpCatalogue(read(.japanese), also: read(.english))
    /// The catalogue in English.
    package static let english = HelpCatalogue(read(.english), also: read(.japanese))

    /// The catalogue in that language.
    package static func of(_ language: Language) -> HelpCatalogue {
        switch language {
        case .japanese: japanese
        case .english: english
        }
    }

    /// `also` is the same in another language, whose messages are found too: a caller reads out what the screen says.
    private init(_ parsed: HelpText, also: HelpText) {
        rows = parsed.entries.filter { Self.isRow($0.id) }
        own = parsed.entries.filter { !Self.isRow($0.id) }
        faults = parsed.faults
        byID = Dictionary(parsed.entries.map { ($0.id.lowercased(), $0) }) { first, _ in first }
        let others = Dictionary(also.entries.map { ($0.id, $0.messages) }) { first, _ in first }
        folded = parsed.entries.map { entry in
            let sentences = entry.messages + entry.shown + entry.causes + entry.steps + (others[entry.id] ?? [])
            let texts = [entry.id] + sentences.map { Self.sample($0.text) } + [entry.ours ?? ""]
            return (entry, Array(SearchFold.folded(texts.joined(separator: "\n")).utf8))
        }
    }

    private static func read(_ language: Language) -> HelpText {
        switch language {
        case .japanese: HelpText(PackageResources.help_ja_txt)
        case .english: HelpText(PackageResources.help_en_txt)
        }
    }

    private static func isRow(_ id: String) -> Bool {
        guard let first = id.first, first == "E" || first == "F" else { return false }
        return id.dropFirst().utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// The entry of that id, in whatever case it is written.
    package subscript(id: String) -> HelpEntry? { byID[id.lowercased()] }

    /// The entry that a page with this code shows: its own, else that of its kind, else the one for faults of the service.
    func shown(_ code: String) -> HelpEntry {
        self[code] ?? (code.hasPrefix("O-") ? self["O-invalid_request"] : nil) ?? self["S-unexpected"]
            ?? HelpEntry(id: code)
    }

    /// The entries in which every one of the words occurs, whatever their case, width and kana; an id that is named in
    /// full comes alone.
    package func search(_ words: String) -> [HelpEntry] {
        let text = String(decoding: words.utf8.prefix(Self.searchLimit), as: UTF8.self)
        let wanted = SearchFold.folded(text).split(whereSeparator: \.isWhitespace).prefix(Self.wordLimit)
        guard !wanted.isEmpty else { return rows }
        if wanted.count == 1, let entry = self[String(wanted[0])] { return [entry] }
        let bytes = wanted.map { Array($0.utf8) }
        return folded.filter { one in bytes.allSatisfy { one.text.contains($0) } }.map(\.entry)
    }

    /// A message as an example, with what varies written as a screen would have it.
    static func sample(_ text: String) -> String { Texts.filled(text, ["user": "xxxxxxx"]) }
}

/// The catalogue's text, entry by entry.
///
/// `[F18]` begins an entry, and lines of `key: text` follow. A key that comes again makes a list; `.hpki` or `.jpki` behind
/// it makes the text one about that card alone. `#` begins a comment.
struct HelpText {
    private(set) var entries: [HelpEntry] = []
    /// Lines that are none of these.
    private(set) var faults: [String] = []

    init(_ bytes: [UInt8]) {
        var entry: HelpEntry?
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            if line.hasPrefix("["), line.hasSuffix("]") {
                if let entry { entries.append(entry) }
                entry = HelpEntry(id: String(line.dropFirst().dropLast()))
            } else if entry?.take(line) != true {
                faults.append(String(line))
            }
        }
        if let entry { entries.append(entry) }
    }
}

extension HelpEntry {
    /// Takes in one line; false where it is no `key: text` that there is.
    fileprivate mutating func take(_ line: Substring) -> Bool {
        guard let colon = line.firstIndex(of: ":") else { return false }
        let key = line[..<colon].split(separator: ".", maxSplits: 1)
        let text = String(line[line.index(after: colon)...].drop { $0 == " " })
        guard let name = key.first, !text.isEmpty else { return false }
        var card: CardKind?
        if key.count == 2 {
            guard let kind = CardKind(rawValue: String(key[1])) else { return false }
            card = kind
        }
        let sentence = Sentence(text: text, card: card)
        switch name {
        case "place":
            guard let place = Place(rawValue: text) else { return false }
            self.place = place
        case "by":
            let makers = text.split(separator: " ").map { Maker(rawValue: String($0)) }
            guard makers.allSatisfy({ $0 != nil }) else { return false }
            self.makers = makers.compactMap(\.self)
        case "message": messages.append(sentence)
        case "shown": shown.append(sentence)
        case "cause": causes.append(sentence)
        case "next": steps.append(sentence)
        case "ours": ours = text
        default: return false
        }
        return true
    }
}
