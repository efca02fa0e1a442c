/// The reasons of revocation that a list or a place of publication speaks for (RFC 5280 §4.2.1.13, ReasonFlags).
package struct ReasonFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16

    /// A set by its bits; bit n is the n-th of the BIT STRING.
    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Bits 1 to 8: bit 0 is not used, and an unspecified reason belongs to lists for all reasons.
    package static let all = ReasonFlags(rawValue: 0b1_1111_1110)

    /// Reads the BIT STRING; bits beyond those known are refused.
    init(_ element: DERElement) throws(DERError) {
        let (unused, octets) = try element.bitString()
        guard octets.count <= 2, octets.count * 8 - unused <= 9 else { throw .invalidValue }
        var bits: UInt16 = 0
        for (index, octet) in octets.enumerated() {
            for bit in 0..<8 where octet & (0x80 >> bit) != 0 { bits |= 1 << UInt16(index * 8 + bit) }
        }
        self = ReasonFlags(rawValue: bits).intersection(.all)
    }
}

/// Where, by whom and for which reasons a certificate's revocation is published (RFC 5280 §4.2.1.13).
package struct DistributionPoint: Sendable, Hashable {
    private static let limit = 64

    /// The place's names; empty where it is named relative to the issuer, or not at all.
    package let fullName: [GeneralName]
    /// The contents octets of the RelativeDistinguishedName behind the issuer's name.
    package let relativeName: [UInt8]?
    /// The reasons published there; nil for all.
    package let reasons: ReasonFlags?
    /// The authority that signs the list in the issuer's stead; empty where the issuer does.
    package let crlIssuers: [DistinguishedName]

    /// Reads the extension's value; at most 64 points.
    static func readList(_ der: ArraySlice<UInt8>) throws(DERError) -> [DistributionPoint] {
        var list = try DERReader.whole(der).children
        var points: [DistributionPoint] = []
        repeat {
            guard points.count < limit else { throw .tooMany }
            var fields = try list.enter()
            points.append(try DistributionPoint(&fields))
        } while !list.isAtEnd
        return points
    }

    private init(_ fields: inout DERReader) throws(DERError) {
        let place = try fields.enterOptional(.context(0))
        (fullName, relativeName) = try Self.readName(place)
        reasons = try fields.optional(.contextPrimitive(1)).map { element throws(DERError) in try ReasonFlags(element) }
        if var names = try fields.enterOptional(.context(2)) {
            crlIssuers = try GeneralName.readList(&names).compactMap(\.directoryName)
            // A list's issuer is told by its directory name and nothing else.
            guard !crlIssuers.isEmpty else { throw .invalidValue }
        } else {
            crlIssuers = []
        }
        try fields.end()
    }

    /// DistributionPointName, which certificates and lists share.
    static func readName(_ place: DERReader?) throws(DERError) -> (full: [GeneralName], relative: [UInt8]?) {
        guard var place else { return ([], nil) }
        if var names = try place.enterOptional(.context(0)) {
            try place.end()
            return (try GeneralName.readList(&names), nil)
        }
        let relative = Array(try place.next(.context(1)).contents)
        try place.end()
        return ([], relative)
    }

    /// The place's names, those relative to an issuer written out; nothing where one cannot be.
    func names(certificateIssuer: DistinguishedName) -> [GeneralName] {
        guard let relativeName else { return fullName }
        guard let whole = try? (crlIssuers.first ?? certificateIssuer).appending(relative: relativeName[...]) else {
            return []
        }
        return [GeneralName(whole)]
    }
}
