/// What a reader leaves of a document: nodes in document order, so that an element's subtree is a range of them.
struct XMLTree: Sendable {
    var names = XMLNames()
    var nodes: [XMLNode] = []
    var attributes: [XMLAttributeNode] = []
    var declarations: [XMLDeclarationNode] = []
    /// Node numbers by the value of an id attribute, compared byte for byte.
    var ids: [[UInt8]: Int] = [:]
    var root = -1
}

/// One element, run of text, section, comment or processing instruction.
struct XMLNode: Sendable {
    enum Kind: Sendable {
        case element
        case text
        case section
        case comment
        case instruction
    }

    let kind: Kind
    /// The whole node in the document's bytes.
    var range: Range<Int>
    /// What stands between tags or delimiters.
    var content: Range<Int>
    /// The number of the enclosing element, or -1.
    let parent: Int
    /// The number after the last node of this subtree.
    var subtreeEnd: Int
    // Numbers in `XMLNames`; an instruction has its target as local name.
    var prefix = XMLNames.none
    var localName = XMLNames.none
    var namespace = XMLNames.none
    /// In `XMLTree.attributes` and `.declarations`.
    var attributes = 0..<0
    var declarations = 0..<0
    /// Holds references or carriage returns, so that its value differs from its bytes.
    var needsDecoding = false
    /// Its value holds characters that the canonical form escapes.
    var needsEscaping = false
}

/// One attribute that isn't a namespace declaration.
struct XMLAttributeNode: Sendable {
    let prefix: Int
    let localName: Int
    var namespace = XMLNames.none
    let value: Range<Int>
    let needsDecoding: Bool
    let needsEscaping: Bool
}

/// One namespace declaration; `uri` is `XMLNames.none` for `xmlns=""`.
struct XMLDeclarationNode: Sendable {
    let prefix: Int
    let uri: Int
}
