import HPKI

/// One GeneralName (RFC 5280 §4.2.1.6).
///
/// Directory names are equal as names are; all other forms are equal when their encodings are.
package struct GeneralName: Sendable, Hashable {
    /// The kind of name; text is nil where it is not the ASCII that an IA5String holds.
    package enum Form: Sendable, Hashable {
        case otherName
        case rfc822Name(String?)
        case dNSName(String?)
        case x400Address
        case directoryName(DistinguishedName)
        case ediPartyName
        case uniformResourceIdentifier(String)
        case iPAddress([UInt8])
        case registeredID

        /// The number of the form's context tag.
        package var number: UInt8 {
            switch self {
            case .otherName: 0
            case .rfc822Name: 1
            case .dNSName: 2
            case .x400Address: 3
            case .directoryName: 4
            case .ediPartyName: 5
            case .uniformResourceIdentifier: 6
            case .iPAddress: 7
            case .registeredID: 8
            }
        }
    }

    static let limit = 1024

    /// The encoding.
    package let der: [UInt8]
    package let form: Form

    /// The address, of a uniformResourceIdentifier.
    package var uri: String? {
        if case .uniformResourceIdentifier(let uri) = form { uri } else { nil }
    }

    /// The name, of a directoryName.
    package var directoryName: DistinguishedName? {
        if case .directoryName(let name) = form { name } else { nil }
    }

    /// The name for people to read.
    package var text: String {
        switch form {
        case .rfc822Name(let text?), .dNSName(let text?), .uniformResourceIdentifier(let text): text
        case .directoryName(let name): name.text
        case .iPAddress(let octets) where octets.count == 4: octets.map { "\($0)" }.joined(separator: ".")
        default: Hex.encode(der)
        }
    }

    /// A name from its parts, which must agree.
    init(der: [UInt8], form: Form) {
        self.der = der
        self.form = form
    }

    /// A directoryName.
    package init(_ name: DistinguishedName) {
        der = DER.explicit(4, name.der)
        form = .directoryName(name)
    }

    /// Reads one name; throws `.unexpectedTag` for what is none, `.invalidValue` for an address that is not ASCII.
    package init(_ element: DERElement) throws(DERError) {
        let contents = element.contents
        let ascii = contents.allSatisfy { $0 < 0x80 } ? String(validating: contents, as: UTF8.self) : nil
        if element.tag == .contextPrimitive(6), ascii == nil { throw .invalidValue }
        form =
            switch element.tag {
            case .context(0): .otherName
            case .contextPrimitive(1): .rfc822Name(ascii)
            case .contextPrimitive(2): .dNSName(ascii)
            case .context(3): .x400Address
            case .context(4): .directoryName(try DistinguishedName(der: contents))
            case .context(5): .ediPartyName
            case .contextPrimitive(6): .uniformResourceIdentifier(ascii ?? "")
            case .contextPrimitive(7): .iPAddress(Array(contents))
            case .contextPrimitive(8): .registeredID
            default: throw .unexpectedTag
            }
        der = Array(element.encoded)
    }

    /// Reads names to the end of `reader`; at most 1024.
    static func readList(_ reader: inout DERReader) throws(DERError) -> [GeneralName] {
        var names: [GeneralName] = []
        while !reader.isAtEnd {
            guard names.count < limit else { throw .tooMany }
            names.append(try GeneralName(try reader.next()))
        }
        return names
    }

    package static func == (left: GeneralName, right: GeneralName) -> Bool {
        if let one = left.directoryName, let other = right.directoryName { return one == other }
        return left.der == right.der
    }

    package func hash(into hasher: inout Hasher) {
        if let directoryName { hasher.combine(directoryName) } else { hasher.combine(der) }
    }
}
