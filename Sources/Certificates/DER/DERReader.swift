/// Reads the values of a DER encoding one after the other; strict and total on any bytes (X.690 §10).
///
/// Nothing recurses: a caller descends by asking an element for the reader of its contents.
package struct DERReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    /// A reader at the start of `bytes`.
    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// A reader at the start of `bytes`.
    package init(_ bytes: [UInt8]) {
        self.init(bytes[...])
    }

    /// True when every byte has been read.
    package var isAtEnd: Bool { position == bytes.endIndex }

    /// The next value of any type.
    package mutating func next() throws(DERError) -> DERElement {
        let start = position
        guard bytes.endIndex - position >= 2 else { throw .truncated }
        let identifier = bytes[position]
        guard identifier & 0x1F != 0x1F else { throw .highTagNumber }
        let first = bytes[position + 1]
        var contents = position + 2
        var length = Int(first)
        if first >= 0x80 {
            let octets = Int(first & 0x7F)
            guard (1...4).contains(octets) else { throw .invalidLength }
            guard bytes.endIndex - contents >= octets else { throw .truncated }
            length = 0
            for _ in 0..<octets {
                length = length << 8 | Int(bytes[contents])
                contents += 1
            }
            // The shortest form only (X.690 §10.1).
            guard length >= 0x80, octets == 1 || length >= 1 << (8 * (octets - 1)) else { throw .invalidLength }
        }
        guard length <= bytes.endIndex - contents else { throw .truncated }
        position = contents + length
        return DERElement(
            tag: DERTag(identifier: identifier), contents: bytes[contents..<position], encoded: bytes[start..<position])
    }

    /// The next value, which must have this tag; throws `.unexpectedTag` otherwise or at the end.
    package mutating func next(_ tag: DERTag) throws(DERError) -> DERElement {
        guard !isAtEnd, bytes[position] == tag.identifier else { throw isAtEnd ? .truncated : .unexpectedTag }
        return try next()
    }

    /// The next value where it has this tag, or nil without moving.
    package mutating func optional(_ tag: DERTag) throws(DERError) -> DERElement? {
        guard !isAtEnd, bytes[position] == tag.identifier else { return nil }
        return try next()
    }

    /// A reader of the contents of the next value, which must have this constructed tag.
    package mutating func enter(_ tag: DERTag = .sequence) throws(DERError) -> DERReader {
        try next(tag).children
    }

    /// A reader of the contents of the next value where it has this constructed tag, or nil without moving.
    package mutating func enterOptional(_ tag: DERTag) throws(DERError) -> DERReader? {
        try optional(tag)?.children
    }

    /// Nothing may be left; throws `.trailingBytes`.
    package func end() throws(DERError) {
        guard isAtEnd else { throw .trailingBytes }
    }

    /// The one value that `bytes` are, with this tag and nothing behind it.
    package static func whole(_ bytes: ArraySlice<UInt8>, _ tag: DERTag = .sequence) throws(DERError) -> DERElement {
        var reader = DERReader(bytes)
        let element = try reader.next(tag)
        try reader.end()
        return element
    }
}

/// One value of a DER encoding, as slices of the bytes it was read from.
package struct DERElement: Sendable {
    package let tag: DERTag
    /// The contents octets.
    package let contents: ArraySlice<UInt8>
    /// Identifier, length and contents octets.
    package let encoded: ArraySlice<UInt8>

    /// A reader of the values inside a constructed value.
    package var children: DERReader { DERReader(contents) }
}
