extension XMLReader {
    /// `<name attribute="value" …>` or `<name … />` (§3.1).
    mutating func readStartTag() throws(XMLError) {
        let start = position
        if open.isEmpty, tree.root >= 0 { throw error(.contentOutsideRoot, at: start) }
        guard open.count < limits.depth else { throw error(.limitExceeded, at: start) }
        position += 1
        let name = enter(try readName())
        let bindingsBefore = hidden.count
        let firstAttribute = tree.attributes.count
        let firstDeclaration = tree.declarations.count
        while true {
            let before = position
            skipWhiteSpace()
            let byte = try current()
            if byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") { break }
            guard position > before else { throw error(.malformedMarkup, at: position) }
            try readAttribute(firstDeclaration)
            let count = tree.attributes.count - firstAttribute + tree.declarations.count - firstDeclaration
            if count > limits.attributes { throw error(.limitExceeded, at: position) }
        }
        let isSelfClosing = bytes[position] == UInt8(ascii: "/")
        if isSelfClosing {
            position += 1
            guard try current() == UInt8(ascii: ">") else { throw error(.malformedMarkup, at: position) }
        }
        position += 1

        var node = XMLNode(
            kind: .element, range: start..<position, content: position..<position, parent: open.last?.node ?? -1,
            subtreeEnd: tree.nodes.count + 1
        )
        node.prefix = name.prefix
        node.localName = name.localName
        node.namespace = try namespace(of: name.prefix, at: start)
        node.attributes = firstAttribute..<tree.attributes.count
        node.declarations = firstDeclaration..<tree.declarations.count
        try resolveAttributes(node)
        try count(1 + node.attributes.count + node.declarations.count)
        if open.isEmpty { tree.root = tree.nodes.count }
        if isSelfClosing {
            restoreBindings(bindingsBefore)
        } else {
            open.append(Open(node: tree.nodes.count, bindingsBefore: bindingsBefore))
        }
        tree.nodes.append(node)
    }

    /// `</name>` (§3.1), with the very bytes of the start tag's name.
    mutating func readEndTag() throws(XMLError) {
        let start = position
        guard let last = open.popLast() else { throw error(.mismatchedTag, at: start) }
        let node = tree.nodes[last.node]
        let prefixBytes = tree.names.byteCount(node.prefix)
        let nameBytes = (prefixBytes == 0 ? 0 : prefixBytes + 1) + tree.names.byteCount(node.localName)
        let nameStart = node.range.lowerBound + 1
        position += 2
        guard bytes[position...].starts(with: bytes[nameStart..<(nameStart + nameBytes)]) else {
            throw error(.mismatchedTag, at: start)
        }
        position += nameBytes
        skipWhiteSpace()
        guard try current() == UInt8(ascii: ">") else { throw error(.mismatchedTag, at: start) }
        position += 1
        tree.nodes[last.node].range = node.range.lowerBound..<position
        tree.nodes[last.node].content = node.content.lowerBound..<start
        tree.nodes[last.node].subtreeEnd = tree.nodes.count
        restoreBindings(last.bindingsBefore)
    }

    /// One attribute or namespace declaration.
    private mutating func readAttribute(_ firstDeclaration: Int) throws(XMLError) {
        let start = position
        let name = enter(try readName())
        skipWhiteSpace()
        guard try current() == UInt8(ascii: "=") else { throw error(.malformedAttribute, at: position) }
        position += 1
        skipWhiteSpace()
        let attribute = try readValue(name.prefix, name.localName)
        if name.prefix == XMLNames.xmlns {
            try declare(name.localName, attribute, at: start, firstDeclaration)
        } else if name.prefix == XMLNames.none, name.localName == XMLNames.xmlns {
            try declare(XMLNames.none, attribute, at: start, firstDeclaration)
        } else {
            tree.attributes.append(attribute)
        }
    }

    /// A quoted value (§2.3); `<` may not stand in it.
    private mutating func readValue(_ prefix: Int, _ localName: Int) throws(XMLError) -> XMLAttributeNode {
        let quote = try current()
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw error(.malformedAttribute, at: position)
        }
        let start = position + 1
        var index = start
        var needsDecoding = false
        var needsEscaping = false
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case quote:
                position = index + 1
                return XMLAttributeNode(
                    prefix: prefix, localName: localName, value: start..<index, needsDecoding: needsDecoding,
                    needsEscaping: needsEscaping
                )
            case UInt8(ascii: "&"):
                index = try endOfReference(at: index)
                needsDecoding = true
                needsEscaping = true
            case UInt8(ascii: "<"): throw error(.malformedAttribute, at: index)
            case UInt8(ascii: "\""):
                needsEscaping = true
                index += 1
            case 0x09, 0x0A, 0x0D:
                needsDecoding = true
                index += 1
            case 0x20..<0x80: index += 1
            default: index = try endOfCharacter(at: index)
            }
        }
        throw error(.unexpectedEnd, at: index)
    }

    /// Binds `prefix` for the element being read (Namespaces §2.2, §3, §5).
    private mutating func declare(
        _ prefix: Int, _ attribute: XMLAttributeNode, at offset: Int, _ firstDeclaration: Int
    ) throws(XMLError) {
        var value: [UInt8] = []
        XMLValue.appendAttribute(bytes, attribute.value, to: &value)
        guard value.count <= limits.namespaceBytes else { throw error(.limitExceeded, at: offset) }
        let uri = enter(value, value.indices)
        if prefix == XMLNames.xml || uri == XMLNames.xmlURI {
            guard prefix == XMLNames.xml, uri == XMLNames.xmlURI else { throw error(.reservedNamespace, at: offset) }
        }
        if prefix == XMLNames.xmlns || uri == XMLNames.xmlnsURI { throw error(.reservedNamespace, at: offset) }
        if prefix != XMLNames.none, uri == XMLNames.none { throw error(.reservedNamespace, at: offset) }
        // At most `limits.attributes` of them; sorting as below would gain nothing.
        for declaration in tree.declarations[firstDeclaration...] where declaration.prefix == prefix {
            throw error(.duplicateAttribute, at: offset)
        }
        tree.declarations.append(XMLDeclarationNode(prefix: prefix, uri: uri))
        hidden.append((prefix, bindings[prefix]))
        bindings[prefix] = uri
    }

    private mutating func restoreBindings(_ count: Int) {
        while hidden.count > count, let last = hidden.popLast() { bindings[last.prefix] = last.uri }
    }

    /// The URI bound to a prefix in use.
    private mutating func namespace(of prefix: Int, at offset: Int) throws(XMLError) -> Int {
        if prefix == XMLNames.xmlns { throw error(.reservedNamespace, at: offset) }
        let uri = bindings[prefix]
        guard uri >= 0 else { throw error(.undeclaredPrefix, at: offset) }
        if prefix != XMLNames.xml {
            expandedNamespaceBytes += tree.names.byteCount(uri)
            if expandedNamespaceBytes > limits.expandedNamespaceBytes { throw error(.limitExceeded, at: offset) }
        }
        return uri
    }

    /// Namespaces and uniqueness of the attributes of `node`, which is about to become the last node.
    private mutating func resolveAttributes(_ node: XMLNode) throws(XMLError) {
        let offset = node.range.lowerBound
        for index in node.attributes {
            let attribute = tree.attributes[index]
            if attribute.prefix != XMLNames.none {
                tree.attributes[index].namespace = try namespace(of: attribute.prefix, at: offset)
            }
            let namespace = tree.attributes[index].namespace
            let isID =
                namespace == XMLNames.none
                ? XMLNames.idNames.contains(attribute.localName)
                : namespace == XMLNames.xmlURI && attribute.localName == XMLNames.id
            if isID {
                var value: [UInt8] = []
                XMLValue.appendAttribute(bytes, attribute.value, to: &value)
                if namespace == XMLNames.xmlURI {
                    // xml:id values are of type ID, whatever white space surrounds them (xml:id 1.0 §4).
                    value = Array(value.drop { $0 == 0x20 }.reversed().drop { $0 == 0x20 }.reversed())
                }
                guard tree.ids.updateValue(tree.nodes.count, forKey: value) == nil else {
                    throw error(.duplicateID, at: offset)
                }
            }
        }
        guard node.attributes.count > 1 else { return }
        let attributes = tree.attributes[node.attributes]
        var expandedNames = attributes.map { UInt64($0.namespace) << 32 | UInt64($0.localName) }
        expandedNames.sort()
        for index in expandedNames.indices.dropFirst() where expandedNames[index] == expandedNames[index - 1] {
            throw error(.duplicateAttribute, at: offset)
        }
    }
}
