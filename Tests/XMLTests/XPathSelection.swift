import XML

/// A selection in as much of XPath 1.0 as the canonicalisation cases use.
///
/// It is `(//. | //@* | //namespace::*)[predicate]`, so every node that the predicate is true of; anything else is
/// refused as it is read.
struct XPathSelection {
    struct Unsupported: Error {
        let text: String
    }

    /// Whether a node of the document is selected.
    let contains: (XPathNode) -> Bool

    /// Reads the character data of `expression`; its prefixes mean what they mean there.
    init(_ expression: XMLElement, of document: XMLDocument) throws {
        let text = expression.text
        guard let start = text.firstIndex(of: "["), let end = text.lastIndex(of: "]"),
            text[..<start].filter({ !$0.isWhitespace }) == "(//.|//@*|//namespace::*)",
            text[text.index(after: end)...].allSatisfy(\.isWhitespace)
        else { throw Unsupported(text: text) }
        var parser = XPathParser(expression.namespacesInScope, document)
        let isTrue = try parser.parse(text[text.index(after: start)..<end])
        contains = { isTrue(.node($0)) }
    }
}

/// A node, or the root node, which is above the root element.
enum XPathPlace {
    case root
    case node(XPathNode)

    /// The element that this is or that it belongs to.
    var element: XMLElement? {
        switch self {
        case .root: nil
        case .node(.element(let element)), .node(.attribute(_, let element)), .node(.namespace(_, _, let element)),
            .node(.text(_, let element)):
            element
        case .node(.comment(_, let element)), .node(.instruction(_, _, let element)): element
        }
    }

    var isElement: Bool { if case .node(.element) = self { true } else { false } }
    var isText: Bool { if case .node(.text) = self { true } else { false } }

    var parent: XPathPlace? {
        if case .root = self { return nil }
        let parent = isElement ? element?.parent : element
        return parent.map { .node(.element($0)) } ?? .root
    }

    /// In document order.
    var ancestorsAndSelf: [XPathPlace] { (parent?.ancestorsAndSelf ?? []) + [self] }

    var namespaceNodes: [XPathPlace] {
        guard isElement, let element else { return [] }
        let xml = ["xml": "http://www.w3.org/XML/1998/namespace"]
        return element.namespacesInScope.merging(xml) { $1 }.map {
            .node(.namespace(prefix: $0.key, uri: $0.value, of: element))
        }
    }

    /// Different for different nodes of one document.
    var identity: String {
        let start = element?.byteRange.lowerBound ?? -1
        return switch self {
        case .root: "root"
        case .node(.element): "element \(start)"
        case .node(.attribute(let attribute, _)): "attribute \(start) \(attribute.localName) \(attribute.namespaceURI)"
        case .node(.namespace(let prefix, _, _)): "namespace \(start) \(prefix)"
        case .node(.text(let range, _)): "text \(range)"
        case .node(.comment(let range, _)): "comment \(range)"
        case .node(.instruction(let target, let range, _)): "instruction \(target) \(range)"
        }
    }

    /// XPath 1.0 §4.1.
    var name: String {
        switch self {
        case .node(.element(let element)): Self.qualified(element.prefix, element.localName)
        case .node(.attribute(let attribute, _)): Self.qualified(attribute.prefix, attribute.localName)
        case .node(.namespace(let prefix, _, _)): prefix
        case .node(.instruction(let target, _, _)): target
        case .root, .node(.text), .node(.comment): ""
        }
    }

    private static func qualified(_ prefix: String, _ localName: String) -> String {
        prefix.isEmpty ? localName : prefix + ":" + localName
    }

    /// XPath 1.0 §4.1.
    var namespaceURI: String {
        switch self {
        case .node(.element(let element)): element.namespaceURI
        case .node(.attribute(let attribute, _)): attribute.namespaceURI
        default: ""
        }
    }

    /// XPath 1.0 §5.
    func stringValue(in document: XMLDocument) -> String {
        switch self {
        case .node(.attribute(let attribute, _)): attribute.value
        case .node(.namespace(_, let uri, _)): uri
        case .node(.comment(let range, _)), .node(.instruction(_, let range, _)):
            String(decoding: document.bytes[range], as: UTF8.self).replacing(/\r\n?/, with: "\n")
        case .node(.text(let wanted, _)): Self.text(of: document) { range, _ in range == wanted }
        case .root: Self.text(of: document) { _, _ in true }
        case .node(.element(let element)): Self.text(of: document) { $1?.isInside(element) ?? false }
        }
    }

    /// Character data in document order: what is left of a canonical form without anything else, unescaped.
    private static func text(
        of document: XMLDocument, where isWanted: @escaping (Range<Int>, XMLElement?) -> Bool
    ) -> String {
        let bytes = Canonicalization.inclusive10.canonicalize(nodeSetOf: document) { node in
            if case .text(let range, let element) = node { isWanted(range, element) } else { false }
        }
        return String(decoding: bytes, as: UTF8.self).replacing("&lt;", with: "<").replacing("&gt;", with: ">")
            .replacing("&#xD;", with: "\r").replacing("&amp;", with: "&")
    }
}
