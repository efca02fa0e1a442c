/// Writes canonical XML from the nodes of a document, one after another (Canonical XML 1.0 §2.3).
struct CanonicalWriter {
    private(set) var output: [UInt8] = []
    private let document: XMLDocument
    private let method: Canonicalization
    /// The prefixes that an exclusive method treats as an inclusive one does.
    private let inclusivePrefixes: Set<Int>
    private let excluded: Range<Int>
    /// The URI that the output so far binds to each prefix at this place, by number in `XMLNames`.
    private var rendered: [Int]
    /// What each declaration written has hidden.
    private var hidden: [(prefix: Int, uri: Int)] = []

    init(
        _ document: XMLDocument, _ method: Canonicalization, _ inclusiveNamespaces: [String], _ excluding: XMLElement?
    ) {
        self.document = document
        self.method = method
        inclusivePrefixes = Set(
            inclusiveNamespaces.compactMap { document.tree.names.find($0 == "#default" ? "" : $0) }
        )
        if let excluding, excluding.document === document {
            excluded = excluding.index..<excluding.node.subtreeEnd
        } else {
            excluded = 0..<0
        }
        rendered = Array(repeating: XMLNames.none, count: document.tree.names.count)
    }

    /// Comments and instructions around the root stand on lines of their own.
    mutating func writeDocument() {
        let tree = document.tree
        var index = 0
        while index < tree.nodes.count {
            let isOutput = tree.nodes[index].kind != .comment || method.hasComments
            if index > tree.root, isOutput { output.append(0x0A) }
            if index == tree.root { writeSubtree(index) } else { write(index) }
            if index < tree.root, isOutput { output.append(0x0A) }
            index = tree.nodes[index].subtreeEnd
        }
    }

    /// An element and everything within it; end tags are due when their element's last node has been written.
    mutating func writeSubtree(_ apex: Int) {
        let nodes = document.tree.nodes
        var due: [(node: Int, declarations: Int)] = []
        let end = nodes[apex].subtreeEnd
        output.reserveCapacity(output.count + nodes[apex].range.count + 256)
        var index = apex
        while index < end {
            while let last = due.last, nodes[last.node].subtreeEnd <= index {
                due.removeLast()
                writeEndTag(last.node, last.declarations)
            }
            if excluded.contains(index) {
                index = excluded.upperBound
                continue
            }
            if nodes[index].kind == .element {
                due.append((index, hidden.count))
                writeStartTag(index, isApex: index == apex)
            } else {
                write(index)
            }
            index += 1
        }
        while let last = due.popLast() { writeEndTag(last.node, last.declarations) }
    }

    private mutating func writeStartTag(_ index: Int, isApex: Bool) {
        output.append(UInt8(ascii: "<"))
        writeName(document.tree.nodes[index].prefix, document.tree.nodes[index].localName)
        writeDeclarations(index, isApex: isApex)
        writeAttributes(index, isApex: isApex)
        output.append(UInt8(ascii: ">"))
    }

    private mutating func writeEndTag(_ index: Int, _ declarations: Int) {
        output.append(UInt8(ascii: "<"))
        output.append(UInt8(ascii: "/"))
        writeName(document.tree.nodes[index].prefix, document.tree.nodes[index].localName)
        output.append(UInt8(ascii: ">"))
        while hidden.count > declarations, let last = hidden.popLast() { rendered[last.prefix] = last.uri }
    }

    private mutating func writeName(_ prefix: Int, _ localName: Int) {
        if prefix != XMLNames.none {
            output.append(contentsOf: document.tree.names[prefix])
            output.append(UInt8(ascii: ":"))
        }
        output.append(contentsOf: document.tree.names[localName])
    }

    /// Text, sections, comments and instructions.
    private mutating func write(_ index: Int) {
        let node = document.tree.nodes[index]
        switch node.kind {
        case .element: break
        case .text, .section:
            guard node.needsDecoding || node.needsEscaping else {
                output.append(contentsOf: document.bytes[node.content])
                return
            }
            guard node.needsDecoding else { return XMLText.appendEscaped(document.bytes[node.content], to: &output) }
            var value: [UInt8] = []
            if node.kind == .text {
                XMLValue.appendText(document.bytes, node.content, to: &value)
            } else {
                XMLValue.appendVerbatim(document.bytes, node.content, to: &value)
            }
            XMLText.appendEscaped(value[...], to: &output)
        case .comment:
            guard method.hasComments else { return }
            output.append(contentsOf: "<!--".utf8)
            XMLValue.appendVerbatim(document.bytes, node.content, to: &output)
            output.append(contentsOf: "-->".utf8)
        case .instruction:
            output.append(contentsOf: "<?".utf8)
            output.append(contentsOf: document.tree.names[node.localName])
            if !node.content.isEmpty { output.append(0x20) }
            XMLValue.appendVerbatim(document.bytes, node.content, to: &output)
            output.append(contentsOf: "?>".utf8)
        }
    }
}

// MARK: - Namespaces

extension CanonicalWriter {
    /// The declarations that this element must bear, in the order of their prefixes.
    private mutating func writeDeclarations(_ index: Int, isApex: Bool) {
        let tree = document.tree
        let node = tree.nodes[index]
        var due: [XMLDeclarationNode] = []
        let candidates =
            isApex ? tree.declarationsInScope(at: index) : Array(tree.declarations[node.declarations])
        for declaration in candidates
        where !method.isExclusive || inclusivePrefixes.contains(declaration.prefix) {
            render(declaration, in: &due)
        }
        if method.isExclusive {
            // The prefixes visibly utilised here (Exclusive C14N 1.0 §1.1).
            render(XMLDeclarationNode(prefix: node.prefix, uri: node.namespace), in: &due)
            for attribute in tree.attributes[node.attributes] where attribute.prefix != XMLNames.none {
                render(XMLDeclarationNode(prefix: attribute.prefix, uri: attribute.namespace), in: &due)
            }
        }
        if due.count > 1 {
            due.sort { tree.names[$0.prefix].lexicographicallyPrecedes(tree.names[$1.prefix]) }
        }
        for declaration in due {
            output.append(contentsOf: " xmlns".utf8)
            if declaration.prefix != XMLNames.none {
                output.append(UInt8(ascii: ":"))
                output.append(contentsOf: tree.names[declaration.prefix])
            }
            output.append(contentsOf: "=\"".utf8)
            XMLText.appendEscapedAttribute(tree.names[declaration.uri], to: &output)
            output.append(UInt8(ascii: "\""))
        }
    }

    /// Makes a declaration due unless the output already has it at this place.
    private mutating func render(_ declaration: XMLDeclarationNode, in due: inout [XMLDeclarationNode]) {
        guard declaration.prefix != XMLNames.xml, rendered[declaration.prefix] != declaration.uri else { return }
        hidden.append((declaration.prefix, rendered[declaration.prefix]))
        rendered[declaration.prefix] = declaration.uri
        due.append(declaration)
    }
}

// MARK: - Attributes

extension CanonicalWriter {
    /// The attributes, by namespace URI and then local name, with those that an apex inherits.
    private mutating func writeAttributes(_ index: Int, isApex: Bool) {
        let tree = document.tree
        let own = tree.nodes[index].attributes
        if !isApex, own.count < 2 {
            for attribute in tree.attributes[own] { writeAttribute(attribute, value: nil) }
            return
        }
        var attributes = tree.attributes[own].map { (node: $0, value: nil as [UInt8]?) }
        if isApex, !method.isExclusive { inheritAttributes(index, &attributes) }
        attributes.sort { left, right in
            if left.node.namespace != right.node.namespace {
                return tree.names[left.node.namespace].lexicographicallyPrecedes(tree.names[right.node.namespace])
            }
            return tree.names[left.node.localName].lexicographicallyPrecedes(tree.names[right.node.localName])
        }
        for attribute in attributes { writeAttribute(attribute.node, value: attribute.value) }
    }

    /// What an apex takes from ancestors left out: all of `xml:` in 1.0 (§2.4); in 1.1 (§2.4) `xml:lang` and
    /// `xml:space`, and an `xml:base` joined from theirs.
    private func inheritAttributes(_ apex: Int, _ attributes: inout [(node: XMLAttributeNode, value: [UInt8]?)]) {
        let tree = document.tree
        var taken = Set(attributes.filter { $0.node.namespace == XMLNames.xmlURI }.map(\.node.localName))
        var bases: [XMLAttributeNode] = []
        var ancestor = tree.nodes[apex].parent
        while ancestor >= 0 {
            for attribute in tree.attributes[tree.nodes[ancestor].attributes]
            where attribute.namespace == XMLNames.xmlURI {
                let isInherited =
                    !method.is11 || attribute.localName == XMLNames.lang || attribute.localName == XMLNames.space
                if method.is11, attribute.localName == XMLNames.base { bases.append(attribute) }
                if isInherited, taken.insert(attribute.localName).inserted { attributes.append((attribute, nil)) }
            }
            ancestor = tree.nodes[ancestor].parent
        }
        guard let nearest = bases.first else { return }
        let own = attributes.firstIndex {
            $0.node.namespace == XMLNames.xmlURI && $0.node.localName == XMLNames.base
        }
        let chain = bases.reversed() + (own.map { [attributes[$0].node] } ?? [])
        var joined: [UInt8]?
        for base in chain {
            var value: [UInt8] = []
            XMLValue.appendAttribute(document.bytes, base.value, to: &value)
            joined = joined.map { URIReference.join($0, value) } ?? value
        }
        if let own { attributes.remove(at: own) }
        if let joined, !joined.isEmpty { attributes.append((nearest, joined)) }
    }

    /// One attribute, with `value` in place of its own if given.
    private mutating func writeAttribute(_ attribute: XMLAttributeNode, value: [UInt8]?) {
        output.append(0x20)
        writeName(attribute.prefix, attribute.localName)
        output.append(contentsOf: "=\"".utf8)
        if let value {
            XMLText.appendEscapedAttribute(value[...], to: &output)
        } else if attribute.needsDecoding {
            var value: [UInt8] = []
            XMLValue.appendAttribute(document.bytes, attribute.value, to: &value)
            XMLText.appendEscapedAttribute(value[...], to: &output)
        } else if attribute.needsEscaping {
            XMLText.appendEscapedAttribute(document.bytes[attribute.value], to: &output)
        } else {
            output.append(contentsOf: document.bytes[attribute.value])
        }
        output.append(UInt8(ascii: "\""))
    }
}
