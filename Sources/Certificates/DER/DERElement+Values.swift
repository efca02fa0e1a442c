package import HPKI

extension DERElement {
    /// The contents of an INTEGER or ENUMERATED in two's complement, checked to be the shortest (X.690 §8.3.2).
    package func integer() throws(DERError) -> ArraySlice<UInt8> {
        guard let first = contents.first else { throw .invalidValue }
        if contents.count > 1 {
            let second = contents[contents.startIndex + 1]
            guard !(first == 0 && second < 0x80), !(first == 0xFF && second >= 0x80) else { throw .invalidValue }
        }
        return contents
    }

    /// A non-negative INTEGER of at most 31 bits.
    package func smallInteger() throws(DERError) -> Int {
        let octets = try integer()
        guard octets.count <= 4, let first = octets.first, first < 0x80 else { throw .invalidValue }
        return octets.reduce(0) { $0 << 8 | Int($1) }
    }

    /// A BOOLEAN, which DER writes as 00 or FF (X.690 §11.1).
    package func boolean() throws(DERError) -> Bool {
        switch (contents.count, contents.first) {
        case (1, 0x00): return false
        case (1, 0xFF): return true
        default: throw .invalidValue
        }
    }

    /// A BIT STRING's octets and how many bits of the last one are unused; those must be zero (X.690 §11.2.1).
    package func bitString() throws(DERError) -> (unused: Int, octets: ArraySlice<UInt8>) {
        guard let unused = contents.first, unused < 8 else { throw .invalidValue }
        let octets = contents.dropFirst()
        if unused > 0 {
            guard let last = octets.last, last & (1 << unused - 1) == 0 else { throw .invalidValue }
        }
        return (Int(unused), octets)
    }

    /// A BIT STRING that holds whole octets.
    package func octetsOfBitString() throws(DERError) -> ArraySlice<UInt8> {
        let (unused, octets) = try bitString()
        guard unused == 0 else { throw .invalidValue }
        return octets
    }

    /// An OBJECT IDENTIFIER in dotted decimal; at most 64 octets, arcs below 2^56.
    package func objectIdentifier() throws(DERError) -> String {
        guard (1...64).contains(contents.count), contents.last.map({ $0 < 0x80 }) == true else { throw .invalidValue }
        var arcs: [UInt64] = []
        var arc: UInt64 = 0
        var isFirstOctet = true
        for octet in contents {
            // A leading 80 pads the arc, which is not allowed (X.690 §8.19.2).
            guard !(isFirstOctet && octet == 0x80), arc < 1 << 49 else { throw .invalidValue }
            arc = arc << 7 | UInt64(octet & 0x7F)
            isFirstOctet = octet < 0x80
            guard isFirstOctet else { continue }
            if arcs.isEmpty {
                let top = min(arc / 40, 2)
                arcs = [top, arc - top * 40]
            } else {
                arcs.append(arc)
            }
            arc = 0
        }
        return arcs.map(String.init).joined(separator: ".")
    }

    /// A UTCTime or GeneralizedTime in the one form of RFC 5280 §4.1.2.5: seconds given, Z, no fractions.
    package func time() throws(DERError) -> Instant {
        let yearDigits: Int
        switch tag {
        case .utcTime: yearDigits = 2
        case .generalizedTime: yearDigits = 4
        default: throw .unexpectedTag
        }
        guard contents.count == yearDigits + 11, contents.last == UInt8(ascii: "Z") else { throw .invalidValue }
        var digits: [Int] = []
        for octet in contents.dropLast() {
            guard (0x30...0x39).contains(octet) else { throw .invalidValue }
            digits.append(Int(octet - 0x30))
        }
        func two(_ index: Int) -> Int { digits[index] * 10 + digits[index + 1] }
        var year = two(0)
        if yearDigits == 4 {
            year = year * 100 + two(2)
        } else {
            year += year < 50 ? 2000 : 1900
        }
        let rest = yearDigits
        guard
            let instant = Instant(
                year: year, month: two(rest), day: two(rest + 2), hour: two(rest + 4), minute: two(rest + 6),
                second: two(rest + 8))
        else { throw .invalidValue }
        return instant
    }

    /// The text of any of the character string types that names and policies use.
    package func text() throws(DERError) -> String {
        let text: String?
        switch tag {
        case .utf8String:
            text = String(validating: contents, as: UTF8.self)
        case .printableString, .ia5String, .visibleString, .numericString:
            text = contents.allSatisfy { $0 < 0x80 } ? String(validating: contents, as: UTF8.self) : nil
        case .teletexString:
            // T.61 proper is extinct; what carries this tag is Latin-1 in practice.
            text = String(String.UnicodeScalarView(contents.map { Unicode.Scalar($0) }))
        case .bmpString:
            text = String(validating: try units(of: 2).map { UInt16(truncatingIfNeeded: $0) }, as: UTF16.self)
        case .universalString:
            text = String(validating: try units(of: 4), as: UTF32.self)
        default:
            throw .unexpectedTag
        }
        guard let text else { throw .invalidValue }
        return text
    }

    private func units(of width: Int) throws(DERError) -> [UInt32] {
        guard contents.count.isMultiple(of: width) else { throw .invalidValue }
        var units: [UInt32] = []
        var unit: UInt32 = 0
        for (index, octet) in contents.enumerated() {
            unit = unit << 8 | UInt32(octet)
            if index % width == width - 1 {
                units.append(unit)
                unit = 0
            }
        }
        return units
    }
}
