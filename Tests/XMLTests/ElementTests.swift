import Testing
import XML

struct ElementTests {
    private static let text = """
        \u{FEFF}<?xml version="1.0"?>
        <d:Document xmlns:d="urn:d" xmlns="urn:default" Id="top">
          <First id='one'>text<!-- c --> more</First><Empty/><Second xmlns="" ID="two"
              d:id="one"><x xml:id=" three "/></Second>
        </d:Document>
        """

    @Test func `every element's ranges cut out the bytes it was written with`() throws {
        let document = try XMLDocument(parsing: Array(Self.text.utf8))
        func cut(_ range: Range<Int>) -> String { String(decoding: document.bytes[range], as: UTF8.self) }
        let first = try #require(document.root.firstChild("First", "urn:default"))
        #expect(cut(first.byteRange) == "<First id='one'>text<!-- c --> more</First>")
        #expect(cut(first.contentRange) == "text<!-- c --> more")
        let empty = try #require(document.root.firstChild("Empty", "urn:default"))
        #expect(cut(empty.byteRange) == "<Empty/>" && empty.contentRange.isEmpty && empty.isSelfClosing)
        #expect(empty.contentRange.lowerBound == empty.byteRange.upperBound)
        #expect(!first.isSelfClosing)
        for element in [document.root] + document.root.descendants {
            let range = element.byteRange
            let spliced =
                document.bytes[..<range.lowerBound] + document.bytes[range] + document.bytes[range.upperBound...]
            #expect(Array(spliced) == document.bytes)
            let content = element.contentRange
            #expect(range.lowerBound < content.lowerBound && content.upperBound <= range.upperBound)
        }
    }

    @Test func `names, attributes and relatives are told`() throws {
        let document = try XMLDocument(parsing: Array(Self.text.utf8))
        let root = document.root
        #expect(root.localName == "Document" && root.prefix == "d" && root.namespaceURI == "urn:d")
        #expect(root.children.map(\.localName) == ["First", "Empty", "Second"])
        let second = root.children[2]
        #expect(second.isNamed("Second", "") && !second.isNamed("Second", "urn:default"))
        #expect(second.attributes.map(\.namespaceURI) == ["", "urn:d"])
        #expect(second.attribute("id") == nil && second.attribute("id", "urn:d") == "one")
        #expect(second.namespacesInScope == ["d": "urn:d"])
        #expect(root.children[0].namespacesInScope == ["d": "urn:d", "": "urn:default"])
        #expect(second.parent == root && second.children[0].isInside(root) && !root.isInside(second))
        #expect(root.hasElementChildren && !root.children[1].hasElementChildren)
        #expect(root.children[0].text == "text more")
        #expect(root.children("Empty", "urn:default").count == 1 && root.firstChild("Empty", "") == nil)
    }

    @Test func `an id finds its element in any of the four spellings`() throws {
        let document = try XMLDocument(parsing: Array(Self.text.utf8))
        #expect(document.element(id: "top") == document.root)
        #expect(document.element(id: "one")?.localName == "First")
        #expect(document.element(id: "two")?.localName == "Second")
        #expect(document.element(id: "three")?.localName == "x")
        #expect(document.element(id: "four") == nil && document.element(id: "") == nil)
    }

    @Test(arguments: [
        "<a id='x'><b id='x'/></a>", "<a Id='x'><b id='x'/></a>", "<a ID='x'><b xml:id='x'/></a>",
        "<a id='x'><b/><c Id='&#x78;'/></a>", "<a id='x' Id='x'/>", "<a Id='x'><b xml:id=' x '/></a>",
    ])
    func `one id on two attributes is refused`(_ text: String) {
        #expect(reasonOfRefusal(Array(text.utf8)) == .duplicateID)
    }

    @Test func `names and ids that only look alike are different`() throws {
        let document = try XMLDocument(parsing: Array("<a Id='é'><b Id='e\u{301}'/><\u{212A}ey/></a>".utf8))
        #expect(document.element(id: "é") == document.root)
        #expect(document.element(id: "e\u{301}")?.localName == "b")
        #expect(document.root.firstChild("Key", "") == nil)
    }
}
