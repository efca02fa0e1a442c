import Testing
import XML

struct CanonicalizationTests {
    private func canonical(
        _ text: String, _ method: Canonicalization, at id: String? = nil, prefixes: [String] = [],
        without excluded: String? = nil
    ) throws -> String {
        let document = try XMLDocument(parsing: Array(text.utf8))
        let excluding = try excluded.map { try #require(document.element(id: $0)) }
        let output =
            if let id {
                method.canonicalize(
                    try #require(document.element(id: id)), inclusiveNamespaces: prefixes, excluding: excluding)
            } else {
                method.canonicalize(document, inclusiveNamespaces: prefixes, excluding: excluding)
            }
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `algorithm identifiers name the methods and nothing else does`() {
        for method in Canonicalization.allCases { #expect(Canonicalization(algorithm: method.algorithm) == method) }
        #expect(Canonicalization(algorithm: "http://www.w3.org/2001/10/xml-exc-c14n") == nil)
        #expect(Canonicalization(algorithm: "") == nil)
    }

    @Test func `tags, attributes and text take their canonical form`() throws {
        let text =
            "<?xml version='1.0'?>\r\n<a  z='1' b = 'x\"y' c='&#9;&lt;\n>' ><b/><![CDATA[<&>]]>&gt;&#13;\r\n</a >"
        #expect(
            try canonical(text, .inclusive10)
                == "<a b=\"x&quot;y\" c=\"&#x9;&lt; >\" z=\"1\"><b></b>&lt;&amp;&gt;&gt;&#xD;\n</a>")
    }

    @Test func `comments and instructions around the root stand on their own lines`() throws {
        let text = "<?p  x ?><!--c--><a><!--d--><?q?></a><!--e--><?r s?>"
        #expect(try canonical(text, .inclusive10) == "<?p x ?>\n<a><?q?></a>\n<?r s?>")
        #expect(
            try canonical(text, .exclusive10WithComments)
                == "<?p x ?>\n<!--c-->\n<a><!--d--><?q?></a>\n<!--e-->\n<?r s?>")
    }

    @Test func `attributes sort by namespace URI and then name, declarations by prefix`() throws {
        let text = """
            <e xmlns:b="urn:1" xmlns:a="urn:2" a:z="4" b:y="3" b:x="2" c="1" xmlns="urn:0"/>
            """
        #expect(
            try canonical(text, .inclusive11)
                == """
                <e xmlns="urn:0" xmlns:a="urn:2" xmlns:b="urn:1" c="1" b:x="2" b:y="3" a:z="4"></e>
                """)
    }

    @Test func `an inclusive apex takes every namespace in scope, an exclusive one what it uses`() throws {
        let text = """
            <p:a xmlns:p="urn:p" xmlns:q="urn:q" xmlns="urn:d"><p:b id="x" q:y="1"><c xmlns="" xmlns:p="urn:p"/></p:b></p:a>
            """
        #expect(
            try canonical(text, .inclusive10, at: "x")
                == """
                <p:b xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q" id="x" q:y="1"><c xmlns=""></c></p:b>
                """)
        #expect(
            try canonical(text, .exclusive10, at: "x")
                == """
                <p:b xmlns:p="urn:p" xmlns:q="urn:q" id="x" q:y="1"><c></c></p:b>
                """)
        #expect(
            try canonical(text, .exclusive10, at: "x", prefixes: ["#default", "none"])
                == """
                <p:b xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q" id="x" q:y="1"><c xmlns=""></c></p:b>
                """)
    }

    @Test func `exclusive form declares a prefix again on each sibling that uses it`() throws {
        let text = "<a xmlns:p='urn:p'><p:b/><p:b><p:c/></p:b><p:b xmlns:p='urn:other'/></a>"
        #expect(
            try canonical(text, .exclusive10)
                == """
                <a><p:b xmlns:p="urn:p"></p:b><p:b xmlns:p="urn:p"><p:c></p:c></p:b><p:b xmlns:p="urn:other"></p:b></a>
                """)
    }

    @Test func `a namespace URI is escaped like an attribute value`() throws {
        let text = "<a xmlns=\"urn:a?b&amp;c\"><b xmlns=\"\"></b></a>"
        #expect(try canonical(text, .inclusive10) == text)
        #expect(try canonical(text, .exclusive10) == text)
    }

    @Test func `a redundant declaration is left out and a needed one is not`() throws {
        let text =
            "<a xmlns='urn:a' xmlns:p='urn:p'><b xmlns='urn:a' xmlns:p='urn:p'><c xmlns='' xmlns:p='urn:q'/></b></a>"
        #expect(
            try canonical(text, .inclusive11)
                == "<a xmlns=\"urn:a\" xmlns:p=\"urn:p\"><b><c xmlns=\"\" xmlns:p=\"urn:q\"></c></b></a>")
    }

    @Test func `xml attributes are inherited as each version has it`() throws {
        let text = """
            <a xml:lang="ja" xml:id="i" xml:base="http://h/one/" xml:other="o">\
            <b xml:base="two/three" xml:lang="en"><c Id="x" xml:space="default"/></b></a>
            """
        #expect(
            try canonical(text, .inclusive10, at: "x")
                == """
                <c Id="x" xml:base="two/three" xml:id="i" xml:lang="en" xml:other="o" xml:space="default"></c>
                """)
        #expect(
            try canonical(text, .inclusive11, at: "x")
                == """
                <c Id="x" xml:base="http://h/one/two/three" xml:lang="en" xml:space="default"></c>
                """)
        #expect(try canonical(text, .exclusive10, at: "x") == "<c Id=\"x\" xml:space=\"default\"></c>")
    }

    @Test(arguments: [
        ("foo/bar", "..", "x"), ("", "a", "x"), ("a/b", "../../c", "../x"), ("http://h", "x", "http://h/x"),
        ("http://h/a?q#f", "/b", "http://h/x"), ("a/", "", "a/x"), ("a//b/", "./", "a/b/x"), ("a/..", "b/", "b/x"),
        ("http://h/a/", "//other/", "http://other/x"), ("urn:x", "http://h/", "http://h/x"), ("..", "..", "../../x"),
    ])
    func `xml base joins the values of the ancestors left out`(
        _ outer: String, _ inner: String, _ joined: String
    ) throws {
        let text = "<a xml:base='\(outer)'><b xml:base='\(inner)'><c Id='x' xml:base='x'/></b></a>"
        #expect(try canonical(text, .inclusive11, at: "x") == "<c Id=\"x\" xml:base=\"\(joined)\"></c>")
    }

    @Test func `an excluded signature leaves no trace and no white space of its own`() throws {
        let text = "<a id='a'> <s id='s'><t/>text</s> <b/></a>"
        #expect(try canonical(text, .exclusive10, at: "a", without: "s") == "<a id=\"a\">  <b></b></a>")
        #expect(try canonical(text, .exclusive10, without: "s") == "<a id=\"a\">  <b></b></a>")
        #expect(try canonical(text, .exclusive10, at: "s", without: "a") == "")
    }

    @Test func `writers' escaping stands unchanged in the canonical form`() throws {
        let value = "<&>\"'\t\n\r患者]]>"
        let text = "<a b=\"\(XMLText.escapeAttribute(value))\">\(XMLText.escape(value))</a>"
        #expect(try canonical(text, .exclusive10) == text)
        let root = try XMLDocument(parsing: Array(text.utf8)).root
        #expect(root.text == value && root.attribute("b") == value)
    }
}
