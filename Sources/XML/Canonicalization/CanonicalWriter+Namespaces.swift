extension CanonicalWriter {
    /// The declarations that this element must bear, in the order of their prefixes; one left out may bear some too.
    mutating func writeDeclarations(_ index: Int, isOutput: Bool) {
        let node = tree.nodes[index]
        var due: [XMLDeclarationNode] = []
        for declaration in candidates(index)
        where !method.isExclusive || inclusivePrefixes.contains(declaration.prefix) {
            render(declaration, index, isOutput, in: &due)
        }
        if method.isExclusive, isOutput {
            // The prefixes visibly utilised here (Exclusive C14N 1.0 §1.1).
            render(XMLDeclarationNode(prefix: node.prefix, uri: node.namespace), index, isOutput, in: &due)
            for number in node.attributes {
                let attribute = tree.attributes[number]
                guard attribute.prefix != XMLNames.none, selection.contains(attribute: number, of: index) else {
                    continue
                }
                let declaration = XMLDeclarationNode(prefix: attribute.prefix, uri: attribute.namespace)
                render(declaration, index, isOutput, in: &due)
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

    /// What may differ here from the nearest element that is output: where elements are whole its own declarations,
    /// unless it is an apex; else everything in scope, an unset default included.
    private func candidates(_ index: Int) -> [XMLDeclarationNode] {
        if Selection.hasOnlyWholeElements, !isApex(index) {
            return Array(tree.declarations[tree.nodes[index].declarations])
        }
        var inScope = tree.declarationsInScope(at: index)
        if !inScope.contains(where: { $0.prefix == XMLNames.none }) {
            inScope.append(XMLDeclarationNode(prefix: XMLNames.none, uri: XMLNames.none))
        }
        return inScope
    }

    /// Makes a declaration due unless the nearest element that is output already has it.
    ///
    /// A namespace that isn't selected counts as absent, so that an element within may have to declare it again; of
    /// these only an absent default can be written, and only by an element (Canonical XML 1.0 §2.3).
    private mutating func render(
        _ declaration: XMLDeclarationNode, _ index: Int, _ isOutput: Bool, in due: inout [XMLDeclarationNode]
    ) {
        let prefix = declaration.prefix
        guard prefix != XMLNames.xml else { return }
        let uri = selection.contains(declaration, of: index) ? declaration.uri : XMLNames.none
        guard rendered[prefix] != uri else { return }
        if isOutput {
            hidden.append((prefix, rendered[prefix]))
            rendered[prefix] = uri
        }
        if uri != XMLNames.none || (isOutput && prefix == XMLNames.none) {
            due.append(XMLDeclarationNode(prefix: prefix, uri: uri))
        }
    }
}
