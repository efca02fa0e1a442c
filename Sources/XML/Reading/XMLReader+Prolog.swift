extension XMLReader {
    /// A byte order mark of UTF-8 may stand first; one of UTF-16 tells of another encoding.
    mutating func skipByteOrderMark() throws(XMLError) {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
            throw error(.unsupportedEncoding, at: 0)
        }
    }

    /// `<?xml version="1.0" encoding="UTF-8" standalone="…"?>`, if the document has it (§2.8).
    mutating func readXMLDeclaration() throws(XMLError) {
        guard starts(with: "<?xml"), position + 5 < bytes.count,
            XMLCharacters.isWhiteSpace(bytes[position + 5])
        else { return }
        position += 5
        guard let version = try readPseudoAttribute("version") else {
            throw error(.malformedDeclaration, at: position)
        }
        guard bytes[version].elementsEqual("1.0".utf8) else {
            throw error(.unsupportedVersion, at: version.lowerBound)
        }
        if let encoding = try readPseudoAttribute("encoding") {
            guard String(decoding: bytes[encoding], as: UTF8.self).lowercased() == "utf-8" else {
                throw error(.unsupportedEncoding, at: encoding.lowerBound)
            }
        }
        if let standalone = try readPseudoAttribute("standalone") {
            guard bytes[standalone].elementsEqual("yes".utf8) || bytes[standalone].elementsEqual("no".utf8) else {
                throw error(.malformedDeclaration, at: standalone.lowerBound)
            }
        }
        skipWhiteSpace()
        guard starts(with: "?>") else { throw error(.malformedDeclaration, at: position) }
        position += 2
    }

    /// Where the value of `name` lies, if it comes next.
    private mutating func readPseudoAttribute(_ name: StaticString) throws(XMLError) -> Range<Int>? {
        let start = position
        skipWhiteSpace()
        guard position > start, starts(with: name) else {
            position = start
            return nil
        }
        position += name.utf8CodeUnitCount
        skipWhiteSpace()
        guard try current() == UInt8(ascii: "=") else { throw error(.malformedDeclaration, at: position) }
        position += 1
        skipWhiteSpace()
        let quote = try current()
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw error(.malformedDeclaration, at: position)
        }
        let valueStart = position + 1
        var end = valueStart
        while end < bytes.count, bytes[end] != quote {
            guard XMLCharacters.isName(bytes[end]) else { throw error(.malformedDeclaration, at: end) }
            end += 1
        }
        guard end < bytes.count else { throw error(.unexpectedEnd, at: end) }
        position = end + 1
        return valueStart..<end
    }

    /// `<!-- … -->` without `--` inside (§2.5).
    mutating func readComment() throws(XMLError) {
        let start = position
        let (end, needsDecoding) = try scan(from: start + 4, until: "--")
        guard starts(with: "-->", at: end) else {
            throw error(end + 2 < bytes.count ? .malformedComment : .unexpectedEnd, at: end)
        }
        try append(.comment, start..<(end + 3), (start + 4)..<end, needsDecoding)
    }

    /// `<![CDATA[ … ]]>` (§2.7), as character data within the root.
    mutating func readSection() throws(XMLError) {
        let start = position
        guard !open.isEmpty else { throw error(.contentOutsideRoot, at: start) }
        let (end, needsDecoding) = try scan(from: start + 9, until: "]]>")
        try append(.section, start..<(end + 3), (start + 9)..<end, needsDecoding)
    }

    /// `<?target data?>` (§2.6); the target `xml` in any case is reserved.
    mutating func readInstruction() throws(XMLError) {
        let start = position
        position += 2
        let target = try readName()
        if let colon = target.colon { throw error(.malformedName, at: colon) }
        if String(decoding: bytes[target.range], as: UTF8.self).lowercased() == "xml" {
            throw error(.malformedProcessingInstruction, at: start)
        }
        let targetEnd = position
        _ = try current()
        skipWhiteSpace()
        guard position > targetEnd || starts(with: "?>") else {
            throw error(.malformedProcessingInstruction, at: position)
        }
        let contentStart = position
        let (end, needsDecoding) = try scan(from: contentStart, until: "?>")
        try append(.instruction, start..<(end + 2), contentStart..<end, needsDecoding)
        let localName = enter(bytes, target.range)
        tree.nodes[tree.nodes.count - 1].localName = localName
    }

    private mutating func append(
        _ kind: XMLNode.Kind, _ range: Range<Int>, _ content: Range<Int>, _ needsDecoding: Bool
    ) throws(XMLError) {
        try count(1)
        var node = XMLNode(
            kind: kind, range: range, content: content, parent: open.last?.node ?? -1,
            subtreeEnd: tree.nodes.count + 1
        )
        node.needsDecoding = needsDecoding
        node.needsEscaping = kind == .section
        tree.nodes.append(node)
        position = range.upperBound
    }

    /// Where `delimiter` comes next, and whether a carriage return comes before; every character is checked.
    private func scan(
        from start: Int, until delimiter: StaticString
    ) throws(XMLError) -> (end: Int, needsDecoding: Bool) {
        let delimiter = Array(delimiter.description.utf8)
        var index = start
        var needsDecoding = false
        while index < bytes.count {
            let byte = bytes[index]
            if byte == delimiter[0], bytes[index...].starts(with: delimiter) { return (index, needsDecoding) }
            if byte == 0x0D { needsDecoding = true }
            index = byte >= 0x20 && byte < 0x80 ? index + 1 : try endOfCharacter(at: index)
        }
        throw error(.unexpectedEnd, at: bytes.count)
    }
}
