/// A W3C way to write a document, or one element of it, so that equal content gives equal bytes.
package enum Canonicalization: Sendable, Hashable, CaseIterable {
    /// Canonical XML 1.0.
    case inclusive10
    case inclusive10WithComments
    /// Canonical XML 1.1.
    case inclusive11
    case inclusive11WithComments
    /// Exclusive XML Canonicalization 1.0.
    case exclusive10
    case exclusive10WithComments

    /// The method with this algorithm identifier (XML Signature 1.1 §6.5), or nil.
    package init?(algorithm: String) {
        guard let method = Self.allCases.first(where: { $0.algorithm.utf8.elementsEqual(algorithm.utf8) }) else {
            return nil
        }
        self = method
    }

    /// The algorithm identifier.
    package var algorithm: String {
        switch self {
        case .inclusive10: "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
        case .inclusive10WithComments: "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
        case .inclusive11: "http://www.w3.org/2006/12/xml-c14n11"
        case .inclusive11WithComments: "http://www.w3.org/2006/12/xml-c14n11#WithComments"
        case .exclusive10: "http://www.w3.org/2001/10/xml-exc-c14n#"
        case .exclusive10WithComments: "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"
        }
    }

    /// The canonical form of `element` and everything within it, in UTF-8.
    ///
    /// - Parameters:
    ///   - inclusiveNamespaces: the tokens of `PrefixList`, "#default" included; only for the exclusive methods.
    ///   - excluding: an element left out with all within it, as the enveloped-signature transform asks.
    package func canonicalize(
        _ element: XMLElement, inclusiveNamespaces: [String] = [], excluding: XMLElement? = nil
    ) -> [UInt8] {
        let nodes = element.index..<element.node.subtreeEnd
        let selection = ElementSelection(nodes, of: element.document, excluding: excluding)
        var writer = CanonicalWriter(element.document, self, inclusiveNamespaces, selection)
        writer.writeSubtree(element.index)
        return writer.output
    }

    /// The canonical form of the whole document, with what stands before and after the root, in UTF-8.
    package func canonicalize(
        _ document: XMLDocument, inclusiveNamespaces: [String] = [], excluding: XMLElement? = nil
    ) -> [UInt8] {
        let selection = ElementSelection(document.tree.nodes.indices, of: document, excluding: excluding)
        var writer = CanonicalWriter(document, self, inclusiveNamespaces, selection)
        writer.writeDocument()
        return writer.output
    }

    var hasComments: Bool {
        switch self {
        case .inclusive10WithComments, .inclusive11WithComments, .exclusive10WithComments: true
        case .inclusive10, .inclusive11, .exclusive10: false
        }
    }

    var isExclusive: Bool { self == .exclusive10 || self == .exclusive10WithComments }
    var is11: Bool { self == .inclusive11 || self == .inclusive11WithComments }
}
