import Testing
import XML

struct MutationTests {
    static let seeds: [String] = [
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <Document xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="Document"><Prescription>
        <PrescriptionDocument id="P">U0oxCg==</PrescriptionDocument><PrescriptionSign/></Prescription></Document>
        """,
        """
        <a:x xmlns:a="urn:a" xmlns="urn:d" xml:lang="ja" Id='i'><!-- c --><?pi data?>\r
        &lt;&#x1F600;&#13;<![CDATA[<&]]><b xmlns="" a:y="&quot;'" z="1\t2"/></a:x><!--e-->
        """,
        "<処方 名='山田' xml:base='a/b'><薬 xml:base='../c' xml:id='薬'>ア&amp;イ]] ></薬><x:y xmlns:x='urn:x' x:q=''/></処方>",
    ]

    private static let tokens = [
        "<", ">", "/", "&", ";", "\"", "'", "=", " ", "\r", "\n", ":", "xmlns", "xml:", "<!--", "-->", "<![CDATA[",
        "]]>", "<?", "?>", "&#", "&#x", "<!DOCTYPE", "id='i'", "</", "/>", "é", "\u{FEFF}", "\0", "..", "--",
    ].map { Array($0.utf8) }

    /// A seed with one to four random edits.
    private static func mutate(_ seed: [UInt8], with random: inout Seeded) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let at = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, at + Int.random(in: 0...12, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.removeSubrange(at..<end)
            case 1: bytes.insert(contentsOf: tokens[Int.random(in: tokens.indices, using: &random)], at: at)
            case 2:
                bytes.insert(contentsOf: Array(bytes[at..<end]), at: Int.random(in: 0...bytes.count, using: &random))
            case 3: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: at)
            default: if at < bytes.count { bytes[at] = UInt8.random(in: .min ... .max, using: &random) }
            }
        }
        return bytes
    }

    @Test(.timeLimit(.minutes(10)))
    func `20,000 damaged documents are refused or read, and what is read canonicalises stably`() throws {
        var random = Seeded(state: 17090)
        var read = 0
        let seeds = Self.seeds.map { Array($0.utf8) }
        for round in 0..<20_000 {
            let input = Self.mutate(seeds[round % seeds.count], with: &random)
            guard let document = try? XMLDocument(parsing: input) else { continue }
            read += 1
            for element in [document.root] + document.root.descendants {
                #expect(document.bytes[element.byteRange].first == UInt8(ascii: "<"))
                #expect(document.bytes[element.byteRange].last == UInt8(ascii: ">"))
            }
            let method = Canonicalization.allCases[round % Canonicalization.allCases.count]
            try expectStable(document, method)
        }
        print("mutation: \(read) of 20000 were still well-formed")
        #expect(read > 500 && read < 19_500)
    }

    @Test(arguments: Canonicalization.allCases)
    func `the canonical form of a canonical form is itself`(_ method: Canonicalization) throws {
        for seed in Self.seeds { try expectStable(try XMLDocument(parsing: Array(seed.utf8)), method) }
    }

    private func expectStable(_ document: XMLDocument, _ method: Canonicalization) throws {
        let once = method.canonicalize(document)
        let again = try XMLDocument(parsing: once)
        #expect(method.canonicalize(again) == once)
        #expect(document.root.text == again.root.text)
    }
}
