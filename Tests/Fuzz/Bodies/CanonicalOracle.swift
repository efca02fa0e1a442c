package import XML

/// Another implementation of the six canonicalisations, to compare ours with.
package protocol CanonicalOracle {
    /// One form for each query, nil for what it refuses to write; nil where it refuses to read the document.
    func canonical(_ document: [UInt8], _ queries: [CanonicalQuery]) -> [[UInt8]?]?
}

/// What is to be written of a document, and how.
package struct CanonicalQuery: Sendable, Hashable {
    package var method: Canonicalization
    /// The number of the apex among the elements in document order, from 1; 0 for the whole document.
    package var apex: Int
    /// The number of an element that is left out; 0 for none.
    package var excluded: Int
    /// The tokens of PrefixList, for the exclusive methods.
    package var prefixes: [String]

    /// The whole document, unless told otherwise.
    package init(method: Canonicalization, apex: Int = 0, excluded: Int = 0, prefixes: [String] = []) {
        self.method = method
        self.apex = apex
        self.excluded = excluded
        self.prefixes = prefixes
    }

    /// Our form.
    package func canonical(_ document: XMLDocument) -> [UInt8] {
        let elements = apex + excluded == 0 ? [] : [document.root] + document.root.descendants
        let left = excluded == 0 ? nil : elements[excluded - 1]
        guard apex > 0 else {
            return method.canonicalize(document, inclusiveNamespaces: prefixes, excluding: left)
        }
        return method.canonicalize(elements[apex - 1], inclusiveNamespaces: prefixes, excluding: left)
    }

    /// 0 for Canonical XML 1.0, 1 for 1.1, 2 for exclusive; as the oracle in C numbers them.
    package var methodNumber: UInt8 {
        switch method {
        case .inclusive10, .inclusive10WithComments: 0
        case .inclusive11, .inclusive11WithComments: 1
        case .exclusive10, .exclusive10WithComments: 2
        }
    }

    /// Whether comments are written.
    package var hasComments: Bool {
        [.inclusive10WithComments, .inclusive11WithComments, .exclusive10WithComments].contains(method)
    }
}
