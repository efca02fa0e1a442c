/// What a certificate's key may be used for (RFC 5280 §4.2.1.3); the bit's number is its place in the BIT STRING.
package struct KeyUsage: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16

    /// A set by its bits.
    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    package static let digitalSignature = KeyUsage(rawValue: 1 << 0)
    package static let nonRepudiation = KeyUsage(rawValue: 1 << 1)
    package static let keyEncipherment = KeyUsage(rawValue: 1 << 2)
    package static let dataEncipherment = KeyUsage(rawValue: 1 << 3)
    package static let keyAgreement = KeyUsage(rawValue: 1 << 4)
    package static let keyCertSign = KeyUsage(rawValue: 1 << 5)
    package static let cRLSign = KeyUsage(rawValue: 1 << 6)
    package static let encipherOnly = KeyUsage(rawValue: 1 << 7)
    package static let decipherOnly = KeyUsage(rawValue: 1 << 8)

    /// Reads the extension's value, a BIT STRING.
    package init(der: ArraySlice<UInt8>) throws(DERError) {
        let (unused, octets) = try DERReader.whole(der, .bitString).bitString()
        guard octets.count <= 2, octets.count * 8 - unused <= 9 else { throw .invalidValue }
        var bits: UInt16 = 0
        for (index, octet) in octets.enumerated() {
            for bit in 0..<8 where octet & (0x80 >> bit) != 0 { bits |= 1 << UInt16(index * 8 + bit) }
        }
        rawValue = bits
    }

    /// The BIT STRING without trailing zero bits (X.690 §11.2.2).
    package var der: [UInt8] {
        var octets: [UInt8] = [0, 0]
        for bit in 0..<16 where rawValue & (1 << UInt16(bit)) != 0 { octets[bit / 8] |= 0x80 >> (bit % 8) }
        while octets.last == 0 { octets.removeLast() }
        let unused = octets.last.map { UInt8($0.trailingZeroBitCount) } ?? 0
        return DER.value(.bitString, [unused] + octets)
    }

    /// The bits' names as in RFC 5280, comma-separated.
    package var text: String {
        let names = [
            "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
            "cRLSign", "encipherOnly", "decipherOnly",
        ]
        return names.indices.filter { rawValue & (1 << UInt16($0)) != 0 }.map { names[$0] }.joined(separator: ", ")
    }
}
