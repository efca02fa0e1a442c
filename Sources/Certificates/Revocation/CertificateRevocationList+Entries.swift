import HPKI

extension CertificateRevocationList {
    static func readIndex(
        _ entries: inout DERReader?, in der: [UInt8]
    ) throws(DERError) -> (index: [UInt32], runs: [UInt32]) {
        guard var rest = entries else { return ([], []) }
        var runs: [UInt32] = []
        var index: [UInt32] = []
        var isSorted = true
        var previous: ArraySlice<UInt8> = []
        while !rest.isAtEnd {
            let element = try rest.next(.sequence)
            let offset = UInt32(element.encoded.startIndex)
            let (serial, namesIssuer) = try checkEntry(element)
            if namesIssuer { runs.append(offset) }
            isSorted = isSorted && !precedes(serial, previous)
            previous = serial
            index.append(offset)
        }
        guard !isSorted else { return (index, runs) }
        // Nearly every pair is told apart by the length and the first octets, without reading the entries again.
        let keyed = index.map { (key: sortKey(of: serial(at: $0, in: der) ?? []), offset: $0) }
        index = keyed.sorted { left, right in
            if left.key != right.key { return left.key < right.key }
            guard let first = serial(at: left.offset, in: der), let second = serial(at: right.offset, in: der),
                first != second
            else { return left.offset < right.offset }
            return precedes(first, second)
        }.map(\.offset)
        return (index, runs)
    }

    /// The length and the first seven octets, in the order of `precedes`.
    private static func sortKey(of serial: ArraySlice<UInt8>) -> UInt64 {
        var key = UInt64(serial.count) << 56
        for (index, octet) in serial.prefix(7).enumerated() { key |= UInt64(octet) << UInt64(48 - 8 * index) }
        return key
    }

    private static func checkEntry(
        _ element: DERElement
    ) throws(DERError) -> (serial: ArraySlice<UInt8>, namesIssuer: Bool) {
        var fields = element.children
        let serial = try fields.next(.integer).integer()
        guard serial.count <= 64 else { throw .invalidValue }
        _ = try fields.next().time()
        return (serial, try readExtensions(&fields).issuer != nil)
    }

    static func readEntry(_ reader: inout DERReader) throws(DERError) -> Entry {
        var fields = try reader.enter()
        let serial = try fields.next(.integer).integer()
        let date = try fields.next().time()
        return Entry(serialNumber: Array(serial), revokedAt: date, reason: try readExtensions(&fields).reason)
    }

    /// The authority that the entry at this offset names, which was read once when the index was made.
    static func namedIssuer(at offset: UInt32, in der: [UInt8]) -> DistinguishedName? {
        var reader = DERReader(der[Int(offset)...])
        guard var fields = try? reader.enter() else { return nil }
        _ = try? (fields.next(.integer), fields.next())
        return try? readExtensions(&fields).issuer
    }

    private static func readExtensions(
        _ fields: inout DERReader
    ) throws(DERError) -> (reason: RevocationReason?, issuer: DistinguishedName?) {
        guard !fields.isAtEnd else { return (nil, nil) }
        var reason: RevocationReason?
        var issuer: DistinguishedName?
        for item in try ExtensionValue.readList(&fields, atMost: 16) {
            if item.oid == OID.reasonCode {
                let code = try DERReader.whole(item.value, .enumerated).smallInteger()
                guard let known = UInt8(exactly: code).flatMap(RevocationReason.init(rawValue:)) else {
                    throw .invalidValue
                }
                reason = known
            } else if item.oid == OID.certificateIssuer {
                var names = try DERReader.whole(item.value).children
                issuer = try GeneralName.readList(&names).lazy.compactMap(\.directoryName).first
                guard issuer != nil else { throw .invalidValue }
            } else if item.isCritical {
                // What an unknown extension makes of the entry, and of those behind it, nobody knows.
                throw .unexpectedTag
            }
        }
        try fields.end()
        return (reason, issuer)
    }

    /// The serial number's octets of the entry at this offset, whose lengths were checked before.
    static func serial(at offset: UInt32, in der: [UInt8]) -> ArraySlice<UInt8>? {
        var reader = DERReader(der[Int(offset)...])
        guard var fields = try? reader.enter() else { return nil }
        return try? fields.next(.integer).contents
    }

    /// Shorter first, then by octets: any total order will do for searching.
    static func precedes(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
        left.count == right.count ? left.lexicographicallyPrecedes(right) : left.count < right.count
    }
}
