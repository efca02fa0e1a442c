/// Writes canonical XML from the selected nodes of a document, one after another (Canonical XML 1.0 §2.3).
struct CanonicalWriter<Selection: CanonicalSelection> {
    var output: [UInt8] = []
    // Held apart, since a copy of the tree for each node would cost more than the writing.
    let tree: XMLTree
    let bytes: [UInt8]
    let method: Canonicalization
    /// The prefixes that an exclusive method treats as an inclusive one does.
    let inclusivePrefixes: Set<Int>
    let selection: Selection
    /// The URI that the output so far binds to each prefix at this place, by number in `XMLNames`.
    var rendered: [Int]
    /// What each declaration written has hidden.
    var hidden: [(prefix: Int, uri: Int)] = []

    init(
        _ document: XMLDocument, _ method: Canonicalization, _ inclusiveNamespaces: [String], _ selection: Selection
    ) {
        tree = document.tree
        bytes = document.bytes
        self.method = method
        self.selection = selection
        inclusivePrefixes = Set(
            inclusiveNamespaces.compactMap { document.tree.names.find($0 == "#default" ? "" : $0) }
        )
        rendered = Array(repeating: XMLNames.none, count: document.tree.names.count)
    }

    /// Comments and instructions around the root stand on lines of their own.
    mutating func writeDocument() {
        var index = 0
        while index < tree.nodes.count {
            let isOutput = selection.contains(index) && (tree.nodes[index].kind != .comment || method.hasComments)
            if index > tree.root, isOutput { output.append(0x0A) }
            if index == tree.root { writeSubtree(index) } else if isOutput { write(index) }
            if index < tree.root, isOutput { output.append(0x0A) }
            index = tree.nodes[index].subtreeEnd
        }
    }

    /// An element and everything within it; end tags are due when their element's last node has been written.
    mutating func writeSubtree(_ apex: Int) {
        let nodes = tree.nodes
        var due: [(node: Int, declarations: Int)] = []
        let end = nodes[apex].subtreeEnd
        output.reserveCapacity(output.count + nodes[apex].range.count + 256)
        var index = apex
        while index < end {
            while let last = due.last, nodes[last.node].subtreeEnd <= index {
                due.removeLast()
                writeEndTag(last.node, last.declarations)
            }
            let isSelected = selection.contains(index)
            if Selection.hasOnlyWholeElements, !isSelected {
                index = nodes[index].subtreeEnd
                continue
            }
            if nodes[index].kind == .element {
                if isSelected {
                    due.append((index, hidden.count))
                    writeStartTag(index)
                } else {
                    // Its namespaces and attributes may be selected without it.
                    writeDeclarations(index, isOutput: false)
                    writeAttributes(index, isOutput: false)
                }
            } else if isSelected {
                write(index)
            }
            index += 1
        }
        while let last = due.popLast() { writeEndTag(last.node, last.declarations) }
    }

    /// Whether the element around this one is left out, or there is none.
    func isApex(_ index: Int) -> Bool {
        let parent = tree.nodes[index].parent
        return parent < 0 || !selection.contains(parent)
    }

    private mutating func writeStartTag(_ index: Int) {
        output.append(UInt8(ascii: "<"))
        writeName(tree.nodes[index].prefix, tree.nodes[index].localName)
        writeDeclarations(index, isOutput: true)
        writeAttributes(index, isOutput: true)
        output.append(UInt8(ascii: ">"))
    }

    private mutating func writeEndTag(_ index: Int, _ declarations: Int) {
        output.append(UInt8(ascii: "<"))
        output.append(UInt8(ascii: "/"))
        writeName(tree.nodes[index].prefix, tree.nodes[index].localName)
        output.append(UInt8(ascii: ">"))
        while hidden.count > declarations, let last = hidden.popLast() { rendered[last.prefix] = last.uri }
    }

    mutating func writeName(_ prefix: Int, _ localName: Int) {
        if prefix != XMLNames.none {
            output.append(contentsOf: tree.names[prefix])
            output.append(UInt8(ascii: ":"))
        }
        output.append(contentsOf: tree.names[localName])
    }

    /// Text, sections, comments and instructions.
    private mutating func write(_ index: Int) {
        let node = tree.nodes[index]
        switch node.kind {
        case .element: break
        case .text, .section:
            guard node.needsDecoding || node.needsEscaping else {
                output.append(contentsOf: bytes[node.content])
                return
            }
            guard node.needsDecoding else { return XMLText.appendEscaped(bytes[node.content], to: &output) }
            var value: [UInt8] = []
            if node.kind == .text {
                XMLValue.appendText(bytes, node.content, to: &value)
            } else {
                XMLValue.appendVerbatim(bytes, node.content, to: &value)
            }
            XMLText.appendEscaped(value[...], to: &output)
        case .comment:
            guard method.hasComments else { return }
            output.append(contentsOf: "<!--".utf8)
            XMLValue.appendVerbatim(bytes, node.content, to: &output)
            output.append(contentsOf: "-->".utf8)
        case .instruction:
            output.append(contentsOf: "<?".utf8)
            output.append(contentsOf: tree.names[node.localName])
            if !node.content.isEmpty { output.append(0x20) }
            XMLValue.appendVerbatim(bytes, node.content, to: &output)
            output.append(contentsOf: "?>".utf8)
        }
    }
}
