package import HPKI

/// Writes DER (X.690 §10 and §11); the values it is given come from our own code, never from strangers.
package enum DER {
    /// A value of any type by its tag and contents octets.
    package static func value(_ tag: DERTag, _ contents: some Collection<UInt8>) -> [UInt8] {
        var bytes = [tag.identifier]
        let count = contents.count
        if count < 0x80 {
            bytes.append(UInt8(count))
        } else {
            let octets = (count.bitWidth - count.leadingZeroBitCount + 7) / 8
            bytes.append(0x80 | UInt8(octets))
            for index in (0..<octets).reversed() { bytes.append(UInt8(truncatingIfNeeded: count >> (8 * index))) }
        }
        bytes.append(contentsOf: contents)
        return bytes
    }

    /// A SEQUENCE of encoded values.
    package static func sequence(_ parts: [UInt8]...) -> [UInt8] { value(.sequence, parts.flatMap(\.self)) }

    /// A SEQUENCE of encoded values.
    package static func sequence(of parts: [[UInt8]]) -> [UInt8] { value(.sequence, parts.flatMap(\.self)) }

    /// A SET OF encoded values, in the ascending order that DER requires (X.690 §11.6).
    package static func set(of parts: [[UInt8]]) -> [UInt8] {
        value(.set, parts.sorted { $0.lexicographicallyPrecedes($1) }.flatMap(\.self))
    }

    /// `[number] EXPLICIT` around an encoded value.
    package static func explicit(_ number: UInt8, _ inner: [UInt8]) -> [UInt8] { value(.context(number), inner) }

    /// A non-negative INTEGER by its big-endian magnitude; leading zeros are dropped or one is added as needed.
    package static func integer(_ magnitude: some Collection<UInt8>) -> [UInt8] {
        var octets = Array(magnitude.drop { $0 == 0 })
        if octets.first.map({ $0 >= 0x80 }) ?? true { octets.insert(0, at: 0) }
        return value(.integer, octets)
    }

    /// A non-negative INTEGER.
    package static func integer(_ number: UInt64) -> [UInt8] {
        integer((0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) })
    }

    /// A BOOLEAN.
    package static func boolean(_ flag: Bool) -> [UInt8] { value(.boolean, [flag ? 0xFF : 0x00]) }

    /// NULL.
    package static let null: [UInt8] = value(.null, [])

    /// A BIT STRING of whole octets.
    package static func bitString(_ octets: some Collection<UInt8>) -> [UInt8] { value(.bitString, [0] + octets) }

    /// An OCTET STRING.
    package static func octetString(_ octets: some Collection<UInt8>) -> [UInt8] { value(.octetString, octets) }

    /// An OBJECT IDENTIFIER by its dotted decimal form, at least two arcs.
    package static func objectIdentifier(_ dotted: String) -> [UInt8] {
        let arcs = dotted.split(separator: ".").compactMap { UInt64($0) }
        var contents: [UInt8] = []
        for (index, arc) in arcs.enumerated() where index > 0 {
            var rest = index == 1 ? arcs[0] * 40 + arc : arc
            var octets = [UInt8(rest & 0x7F)]
            rest >>= 7
            while rest > 0 {
                octets.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            contents.append(contentsOf: octets.reversed())
        }
        return value(.objectIdentifier, contents)
    }

    /// A UTF8String.
    package static func utf8String(_ text: String) -> [UInt8] { value(.utf8String, Array(text.utf8)) }

    /// A PrintableString; the caller sees to its alphabet.
    package static func printableString(_ text: String) -> [UInt8] { value(.printableString, Array(text.utf8)) }

    /// An IA5String; the caller sees to its alphabet.
    package static func ia5String(_ text: String) -> [UInt8] { value(.ia5String, Array(text.utf8)) }

    /// A Time in whole seconds: UTCTime from 1950 to 2049, else GeneralizedTime (RFC 5280 §4.1.2.5).
    package static func time(_ instant: Instant) -> [UInt8] {
        let at = instant.civil ?? (9999, 12, 31, 23, 59, 59)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let isShort = (1950...2049).contains(at.year)
        let year = isShort ? two(at.year % 100) : two(at.year / 100) + two(at.year % 100)
        let text = year + [at.month, at.day, at.hour, at.minute, at.second].map(two).joined() + "Z"
        return value(isShort ? .utcTime : .generalizedTime, Array(text.utf8))
    }
}
