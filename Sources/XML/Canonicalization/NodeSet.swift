/// One node of a document as XPath 1.0 §5 counts them; ranges of content lie in `XMLDocument.bytes`.
package enum XPathNode: Sendable {
    case element(XMLElement)
    case attribute(XMLAttribute, of: XMLElement)
    /// What a prefix, "" for the default, stands for at this element, whether or not it is declared there.
    case namespace(prefix: String, uri: String, of: XMLElement)
    /// A run of characters, or a CDATA section, which XPath takes for one node with the text beside it.
    case text(Range<Int>, in: XMLElement)
    /// In no element where it stands before or after the root.
    case comment(Range<Int>, in: XMLElement?)
    /// In no element where it stands before or after the root.
    case instruction(target: String, Range<Int>, in: XMLElement?)
}

extension Canonicalization {
    /// The canonical form of the nodes of a document that `isSelected` is true of, in UTF-8 (Canonical XML 1.0 §2.4).
    ///
    /// For tests: no transform that we accept makes such a set, and `.ci/checks` refuses it to every other module.
    package func canonicalize(
        nodeSetOf document: XMLDocument, inclusiveNamespaces: [String] = [],
        where isSelected: @escaping (XPathNode) -> Bool
    ) -> [UInt8] {
        let selection = NodeSelection(document: document, isSelected: isSelected)
        var writer = CanonicalWriter(document, self, inclusiveNamespaces, selection)
        writer.writeDocument()
        return writer.output
    }
}

/// Any nodes, each by itself.
private struct NodeSelection: CanonicalSelection {
    static var hasOnlyWholeElements: Bool { false }

    let document: XMLDocument
    let isSelected: (XPathNode) -> Bool

    func contains(_ index: Int) -> Bool {
        let node = document.tree.nodes[index]
        let parent = node.parent < 0 ? nil : XMLElement(document: document, index: node.parent)
        switch node.kind {
        case .element: return isSelected(.element(XMLElement(document: document, index: index)))
        case .text, .section:
            guard let parent else { return false }
            return isSelected(.text(node.content, in: parent))
        case .comment: return isSelected(.comment(node.content, in: parent))
        case .instruction:
            let target = document.tree.names.string(node.localName)
            return isSelected(.instruction(target: target, node.content, in: parent))
        }
    }

    func contains(attribute: Int, of element: Int) -> Bool {
        let element = XMLElement(document: document, index: element)
        return isSelected(.attribute(element.attribute(document.tree.attributes[attribute]), of: element))
    }

    /// An unset default is no node.
    func contains(_ declaration: XMLDeclarationNode, of element: Int) -> Bool {
        guard declaration.uri != XMLNames.none else { return false }
        let names = document.tree.names
        let element = XMLElement(document: document, index: element)
        return isSelected(
            .namespace(prefix: names.string(declaration.prefix), uri: names.string(declaration.uri), of: element))
    }
}
