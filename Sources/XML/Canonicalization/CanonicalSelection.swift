/// The nodes that a `CanonicalWriter` writes; it is compiled anew for each type of selection.
protocol CanonicalSelection {
    /// Whether an element brings all its attributes and namespaces, and one left out leaves out all within it.
    static var hasOnlyWholeElements: Bool { get }
    /// By number in `XMLTree.nodes`.
    func contains(_ node: Int) -> Bool
    /// By numbers in `XMLTree.attributes` and `.nodes`.
    func contains(attribute: Int, of element: Int) -> Bool
    /// Whether the namespace node that this declaration makes on the element is selected (XPath 1.0 §5.4).
    func contains(_ declaration: XMLDeclarationNode, of element: Int) -> Bool
}

/// A whole document or element, less one element within it: all that a transform we accept can select.
struct ElementSelection: CanonicalSelection {
    static var hasOnlyWholeElements: Bool { true }

    private let nodes: Range<Int>
    private let excluded: Range<Int>

    init(_ nodes: Range<Int>, of document: XMLDocument, excluding: XMLElement?) {
        self.nodes = nodes
        if let excluding, excluding.document === document {
            excluded = excluding.index..<excluding.node.subtreeEnd
        } else {
            excluded = 0..<0
        }
    }

    func contains(_ node: Int) -> Bool { nodes.contains(node) && !excluded.contains(node) }
    func contains(attribute: Int, of element: Int) -> Bool { true }
    func contains(_ declaration: XMLDeclarationNode, of element: Int) -> Bool { true }
}
