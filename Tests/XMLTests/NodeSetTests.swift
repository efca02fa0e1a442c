import Testing
import XML

/// Document subsets that only an XPath could select; the examples of the Recommendations, less their DTD, are among them.
struct NodeSetTests {
    private func canonical(
        _ text: String, _ method: Canonicalization, prefixes: [String] = [], where xpath: String
    ) throws -> String {
        let document = try XMLDocument(parsing: Array(text.utf8))
        let element = "<XPath xmlns:ietf='http://www.ietf.org' xmlns:p='urn:p'>\(XMLText.escape(xpath))</XPath>"
        let expression = try XMLDocument(parsing: Array(element.utf8)).root
        let selection = try XPathSelection(expression, of: document)
        let output = method.canonicalize(
            nodeSetOf: document, inclusiveNamespaces: prefixes, where: selection.contains)
        return String(decoding: output, as: UTF8.self)
    }

    /// `id("E3")` is spelt out, and the attribute that the DTD defaults.
    private let subset = """
        (//. | //@* | //namespace::*)
        [self::ietf:e1 or (parent::ietf:e1 and not(self::text() or self::e2)) or ancestor-or-self::e3]
        """

    @Test func `the example of Canonical XML 1-0 section 3-7 is written as it says`() throws {
        let text = """
            <doc xmlns="http://www.ietf.org" xmlns:w3c="http://www.w3.org">
               <e1>
                  <e2 xmlns="" xml:space="preserve">
                     <e3 id="E3"/>
                  </e2>
               </e1>
            </doc>
            """
        #expect(
            try canonical(text, .inclusive10, where: subset)
                == """
                <e1 xmlns="http://www.ietf.org" xmlns:w3c="http://www.w3.org"><e3 xmlns="" id="E3" \
                xml:space="preserve"></e3></e1>
                """)
    }

    @Test func `the example of Canonical XML 1-1 section 3-8 is written as it says`() throws {
        let text = """
            <doc xmlns="http://www.ietf.org" xmlns:w3c="http://www.w3.org" xml:base="http://www.example.com/something/else">
               <e1>
                  <e2 xmlns="" xml:id="abc" xml:base="../bar/" xml:space="preserve">
                     <e3 id="E3" xml:base="foo"/>
                  </e2>
               </e1>
            </doc>
            """
        #expect(
            try canonical(text, .inclusive11, where: subset)
                == """
                <e1 xmlns="http://www.ietf.org" xmlns:w3c="http://www.w3.org" \
                xml:base="http://www.example.com/something/else"><e3 xmlns="" id="E3" xml:base="../bar/foo" \
                xml:space="preserve"></e3></e1>
                """)
    }

    @Test func `nothing is written of an empty set, and every node of a full one`() throws {
        let text = "<?p x?><!--c--><a xmlns='urn:a' b='1'>t<!--d--><c xmlns=''/></a><?q?>"
        for method in Canonicalization.allCases {
            let document = try XMLDocument(parsing: Array(text.utf8))
            #expect(method.canonicalize(nodeSetOf: document) { _ in false } == [])
            #expect(method.canonicalize(nodeSetOf: document) { _ in true } == method.canonicalize(document))
        }
    }

    @Test func `comments and instructions are selected one by one, and keep their line around the root`() throws {
        let text = "<?p x?><!--c--><a><?p y?><!--d--></a><!--e--><?q z?>"
        func written(_ predicate: String, _ method: Canonicalization = .inclusive10WithComments) throws -> String {
            try canonical(text, method, where: "(//. | //@* | //namespace::*)[\(predicate)]")
        }
        #expect(try written("name() = \"p\" or string(self::node()) = \"e\"") == "<?p x?>\n<?p y?>\n<!--e-->")
        #expect(try written("not(name() = \"p\") and parent::a") == "<!--d-->")
        #expect(try written("not(name() = \"p\")", .inclusive10) == "<a></a>\n<?q z?>")
    }

    @Test func `attributes and namespaces are written without their element`() throws {
        let text = "<a xmlns='http://www.ietf.org' xmlns:p='urn:p' p:y='1' x='2'><b xmlns=''/>t</a>"
        let xpath = """
            (//. | //@* | //namespace::*)
            [parent::ietf:a and not(self::text() or self::b or name() = "p")]
            """
        #expect(try canonical(text, .inclusive10, where: xpath) == " xmlns=\"http://www.ietf.org\" x=\"2\" p:y=\"1\"")
        #expect(try canonical(text, .exclusive10, where: xpath) == " x=\"2\" p:y=\"1\"")
        #expect(
            try canonical(text, .exclusive10, prefixes: ["#default"], where: xpath)
                == " xmlns=\"http://www.ietf.org\" x=\"2\" p:y=\"1\"")
    }

    @Test func `a prefix is declared again where the element around has it only outside the set`() throws {
        let text = "<p:a xmlns:p='urn:p'><p:b><p:c/></p:b></p:a>"
        let xpath = "(//. | //@* | //namespace::*)[not(name() = \"p\") or not(parent::p:b)]"
        for method in Canonicalization.allCases {
            #expect(
                try canonical(text, method, where: xpath)
                    == "<p:a xmlns:p=\"urn:p\"><p:b><p:c xmlns:p=\"urn:p\"></p:c></p:b></p:a>")
        }
    }

    @Test func `the exclusive form looks past elements that don't use the prefix, the inclusive doesn't`() throws {
        let text = "<p:a xmlns:p='urn:p'><b><p:c/></b></p:a>"
        let xpath = "(//. | //@* | //namespace::*)[not(name() = \"p\") or not(parent::b)]"
        let exclusive = "<p:a xmlns:p=\"urn:p\"><b><p:c></p:c></b></p:a>"
        let inclusive = "<p:a xmlns:p=\"urn:p\"><b><p:c xmlns:p=\"urn:p\"></p:c></b></p:a>"
        #expect(try canonical(text, .exclusive10, where: xpath) == exclusive)
        #expect(try canonical(text, .exclusive10, prefixes: ["p"], where: xpath) == inclusive)
        #expect(try canonical(text, .inclusive10, where: xpath) == inclusive)
    }

    @Test func `a prefix that only an attribute outside the set uses isn't visibly utilised`() throws {
        let text = "<a xmlns:p='urn:p' p:x='1' y='2'/>"
        let xpath = "(//. | //@* | //namespace::*)[namespace-uri() != \"urn:p\"]"
        #expect(try canonical(text, .exclusive10, where: xpath) == "<a y=\"2\"></a>")
        #expect(try canonical(text, .inclusive10, where: xpath) == "<a xmlns:p=\"urn:p\" y=\"2\"></a>")
    }

    @Test func `xml attributes come from ancestors out of the set, to an element whose parent is out of it`() throws {
        let text = """
            <a xml:lang="ja" xml:id="i" xml:base="http://h/one/"><b xml:base="two/" xml:lang="en"><c xml:base="three/">\
            <d xml:base="x" xml:lang="fr"><e/></d></c></b></a>
            """
        let xpath = "(//. | //@* | //namespace::*)[not(self::b or self::c or name() = \"xml:lang\")]"
        // An `xml:lang` of its own, though out of the set, keeps out those of its ancestors; 1.1 writes it.
        #expect(
            try canonical(text, .inclusive10, where: xpath)
                == """
                <a xml:base="http://h/one/" xml:id="i"> xml:base="two/" xml:base="three/"\
                <d xml:base="x" xml:id="i"><e></e></d></a>
                """)
        #expect(
            try canonical(text, .inclusive11, where: xpath)
                == """
                <a xml:base="http://h/one/" xml:id="i" xml:lang="ja"> xml:base="two/" xml:base="three/"\
                <d xml:base="two/three/x" xml:lang="fr"><e></e></d></a>
                """)
        #expect(
            try canonical(text, .exclusive10, where: xpath)
                == """
                <a xml:base="http://h/one/" xml:id="i"> xml:base="two/" xml:base="three/"\
                <d xml:base="x"><e></e></d></a>
                """)
    }

    @Test func `an expression beyond what the cases use is refused`() throws {
        let beyond = [
            "id(\"x\")", "here()", "following::a", "self::q:a", "self::a and", "1", "self::a = self::b",
            "self::a]//.[self::b",
        ]
        for predicate in beyond {
            #expect(throws: XPathSelection.Unsupported.self) {
                try canonical("<a/>", .inclusive10, where: "(//. | //@* | //namespace::*)[\(predicate)]")
            }
        }
    }
}
