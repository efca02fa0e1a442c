extension CanonicalWriter {
    /// The attributes, by namespace URI and then local name, with those that an apex inherits.
    mutating func writeAttributes(_ index: Int, isOutput: Bool) {
        let own = tree.nodes[index].attributes
        let inherits = isOutput && !method.isExclusive && isApex(index)
        if !inherits, own.count < 2 {
            for number in own where selection.contains(attribute: number, of: index) {
                writeAttribute(tree.attributes[number], value: nil)
            }
            return
        }
        var attributes: [(node: XMLAttributeNode, value: [UInt8]?)] = []
        attributes.reserveCapacity(own.count)
        for number in own {
            let attribute = tree.attributes[number]
            if selection.contains(attribute: number, of: index) || (inherits && isKept(attribute)) {
                attributes.append((attribute, nil))
            }
        }
        if inherits { inheritAttributes(index, &attributes) }
        attributes.sort { left, right in
            if left.node.namespace != right.node.namespace {
                return tree.names[left.node.namespace].lexicographicallyPrecedes(tree.names[right.node.namespace])
            }
            return tree.names[left.node.localName].lexicographicallyPrecedes(tree.names[right.node.localName])
        }
        for attribute in attributes { writeAttribute(attribute.node, value: attribute.value) }
    }

    /// What an apex has in 1.1 though it isn't selected.
    ///
    /// The text of §2.4 doesn't say so, but the working group's case `xmlbase-c14n11spec3` expects an `xml:base` that its
    /// expression leaves out.
    private func isKept(_ attribute: XMLAttributeNode) -> Bool {
        method.is11 && attribute.namespace == XMLNames.xmlURI
            && [XMLNames.base, XMLNames.lang, XMLNames.space].contains(attribute.localName)
    }

    /// What an apex takes from its ancestors, selected or not.
    ///
    /// In 1.0 (§2.4) it is all of `xml:`; in 1.1 (§2.4) `xml:lang` and `xml:space`, and an `xml:base` joined from those
    /// of the ancestors left out without a break. What it has itself, selected or not, it doesn't inherit.
    private func inheritAttributes(_ apex: Int, _ attributes: inout [(node: XMLAttributeNode, value: [UInt8]?)]) {
        let own = tree.attributes[tree.nodes[apex].attributes].filter { $0.namespace == XMLNames.xmlURI }
        var taken = Set(own.map(\.localName))
        var bases: [XMLAttributeNode] = []
        var isUnbroken = true
        var ancestor = tree.nodes[apex].parent
        while ancestor >= 0 {
            isUnbroken = isUnbroken && !selection.contains(ancestor)
            for attribute in tree.attributes[tree.nodes[ancestor].attributes]
            where attribute.namespace == XMLNames.xmlURI {
                let isInherited =
                    !method.is11 || attribute.localName == XMLNames.lang || attribute.localName == XMLNames.space
                if method.is11, isUnbroken, attribute.localName == XMLNames.base { bases.append(attribute) }
                if isInherited, taken.insert(attribute.localName).inserted { attributes.append((attribute, nil)) }
            }
            ancestor = tree.nodes[ancestor].parent
        }
        guard let nearest = bases.first else { return }
        var joined: [UInt8]?
        for base in bases.reversed() + own.filter({ $0.localName == XMLNames.base }) {
            var value: [UInt8] = []
            XMLValue.appendAttribute(bytes, base.value, to: &value)
            joined = joined.map { URIReference.join($0, value) } ?? value
        }
        attributes.removeAll { $0.node.namespace == XMLNames.xmlURI && $0.node.localName == XMLNames.base }
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
            XMLValue.appendAttribute(bytes, attribute.value, to: &value)
            XMLText.appendEscapedAttribute(value[...], to: &output)
        } else if attribute.needsEscaping {
            XMLText.appendEscapedAttribute(bytes[attribute.value], to: &output)
        } else {
            output.append(contentsOf: bytes[attribute.value])
        }
        output.append(UInt8(ascii: "\""))
    }
}
