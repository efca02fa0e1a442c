/// The scope of a list (RFC 5280 §5.2.5, issuingDistributionPoint).
struct IssuingDistributionPoint {
    let names: [GeneralName]
    let scope: CertificateRevocationList.Scope
    let reasons: ReasonFlags
    let isIndirect: Bool

    /// Reads the extension's value; nil for lists of attribute certificates and those that exclude everything.
    init?(der: ArraySlice<UInt8>, issuer: DistinguishedName) throws(DERError) {
        var fields = try DERReader.whole(der).children
        let (full, relative) = try DistributionPoint.readName(try fields.enterOptional(.context(0)))
        names = if let relative { [GeneralName(try issuer.appending(relative: relative[...]))] } else { full }
        var flags: Set<UInt8> = []
        var someReasons: ReasonFlags?
        for number: UInt8 in 1...5 {
            guard let element = try fields.optional(.contextPrimitive(number)) else { continue }
            if number == 3 {
                someReasons = try ReasonFlags(element)
            } else {
                // FALSE is the default, which DER leaves out.
                guard try element.boolean() else { throw .invalidValue }
                flags.insert(number)
            }
        }
        try fields.end()
        guard !flags.contains(5), !(flags.contains(1) && flags.contains(2)) else { return nil }
        scope = flags.contains(1) ? .userCertificates : flags.contains(2) ? .caCertificates : .all
        reasons = someReasons ?? .all
        isIndirect = flags.contains(4)
    }
}

/// The extensions of a list (RFC 5280 §5.2).
struct CRLExtensions {
    private(set) var number: [UInt8]?
    private(set) var baseNumber: [UInt8]?
    private(set) var authorityKeyIdentifier: [UInt8]?
    private(set) var distributionPoint: IssuingDistributionPoint?

    /// Reads `crlExtensions`, or takes none.
    init(_ explicit: DERReader?, issuer: DistinguishedName) throws(CRLError) {
        guard var list = explicit else { return }
        var found: [ExtensionValue] = []
        do throws(DERError) {
            found = try ExtensionValue.readList(&list, atMost: 32)
            try list.end()
        } catch {
            throw .malformed(error, field: "crlExtensions")
        }
        var seen: Set<String> = []
        for item in found {
            guard seen.insert(item.oid).inserted else { throw .malformed(.tooMany, field: "extension \(item.oid)") }
            do throws(DERError) {
                switch item.oid {
                case OID.cRLNumber: number = try Self.readNumber(item.value)
                case OID.deltaCRLIndicator: baseNumber = try Self.readNumber(item.value)
                case OID.authorityKeyIdentifier:
                    authorityKeyIdentifier = try CertificateExtensions.keyIdentifier(
                        inAuthorityKeyIdentifier: item.value)
                case OID.issuingDistributionPoint:
                    distributionPoint = try IssuingDistributionPoint(der: item.value, issuer: issuer)
                default: break
                }
            } catch {
                throw .malformed(error, field: "extension \(item.oid)")
            }
            switch item.oid {
            case OID.issuingDistributionPoint where distributionPoint == nil: throw .unsupportedScope
            case OID.cRLNumber, OID.deltaCRLIndicator, OID.authorityKeyIdentifier, OID.issuingDistributionPoint: break
            default:
                if item.isCritical { throw .unknownCriticalExtension(item.oid) }
            }
        }
    }

    /// A non-negative INTEGER's magnitude without leading zeros; at most 64 octets.
    private static func readNumber(_ der: ArraySlice<UInt8>) throws(DERError) -> [UInt8] {
        let octets = try DERReader.whole(der, .integer).integer()
        guard octets.count <= 64, octets.first.map({ $0 < 0x80 }) == true else { throw .invalidValue }
        return Array(octets.drop { $0 == 0 })
    }
}
