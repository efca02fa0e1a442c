import XML

/// Numbers from a seed, the same in every run (SplitMix64).
package struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    /// Starts from a seed.
    package init(state: UInt64) { self.state = state }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// A number from 0 on and below `bound`.
    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    /// True once in as many times.
    package mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
}

/// A well-formed document from a seed, with everything that canonical forms differ by.
package struct GeneratedDocument {
    /// The document.
    package private(set) var text = ""
    /// How many elements it has.
    package private(set) var elementCount = 0
    private var random: Seeded

    /// Prefixes by what they stand for; the last of one name is in effect.
    private typealias Scope = [(prefix: String, uri: String)]

    private static let prefixes = ["", "a", "b", "ds", "あ", "x1"]
    // Without `&`, which libxml2 2.9 leaves as a reference in a namespace's URI, against XML 1.0 §3.3.3.
    private static let uris = ["urn:a", "urn:b", "http://www.w3.org/2000/09/xmldsig#", "urn:%E8%AA%9E", "urn:a:1"]
    private static let names = ["e", "Document", "処方", "x-y", "z.1", "_", "Id2"]
    private static let texts = [
        "plain", " ", "\n", "\r\n", "\r", "\t", "&amp;", "&lt;", "&gt;", "&apos;", "&quot;", "&#13;", "&#xD;", "&#10;",
        "&#9;", "&#x1F600;", "&#38;", "&#60;", "若松　千尋", "]]", "]] >", ">", "'", "\"", "é", "e\u{301}", "\u{85}",
        "\u{2028}", "\u{FEFF}", "U0oxCg==", "]&gt;",
    ]
    private static let values = [
        "v", " ", "\n", "\r\n", "\t", "&#13;", "&#10;", "&#9;", "&#32;", "&amp;", "&lt;", "&gt;", ">", "&quot;",
        "&apos;", "二", "&#x10FFFF;", "]]>", "é", "  x  ",
    ]
    private static let verbatim = ["c", " - ", "\n", "\r\n", "\r", "&amp;", "<x a='1'>", "注", "]]", "\u{85}"]

    /// The document of this seed.
    package init(seed: UInt64) {
        random = Seeded(state: seed)
        if random.oneIn(8) { text += "\u{FEFF}" }
        if random.oneIn(2) {
            text += random.pick([
                "<?xml version=\"1.0\"?>", "<?xml version='1.0' encoding='UTF-8'?>",
                "<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes' ?>",
            ])
        }
        outside()
        element(in: [], depth: 0)
        outside()
    }

    /// What may stand before and after the root.
    private mutating func outside() {
        while random.oneIn(3) {
            switch random.below(3) {
            case 0: text += random.pick(["\n", "\r\n", " ", "\t"])
            case 1: comment()
            default: instruction()
            }
        }
    }

    private mutating func comment() { text += "<!--" + verbatimText(without: ["-"]) + "-->" }

    private mutating func instruction() {
        text += "<?" + random.pick(["pi", "xml-stylesheet", "目", "p.1"])
        if !random.oneIn(3) { text += random.pick([" ", "\t", "\r\n", "   "]) + verbatimText(without: []) }
        text += "?>"
    }

    private mutating func verbatimText(without: [Character]) -> String {
        var words = ""
        for _ in 0..<random.below(4) { words += random.pick(Self.verbatim).filter { !without.contains($0) } }
        return words
    }

    private mutating func space() -> String { random.pick([" ", " ", " ", "\n", "\t", "\r\n", "  "]) }

    private mutating func quoted(_ pieces: [String], most: Int) -> String {
        let value = (0..<random.below(most + 1)).map { _ in random.pick(pieces) }.joined()
        let quote = random.pick(["\"", "'"])
        return quote + value.replacing(quote, with: quote == "'" ? "&#39;" : "&#34;") + quote
    }

    private mutating func element(in outer: Scope, depth: Int) {
        elementCount += 1
        let number = elementCount
        var scope = outer
        var attributes: [String] = []
        var declared: Set<String> = []
        while random.oneIn(depth == 0 ? 2 : 3) {
            let prefix = random.pick(Self.prefixes)
            guard declared.insert(prefix).inserted else { continue }
            // Only the default can be undeclared (Namespaces in XML 1.0 §2.2).
            let uri = prefix.isEmpty && random.oneIn(3) ? "" : random.pick(Self.uris)
            scope.append((prefix, uri))
            attributes.append((prefix.isEmpty ? "xmlns" : "xmlns:" + prefix) + "=\"\(uri)\"")
        }
        if random.oneIn(30) { attributes.append("xmlns:xml='http://www.w3.org/XML/1998/namespace'") }
        let inEffect = Self.inEffect(scope)
        addAttributes(&attributes, inEffect, number)
        attributes.shuffle(using: &random)
        let prefix = random.pick([""] + inEffect.keys.filter { !$0.isEmpty }.sorted())
        let name = (prefix.isEmpty ? "" : prefix + ":") + random.pick(Self.names)
        text += "<" + name
        for attribute in attributes {
            let gap = random.oneIn(5) ? attribute.replacing("=", with: " =\n", maxReplacements: 1) : attribute
            text += space() + gap
        }
        if random.oneIn(4) { text += space() }
        if random.oneIn(6) {
            text += "/>"
        } else {
            text += ">"
            content(in: scope, depth: depth)
            text += "</" + name + (random.oneIn(5) ? space() : "") + ">"
        }
    }

    private static func inEffect(_ scope: Scope) -> [String: String] {
        var result: [String: String] = [:]
        for (prefix, uri) in scope { result[prefix] = uri }
        return result
    }

    private mutating func addAttributes(_ attributes: inout [String], _ scope: [String: String], _ number: Int) {
        // No expanded name twice on one element.
        var taken: Set<String> = []
        while random.oneIn(2) {
            let prefix = random.pick([""] + scope.keys.filter { !$0.isEmpty }.sorted())
            let name = random.pick(Self.names)
            let uri = prefix.isEmpty ? "" : scope[prefix, default: ""]
            guard taken.insert("\(uri) \(name)").inserted else { continue }
            attributes.append((prefix.isEmpty ? "" : prefix + ":") + name + "=" + quoted(Self.values, most: 3))
        }
        if random.oneIn(3) { attributes.append(random.pick(["Id", "id", "ID", "xml:id"]) + "=\"i\(number)\"") }
        if random.oneIn(5) { attributes.append("xml:lang=" + quoted(["ja", "en", "-JP"], most: 2)) }
        if random.oneIn(6) { attributes.append("xml:space=\"" + random.pick(["preserve", "default"]) + "\"") }
        if random.oneIn(9) { attributes.append("xml:other=" + quoted(Self.values, most: 2)) }
        if random.oneIn(6) {
            attributes.append(
                "xml:base=\"" + random.pick(["http://h/a/b", "http://h/a/", "c/d", "../e", "/f", "g"]) + "\"")
        }
    }

    private mutating func content(in scope: Scope, depth: Int) {
        for _ in 0..<random.below(5) {
            switch random.below(7) {
            case 0, 1: if depth < 6, elementCount < 40 { element(in: scope, depth: depth + 1) }
            case 2: comment()
            case 3: instruction()
            case 4: text += "<![CDATA[" + verbatimText(without: []).replacing("]]", with: "]") + "]]>"
            default:
                for _ in 0...random.below(3) {
                    text += random.pick(Self.texts)
                    // Apart, so that no two pieces make `]]>`.
                    if text.hasSuffix("]") { text += " " }
                }
            }
        }
    }
}

extension GeneratedDocument {
    /// What is compared with another implementation: all six methods over the whole document, over one element, and
    /// over one element without another.
    package func queries(_ random: inout Seeded) -> [CanonicalQuery] {
        Canonicalization.allCases.flatMap { method in
            let prefixes = ["#default", "a", "b", "ds", "あ"].filter { _ in random.oneIn(2) }
            return [
                CanonicalQuery(method: method),
                CanonicalQuery(method: method, apex: random.below(elementCount) + 1),
                CanonicalQuery(
                    method: method, apex: random.below(elementCount) + 1, excluded: random.below(elementCount) + 1,
                    prefixes: method.isExclusive ? prefixes : []),
            ]
        }
    }

    /// Reads the document of a seed and compares what is written of it, byte for byte; gives the forms' lengths.
    package static func compare(seed: UInt64, with oracle: any CanonicalOracle) throws(FuzzFinding) -> [Int] {
        let generated = GeneratedDocument(seed: seed)
        let input = Array(generated.text.utf8)
        var random = Seeded(state: seed &* 31)
        let queries = generated.queries(&random)
        let document: XMLDocument
        do {
            document = try XMLDocument(parsing: input)
        } catch {
            throw FuzzFinding("seed \(seed) is refused: \(error): \(generated.text)")
        }
        guard let theirs = oracle.canonical(input, queries) else {
            throw FuzzFinding("seed \(seed) is refused by the other: \(generated.text)")
        }
        var lengths: [Int] = []
        for (query, theirs) in zip(queries, theirs) {
            guard let theirs else { throw FuzzFinding("seed \(seed): no form for \(query): \(generated.text)") }
            let ours = query.canonical(document)
            guard ours == theirs else {
                let (ours, theirs) = (String(decoding: ours, as: UTF8.self), String(decoding: theirs, as: UTF8.self))
                throw FuzzFinding("seed \(seed), \(query)\n\(generated.text)\nours: \(ours)\ntheirs: \(theirs)")
            }
            lengths.append(ours.count)
        }
        return lengths
    }
}
