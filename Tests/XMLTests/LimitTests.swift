import Testing
import XML

struct LimitTests {
    private func reason(_ text: String, _ limits: XMLLimits) -> XMLError.Reason? {
        reasonOfRefusal(Array(text.utf8), limits: limits)
    }

    @Test func `each limit lets through what it allows and refuses one more`() {
        #expect(reason("<a/>", XMLLimits(bytes: 4)) == nil)
        #expect(reason("<a/> ", XMLLimits(bytes: 4)) == .limitExceeded)
        #expect(reason("<a><b/></a>", XMLLimits(depth: 2)) == nil)
        #expect(reason("<a><b><c/></b></a>", XMLLimits(depth: 2)) == .limitExceeded)
        #expect(reason("<a b=''>t<!----></a>", XMLLimits(nodes: 4)) == nil)
        #expect(reason("<a b=''>t<!----><?p?></a>", XMLLimits(nodes: 4)) == .limitExceeded)
        #expect(reason("<a b='' xmlns='urn:a'/>", XMLLimits(attributes: 2)) == nil)
        #expect(reason("<a b='' c='' xmlns='urn:a'/>", XMLLimits(attributes: 2)) == .limitExceeded)
        #expect(reason("<abc/>", XMLLimits(nameBytes: 3)) == nil)
        #expect(reason("<abcd/>", XMLLimits(nameBytes: 3)) == .limitExceeded)
        #expect(reason("<a xmlns='urn:a'/>", XMLLimits(namespaceBytes: 5)) == nil)
        #expect(reason("<a xmlns='urn:ab'/>", XMLLimits(namespaceBytes: 5)) == .limitExceeded)
        #expect(reason("<a b='&lt;'>&#65;</a>", XMLLimits(references: 2)) == nil)
        #expect(reason("<a b='&lt;'>&#65;&gt;</a>", XMLLimits(references: 2)) == .limitExceeded)
        #expect(reason("<a xmlns='urn:a'><b/></a>", XMLLimits(expandedNamespaceBytes: 10)) == nil)
        #expect(reason("<a xmlns='urn:a'><b/><b/></a>", XMLLimits(expandedNamespaceBytes: 10)) == .limitExceeded)
    }

    @Test(.timeLimit(.minutes(10))) func `hostile documents are refused without recursion or delay`() {
        let many = 100_000
        #expect(reasonOfRefusal(Array(String(repeating: "<a>", count: many).utf8)) == .limitExceeded)
        let attributes = (0..<many).map { " a\($0)=''" }.joined()
        #expect(reasonOfRefusal(Array("<a\(attributes)/>".utf8)) == .limitExceeded)
        let declarations = (0..<many).map { " xmlns:a\($0)='urn:\($0)'" }.joined()
        #expect(reasonOfRefusal(Array("<a\(declarations)/>".utf8)) == .limitExceeded)
        #expect(reasonOfRefusal(Array("<\(String(repeating: "a", count: many))/>".utf8)) == .limitExceeded)
        let uri = "urn:" + String(repeating: "u", count: 2000)
        let siblings = String(repeating: "<p:b/>", count: many)
        #expect(reasonOfRefusal(Array("<a xmlns:p='\(uri)'>\(siblings)</a>".utf8)) == .limitExceeded)
    }

    @Test(.timeLimit(.minutes(10))) func `many distinct names within the limits are read in linear time`() throws {
        let elements = (0..<50_000).map { "<e\($0) id='i\($0)'/>" }.joined()
        let document = try XMLDocument(parsing: Array("<a>\(elements)</a>".utf8))
        #expect(document.element(id: "i49999")?.localName == "e49999")
    }
}
