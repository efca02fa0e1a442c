extension XMLReader {
    /// One qualified name: where it lies and its colon, if any (Namespaces §4).
    struct QualifiedName {
        let range: Range<Int>
        let colon: Int?
    }

    func starts(with text: StaticString) -> Bool {
        starts(with: text, at: position)
    }

    func starts(with text: StaticString, at index: Int) -> Bool {
        bytes[min(index, bytes.count)...].starts(with: text.description.utf8)
    }

    mutating func skipWhiteSpace() {
        while position < bytes.count, XMLCharacters.isWhiteSpace(bytes[position]) { position += 1 }
    }

    /// The byte at `position`, or the error that the input ends there.
    func current() throws(XMLError) -> UInt8 {
        guard position < bytes.count else { throw error(.unexpectedEnd, at: position) }
        return bytes[position]
    }

    /// Where the character at `index` ends, if it is one that may stand in a document.
    func endOfCharacter(at index: Int) throws(XMLError) -> Int {
        guard let scalar = XMLCharacters.scalar(bytes, at: index) else { throw error(.malformedUTF8, at: index) }
        guard XMLCharacters.isAllowed(scalar.value) else { throw error(.forbiddenCharacter, at: index) }
        return index + scalar.length
    }

    /// Where the reference at `index` ends (§4.1), if it stands for one character that may stand in a document.
    mutating func endOfReference(at index: Int) throws(XMLError) -> Int {
        referenceCount += 1
        if referenceCount > limits.references { throw error(.limitExceeded, at: index) }
        var end = index + 1
        while end < bytes.count, bytes[end] != UInt8(ascii: ";") {
            let byte = bytes[end]
            guard XMLCharacters.isName(byte) || byte == UInt8(ascii: "#") || byte == UInt8(ascii: ":") || byte >= 0x80,
                end - index <= limits.nameBytes
            else { throw error(.malformedReference, at: index) }
            end += 1
        }
        guard end < bytes.count else { throw error(.unexpectedEnd, at: index) }
        let reference = bytes[(index + 1)..<end]
        guard let scalar = XMLValue.scalar(of: reference) else {
            let isEntity = reference.first.map { XMLCharacters.isNameStart($0) } ?? false
            throw error(isEntity ? .unknownEntity : .malformedReference, at: index)
        }
        guard XMLCharacters.isAllowed(scalar.value) else { throw error(.forbiddenCharacter, at: index) }
        return end + 1
    }

    /// Reads one name, with at most one colon inside.
    mutating func readName() throws(XMLError) -> QualifiedName {
        let start = position
        var index = start
        var colon: Int?
        var atStart = true
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x80 {
                if atStart ? XMLCharacters.isNameStart(byte) : XMLCharacters.isName(byte) {
                    index += 1
                    atStart = false
                    continue
                }
                guard byte == UInt8(ascii: ":") else { break }
                guard colon == nil, !atStart else { throw error(.malformedName, at: start) }
                colon = index
                index += 1
                atStart = true
            } else {
                guard let scalar = XMLCharacters.scalar(bytes, at: index) else {
                    throw error(.malformedUTF8, at: index)
                }
                guard atStart ? XMLCharacters.isNameStart(scalar.value) : XMLCharacters.isName(scalar.value) else {
                    throw error(.malformedName, at: index)
                }
                index += scalar.length
                atStart = false
            }
        }
        guard !atStart else { throw error(index < bytes.count ? .malformedName : .unexpectedEnd, at: start) }
        guard index - start <= limits.nameBytes else { throw error(.limitExceeded, at: start) }
        position = index
        return QualifiedName(range: start..<index, colon: colon)
    }

    /// The numbers of a name's prefix and local part.
    mutating func enter(_ name: QualifiedName) -> (prefix: Int, localName: Int) {
        guard let colon = name.colon else { return (XMLNames.none, enter(bytes, name.range)) }
        return (
            enter(bytes, name.range.lowerBound..<colon), enter(bytes, (colon + 1)..<name.range.upperBound)
        )
    }

    mutating func enter(_ source: [UInt8], _ range: Range<Int>) -> Int {
        let number = tree.names.number(of: source, range)
        if number == bindings.count { bindings.append(-1) }
        return number
    }
}
