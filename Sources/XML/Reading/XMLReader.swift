/// Reads a document once from left to right, without recursion, in time linear in its length.
///
/// XML 1.0 fifth edition and Namespaces in XML 1.0 third edition, without document type declarations.
struct XMLReader {
    /// An element whose end tag is still to come.
    struct Open {
        let node: Int
        /// How many bindings of prefixes stood before this element's declarations.
        let bindingsBefore: Int
    }

    let bytes: [UInt8]
    let limits: XMLLimits
    var position = 0
    var tree = XMLTree()
    var open: [Open] = []
    /// The URI now bound to each prefix, by number in `XMLNames`; -1 for none.
    var bindings: [Int] = []
    /// What each declaration in scope has hidden.
    var hidden: [(prefix: Int, uri: Int)] = []
    var nodeCount = 0
    var referenceCount = 0
    var expandedNamespaceBytes = 0

    init(_ bytes: [UInt8], _ limits: XMLLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// The tree of a well-formed document within the limits.
    mutating func read() throws(XMLError) -> XMLTree {
        guard bytes.count <= limits.bytes else { throw error(.limitExceeded, at: 0) }
        bindings = Array(repeating: -1, count: tree.names.count)
        bindings[XMLNames.none] = XMLNames.none
        bindings[XMLNames.xml] = XMLNames.xmlURI
        try skipByteOrderMark()
        try readXMLDeclaration()
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "<") { try readMarkup() } else { try readText() }
        }
        guard open.isEmpty else { throw error(.unexpectedEnd, at: position) }
        guard tree.root >= 0 else { throw error(.missingRoot, at: position) }
        return tree
    }

    private mutating func readMarkup() throws(XMLError) {
        guard position + 1 < bytes.count else { throw error(.unexpectedEnd, at: position) }
        switch bytes[position + 1] {
        case UInt8(ascii: "/"): try readEndTag()
        case UInt8(ascii: "?"): try readInstruction()
        case UInt8(ascii: "!"):
            if starts(with: "<!--") {
                try readComment()
            } else if starts(with: "<![CDATA[") {
                try readSection()
            } else if starts(with: "<!DOCTYPE") {
                throw error(.doctypeRefused, at: position)
            } else {
                throw error(.malformedMarkup, at: position)
            }
        default: try readStartTag()
        }
    }

    /// One run of character data up to the next `<` (§2.4).
    private mutating func readText() throws(XMLError) {
        guard let parent = open.last?.node else { return try skipWhiteSpaceOutsideRoot() }
        let start = position
        var index = start
        var needsDecoding = false
        var needsEscaping = false
        scan: while index < bytes.count {
            let byte = bytes[index]
            if Self.isPlainText(byte) {
                index += 1
                continue
            }
            switch byte {
            case UInt8(ascii: "<"): break scan
            case UInt8(ascii: "&"):
                index = try endOfReference(at: index)
                needsDecoding = true
                needsEscaping = true
            case 0x0D:
                needsDecoding = true
                index += 1
            case UInt8(ascii: ">"):
                needsEscaping = true
                index += 1
            case UInt8(ascii: "]"):
                if index + 2 < bytes.count, bytes[index + 1] == byte, bytes[index + 2] == UInt8(ascii: ">") {
                    throw error(.sectionEndInText, at: index)
                }
                index += 1
            default: index = try endOfCharacter(at: index)
            }
        }
        try count(1)
        var node = XMLNode(
            kind: .text, range: start..<index, content: start..<index, parent: parent, subtreeEnd: tree.nodes.count + 1
        )
        node.needsDecoding = needsDecoding
        node.needsEscaping = needsEscaping
        tree.nodes.append(node)
        position = index
    }

    /// ASCII that stands for itself and ends nothing: all but controls, `&`, `<`, `>` and `]`.
    @inline(__always)
    private static func isPlainText(_ byte: UInt8) -> Bool {
        byte < 64
            ? 0x5000_0040_FFFF_F9FF as UInt64 >> UInt64(byte) & 1 == 0 : byte < 0x80 && byte != UInt8(ascii: "]")
    }

    private mutating func skipWhiteSpaceOutsideRoot() throws(XMLError) {
        skipWhiteSpace()
        if position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            _ = try endOfCharacter(at: position)
            throw error(.contentOutsideRoot, at: position)
        }
    }

    /// Counts `amount` nodes more against the limit.
    mutating func count(_ amount: Int) throws(XMLError) {
        nodeCount += amount
        if nodeCount > limits.nodes { throw error(.limitExceeded, at: position) }
    }

    func error(_ reason: XMLError.Reason, at offset: Int) -> XMLError {
        XMLError(reason, at: offset, in: bytes)
    }
}
