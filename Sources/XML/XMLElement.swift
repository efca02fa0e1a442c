/// One element of a document: a cheap handle, good for as long as one likes.
///
/// Compare names by `isNamed` and `firstChild`, which look at bytes: `String` takes some different names for equal.
package struct XMLElement: Sendable, Equatable {
    /// The document that this element is in.
    package let document: XMLDocument
    let index: Int

    /// Whether both are the same element of the same document object.
    package static func == (left: XMLElement, right: XMLElement) -> Bool {
        left.document === right.document && left.index == right.index
    }

    var node: XMLNode { document.tree.nodes[index] }
    private var names: XMLNames { document.tree.names }

    /// The name after the prefix.
    package var localName: String { names.string(node.localName) }
    /// The name's prefix, "" for none.
    package var prefix: String { names.string(node.prefix) }
    /// The name's namespace, "" for none.
    package var namespaceURI: String { names.string(node.namespace) }

    /// Whether the expanded name is this one, byte for byte; "" stands for no namespace.
    package func isNamed(_ localName: String, _ namespaceURI: String) -> Bool {
        guard let name = names.find(localName), let namespace = names.find(namespaceURI) else { return false }
        return node.localName == name && node.namespace == namespace
    }

    /// The enclosing element, nil for the root.
    package var parent: XMLElement? {
        node.parent < 0 ? nil : XMLElement(document: document, index: node.parent)
    }

    /// Whether this is `other` itself or lies within it.
    package func isInside(_ other: XMLElement) -> Bool {
        document === other.document && other.index <= index && index < other.node.subtreeEnd
    }

    /// From `<` of the start tag to after `>` of the end tag, in `document.bytes`.
    package var byteRange: Range<Int> { node.range }

    /// What stands between start tag and end tag, in `document.bytes`; empty at the end of `<a/>`.
    package var contentRange: Range<Int> { node.content }

    /// Whether it was written `<a/>`.
    package var isSelfClosing: Bool { node.content.upperBound == node.range.upperBound }
}

// MARK: - Attributes

/// An attribute that isn't a namespace declaration, with its normalised value.
package struct XMLAttribute: Sendable, Hashable {
    /// The name after the prefix.
    package let localName: String
    /// "" for none.
    package let prefix: String
    /// "" for none.
    package let namespaceURI: String
    /// References resolved and white space normalised (XML 1.0 §3.3.3).
    package let value: String
}

extension XMLElement {
    /// The attributes in the order of the document, without namespace declarations.
    package var attributes: [XMLAttribute] {
        document.tree.attributes[node.attributes].map { attribute($0) }
    }

    func attribute(_ node: XMLAttributeNode) -> XMLAttribute {
        XMLAttribute(
            localName: names.string(node.localName), prefix: names.string(node.prefix),
            namespaceURI: names.string(node.namespace), value: value(node)
        )
    }

    /// The value of the attribute with this name in no namespace.
    package func attribute(_ localName: String) -> String? { attribute(localName, "") }

    /// The value of the attribute with this expanded name.
    package func attribute(_ localName: String, _ namespaceURI: String) -> String? {
        guard let name = names.find(localName), let namespace = names.find(namespaceURI) else { return nil }
        return document.tree.attributes[node.attributes]
            .first { $0.localName == name && $0.namespace == namespace }
            .map { value($0) }
    }

    private func value(_ attribute: XMLAttributeNode) -> String {
        guard attribute.needsDecoding else { return String(decoding: document.bytes[attribute.value], as: UTF8.self) }
        var bytes: [UInt8] = []
        XMLValue.appendAttribute(document.bytes, attribute.value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What each prefix, "" for the default, stands for at this element; `xml` and an unset default are left out.
    package var namespacesInScope: [String: String] {
        var uris: [String: String] = [:]
        for declaration in document.tree.declarationsInScope(at: index) {
            uris[names.string(declaration.prefix)] = names.string(declaration.uri)
        }
        return uris
    }
}

// MARK: - Content

extension XMLElement {
    /// The elements directly in this one.
    package var children: [XMLElement] {
        contents.filter { document.tree.nodes[$0].kind == .element }.map { XMLElement(document: document, index: $0) }
    }

    /// The elements directly in this one with this expanded name.
    package func children(_ localName: String, _ namespaceURI: String) -> [XMLElement] {
        guard let name = names.find(localName), let namespace = names.find(namespaceURI) else { return [] }
        return children.filter { $0.node.localName == name && $0.node.namespace == namespace }
    }

    /// The first element directly in this one with this expanded name.
    package func firstChild(_ localName: String, _ namespaceURI: String) -> XMLElement? {
        guard let name = names.find(localName), let namespace = names.find(namespaceURI) else { return nil }
        let nodes = document.tree.nodes
        let index = contents.first {
            nodes[$0].kind == .element && nodes[$0].localName == name && nodes[$0].namespace == namespace
        }
        return index.map { XMLElement(document: document, index: $0) }
    }

    /// Whether any element is directly in this one.
    package var hasElementChildren: Bool { contents.contains { document.tree.nodes[$0].kind == .element } }

    /// All elements within this one, in document order.
    package var descendants: [XMLElement] {
        ((index + 1)..<node.subtreeEnd).filter { document.tree.nodes[$0].kind == .element }
            .map { XMLElement(document: document, index: $0) }
    }

    /// The character data directly in this element, with CDATA sections, references resolved.
    package var text: String { String(decoding: textBytes, as: UTF8.self) }

    /// Whether `text` has anything but white space (XML 1.0 §2.3: space, tab, CR and LF, and no other).
    package var hasText: Bool {
        textBytes.contains { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D && $0 != 0x0A }
    }

    /// `text` in UTF-8.
    package var textBytes: [UInt8] {
        var output: [UInt8] = []
        for content in contents {
            let node = document.tree.nodes[content]
            switch node.kind {
            case .text where node.needsDecoding: XMLValue.appendText(document.bytes, node.content, to: &output)
            case .section where node.needsDecoding: XMLValue.appendVerbatim(document.bytes, node.content, to: &output)
            case .text, .section: output.append(contentsOf: document.bytes[node.content])
            case .element, .comment, .instruction: continue
            }
        }
        return output
    }

    /// The numbers of the nodes directly in this element.
    private var contents: some Sequence<Int> {
        let nodes = document.tree.nodes
        let end = node.subtreeEnd
        return sequence(state: index + 1) { next -> Int? in
            guard next < end else { return nil }
            defer { next = nodes[next].subtreeEnd }
            return next
        }
    }
}

extension XMLTree {
    /// The declarations that hold at an element, its own first in effect; `xml` and an unset default are left out.
    func declarationsInScope(at element: Int) -> [XMLDeclarationNode] {
        var seen: Set<Int> = [XMLNames.xml]
        var result: [XMLDeclarationNode] = []
        var index = element
        while index >= 0 {
            for declaration in declarations[nodes[index].declarations]
            where seen.insert(declaration.prefix).inserted && declaration.uri != XMLNames.none {
                result.append(declaration)
            }
            index = nodes[index].parent
        }
        return result
    }
}
