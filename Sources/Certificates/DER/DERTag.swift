/// The identifier octet of a DER value; only tag numbers below 31 occur in this field (X.690 §8.1.2.2).
package struct DERTag: Sendable, Hashable {
    package let identifier: UInt8

    /// The tag with this identifier octet.
    package init(identifier: UInt8) {
        self.identifier = identifier
    }

    /// `[number]` around a whole value, or in place of the tag of a constructed one.
    package static func context(_ number: UInt8) -> DERTag { DERTag(identifier: 0xA0 | number & 0x1F) }
    /// `[number] IMPLICIT` in place of the tag of a primitive value.
    package static func contextPrimitive(_ number: UInt8) -> DERTag { DERTag(identifier: 0x80 | number & 0x1F) }

    package static let boolean = DERTag(identifier: 0x01)
    package static let integer = DERTag(identifier: 0x02)
    package static let bitString = DERTag(identifier: 0x03)
    package static let octetString = DERTag(identifier: 0x04)
    package static let null = DERTag(identifier: 0x05)
    package static let objectIdentifier = DERTag(identifier: 0x06)
    package static let enumerated = DERTag(identifier: 0x0A)
    package static let utf8String = DERTag(identifier: 0x0C)
    package static let numericString = DERTag(identifier: 0x12)
    package static let printableString = DERTag(identifier: 0x13)
    package static let teletexString = DERTag(identifier: 0x14)
    package static let ia5String = DERTag(identifier: 0x16)
    package static let utcTime = DERTag(identifier: 0x17)
    package static let generalizedTime = DERTag(identifier: 0x18)
    package static let visibleString = DERTag(identifier: 0x1A)
    package static let universalString = DERTag(identifier: 0x1C)
    package static let bmpString = DERTag(identifier: 0x1E)
    package static let sequence = DERTag(identifier: 0x30)
    package static let set = DERTag(identifier: 0x31)
}

/// Why bytes are not the DER that a reader expected (X.690).
package enum DERError: Error, Sendable, Hashable {
    /// The bytes end before the value does.
    case truncated
    /// A length is indefinite, not minimal, or longer than four octets.
    case invalidLength
    /// A tag number of 31 or more, which nothing read here uses.
    case highTagNumber
    /// Another type stands where one was required, or a required value is missing.
    case unexpectedTag
    /// Bytes are left over behind the last value.
    case trailingBytes
    /// The contents are not the one DER encoding of a value of their type, or the value is out of its bounds.
    case invalidValue
    /// More values than the reader allows.
    case tooMany
}
