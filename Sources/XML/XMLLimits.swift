/// The bounds a document must keep to be read; what goes beyond one is refused, never truncated.
///
/// Together they make reading and canonicalising linear in the input, with a bounded result.
package struct XMLLimits: Sendable, Hashable {
    /// The whole document, in bytes.
    package var bytes: Int
    /// Elements inside one another, the root being 1.
    package var depth: Int
    /// Elements, attributes, namespace declarations, runs of text, comments and processing instructions together.
    package var nodes: Int
    /// Attributes and namespace declarations of one element together.
    package var attributes: Int
    /// One qualified name or processing instruction target, in bytes.
    package var nameBytes: Int
    /// One namespace URI, in bytes.
    package var namespaceBytes: Int
    /// Character and entity references in the whole document.
    package var references: Int
    /// What exclusive canonicalisation could at most repeat of namespace URIs, in bytes.
    ///
    /// A short prefix may stand for a long URI, which the canonical form writes out again for each sibling.
    package var expandedNamespaceBytes: Int

    /// Limits that hold any document of the prescription service with room to spare.
    package static let standard = XMLLimits()

    /// The standard limits, with those named replaced.
    package init(
        bytes: Int = 16 << 20, depth: Int = 64, nodes: Int = 500_000, attributes: Int = 256, nameBytes: Int = 1024,
        namespaceBytes: Int = 2048, references: Int = 1_000_000, expandedNamespaceBytes: Int = 8 << 20
    ) {
        self.bytes = bytes
        self.depth = depth
        self.nodes = nodes
        self.attributes = attributes
        self.nameBytes = nameBytes
        self.namespaceBytes = namespaceBytes
        self.references = references
        self.expandedNamespaceBytes = expandedNamespaceBytes
    }
}
