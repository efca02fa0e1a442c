import HPKI

/// The name of a certificate's subject or issuer (X.501 Name), with the comparison of RFC 5280 §7.1.
///
/// Two names are equal when their attributes are, ignoring letter case, string types and superfluous white space;
/// compatibility forms (NFKC) are not folded, so a name may be told apart that RFC 4518 holds equal, never the reverse.
package struct DistinguishedName: Sendable, Hashable {
    private struct Attribute: Sendable {
        let type: String
        let value: String
        let separator: String
        /// Whether the value is a character string, and not the digits of its bytes.
        let isText: Bool
    }

    private static let attributeLimit = 64

    /// The bytes as they stand in the certificate.
    package let der: [UInt8]
    private let attributes: [Attribute]
    private let comparable: [[String]]

    /// Reads one Name; at most 64 attributes.
    package init(der: ArraySlice<UInt8>) throws(DERError) {
        var names = try DERReader.whole(der).children
        var attributes: [Attribute] = []
        var comparable: [[String]] = []
        while !names.isAtEnd {
            var relative = try names.enter(.set)
            var keys: [String] = []
            var separator = ", "
            repeat {
                var pair = try relative.enter()
                let type = try pair.next(.objectIdentifier).objectIdentifier()
                let element = try pair.next()
                try pair.end()
                // A value that is no character string is shown and compared by its bytes.
                let text = try? element.text()
                let value = text ?? "#" + Hex.encode(Array(element.encoded))
                attributes.append(Attribute(type: type, value: value, separator: separator, isText: text != nil))
                guard attributes.count <= Self.attributeLimit else { throw .tooMany }
                keys.append(type + (text.map { "=" + Self.folded($0) } ?? value))
                separator = " + "
            } while !relative.isAtEnd
            comparable.append(keys.sorted())
        }
        self.der = Array(der)
        self.attributes = attributes
        self.comparable = comparable
    }

    /// True for the name without attributes.
    package var isEmpty: Bool { attributes.isEmpty }

    /// `C=JP, O=Example, CN=Name`, in the order of the encoding, for people to read.
    package var text: String {
        attributes.enumerated().map { index, attribute in
            (index == 0 ? "" : attribute.separator) + "\(Self.label(attribute.type))=\(attribute.value)"
        }.joined()
    }

    /// The name as RFC 4514 §2 writes it, such as `CN=Name,O=Example\, Ltd,C=JP`: unlike `text` no two names have one.
    package var rfc4514: String {
        var relatives: [[String]] = []
        for attribute in attributes {
            let value = attribute.isText ? Self.escaped(attribute.value) : attribute.value
            let pair = "\(Self.label(attribute.type))=\(value)"
            if attribute.separator == " + ", let last = relatives.indices.last {
                relatives[last].append(pair)
            } else {
                relatives.append([pair])
            }
        }
        return relatives.reversed().map { $0.joined(separator: "+") }.joined(separator: ",")
    }

    /// Whether no value has a character that parts the text of a name, so that `text` can be compared.
    package var isPlain: Bool {
        attributes.allSatisfy { $0.value.utf8.allSatisfy { !",+=<>#;\"\\".utf8.contains($0) && $0 >= 0x20 } }
    }

    /// The first `commonName`, or nil.
    package var commonName: String? { first(OID.commonName) }

    /// The first value of this attribute type (dotted), or nil.
    package func first(_ type: String) -> String? { attributes.first { $0.type == type }?.value }

    /// Every value of this attribute type (dotted).
    package func all(_ type: String) -> [String] { attributes.filter { $0.type == type }.map(\.value) }

    /// True where this name stands in the tree below `base`, or is it (RFC 5280 §4.2.1.10).
    package func isWithin(_ base: DistinguishedName) -> Bool { comparable.starts(with: base.comparable) }

    /// This name with one more RelativeDistinguishedName, given as the contents octets of its SET.
    package func appending(relative contents: ArraySlice<UInt8>) throws(DERError) -> DistinguishedName {
        let held = try DERReader.whole(der[...]).contents
        return try DistinguishedName(der: DER.value(.sequence, held + DER.value(.set, contents))[...])
    }

    package static func == (left: DistinguishedName, right: DistinguishedName) -> Bool {
        left.comparable == right.comparable
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(comparable) }

    private static func folded(_ value: String) -> String {
        value.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
    }

    private static func escaped(_ value: String) -> String {
        let scalars = Array(value.unicodeScalars)
        return scalars.enumerated().map { index, scalar in
            switch scalar {
            case "\u{0}": "\\00"
            case "\"", "+", ",", ";", "<", ">", "\\": "\\\(scalar)"
            case "#" where index == 0: "\\#"
            case " " where index == 0 || index == scalars.count - 1: "\\ "
            default: String(scalar)
            }
        }.joined()
    }

    private static func label(_ type: String) -> String {
        switch type {
        case OID.commonName: "CN"
        case OID.serialNumber: "serialNumber"
        case OID.countryName: "C"
        case OID.localityName: "L"
        case OID.stateOrProvinceName: "ST"
        case OID.organizationName: "O"
        case OID.organizationalUnitName: "OU"
        default: type
        }
    }
}
