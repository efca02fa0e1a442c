package import HPKI

/// The extensions of a certificate that this project understands, and the names of those it does not (RFC 5280 §4.2).
package struct CertificateExtensions: Sendable {
    private static let limit = 64

    package private(set) var keyUsage: KeyUsage?
    package private(set) var policies: [String] = []
    package private(set) var roles: [HCRole] = []
    package private(set) var authorityKeyIdentifier: [UInt8]?
    package private(set) var subjectKeyIdentifier: [UInt8]?
    package private(set) var alternativeDirectoryName: DistinguishedName?
    package private(set) var crlDistributionPoints: [GeneralName] = []
    package private(set) var extendedKeyUsages: [String] = []
    package private(set) var isExtendedKeyUsageCritical = false
    /// True where basicConstraints are present at all.
    package private(set) var hasBasicConstraints = false
    package private(set) var isCA = false
    package private(set) var pathLength: Int?
    /// Limits on names and policies below an authority, which the path validator cannot apply, critical or not.
    package private(set) var unappliedConstraints: [String] = []
    /// Critical extensions that are not understood.
    package private(set) var unknownCritical: [String] = []

    /// Reads `Extensions`, or takes none; throws `.malformed` with the extension's OID, or `.duplicateExtension`.
    package init(_ explicit: DERReader?) throws(CertificateError) {
        guard var explicit else { return }
        var found: [ExtensionValue] = []
        do {
            found = try ExtensionValue.readList(&explicit, atMost: Self.limit)
            try explicit.end()
        } catch {
            throw .malformed(error, field: "extensions")
        }
        var seen: Set<String> = []
        for item in found {
            guard seen.insert(item.oid).inserted else { throw .duplicateExtension(item.oid) }
            do {
                try take(item)
            } catch {
                throw .malformed(error, field: "extension \(item.oid)")
            }
        }
    }

    private mutating func take(_ item: ExtensionValue) throws(DERError) {
        switch item.oid {
        case OID.keyUsage: keyUsage = try KeyUsage(der: item.value)
        case OID.subjectDirectoryAttributes: roles = try HCRoleEncoding.decode(item.value)
        case OID.subjectKeyIdentifier:
            subjectKeyIdentifier = Array(try DERReader.whole(item.value, .octetString).contents)
        case OID.authorityKeyIdentifier:
            authorityKeyIdentifier = try Self.keyIdentifier(inAuthorityKeyIdentifier: item.value)
        case OID.basicConstraints: try takeBasicConstraints(item.value)
        case OID.certificatePolicies: policies = try Self.readPolicies(item.value)
        case OID.cRLDistributionPoints: crlDistributionPoints = try Self.readDistributionPoints(item.value)
        case OID.subjectAltName:
            var names = try DERReader.whole(item.value).children
            let directoryNames = try GeneralName.readList(&names).compactMap(\.directoryName)
            alternativeDirectoryName = directoryNames.first
        case OID.extKeyUsage:
            var purposes = try DERReader.whole(item.value).children
            repeat {
                extendedKeyUsages.append(try purposes.next(.objectIdentifier).objectIdentifier())
            } while !purposes.isAtEnd
            isExtendedKeyUsageCritical = item.isCritical
        case OID.nameConstraints, OID.policyConstraints, OID.policyMappings, OID.inhibitAnyPolicy:
            unappliedConstraints.append(item.oid)
        default:
            if item.isCritical { unknownCritical.append(item.oid) }
        }
    }

    private mutating func takeBasicConstraints(_ der: ArraySlice<UInt8>) throws(DERError) {
        var fields = try DERReader.whole(der).children
        hasBasicConstraints = true
        if let flag = try fields.optional(.boolean) {
            // FALSE is the default, which DER leaves out.
            guard try flag.boolean() else { throw .invalidValue }
            isCA = true
        }
        if let length = try fields.optional(.integer) { pathLength = try length.smallInteger() }
        try fields.end()
    }

    /// The keyIdentifier of an AuthorityKeyIdentifier, nil where it names the issuer's certificate only.
    package static func keyIdentifier(
        inAuthorityKeyIdentifier der: ArraySlice<UInt8>
    ) throws(DERError) -> [UInt8]? {
        var fields = try DERReader.whole(der).children
        let identifier = try fields.optional(.contextPrimitive(0)).map { Array($0.contents) }
        let issuer = try fields.optional(.context(1))
        let serial = try fields.optional(.contextPrimitive(2))
        try fields.end()
        // RFC 5280 §4.2.1.1: both or neither.
        guard (issuer == nil) == (serial == nil) else { throw .invalidValue }
        _ = try serial?.integer()
        return identifier
    }

    private static func readPolicies(_ der: ArraySlice<UInt8>) throws(DERError) -> [String] {
        var list = try DERReader.whole(der).children
        var policies: [String] = []
        repeat {
            var information = try list.enter()
            policies.append(try information.next(.objectIdentifier).objectIdentifier())
            // Qualifiers (the address of the practice statement, a notice) are for people.
            _ = try information.optional(.sequence)
            try information.end()
        } while !list.isAtEnd
        guard Set(policies).count == policies.count else { throw .invalidValue }
        return policies
    }

    private static func readDistributionPoints(_ der: ArraySlice<UInt8>) throws(DERError) -> [GeneralName] {
        var list = try DERReader.whole(der).children
        var names: [GeneralName] = []
        repeat {
            var point = try list.enter()
            let place = try point.enterOptional(.context(0))
            let reasons = try point.optional(.contextPrimitive(1))
            let otherIssuer = try point.optional(.context(2))
            try point.end()
            // Points for some reasons only, or signed by another authority, are no place for this project's CRLs.
            guard var place, reasons == nil, otherIssuer == nil else { continue }
            if var fullName = try place.enterOptional(.context(0)) { names += try GeneralName.readList(&fullName) }
        } while !list.isAtEnd
        return names
    }
}

/// One extension before its value is read (RFC 5280 §4.1).
struct ExtensionValue {
    let oid: String
    let isCritical: Bool
    let value: ArraySlice<UInt8>

    /// `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension`.
    static func readList(_ reader: inout DERReader, atMost limit: Int) throws(DERError) -> [ExtensionValue] {
        var list = try reader.enter()
        var found: [ExtensionValue] = []
        repeat {
            var fields = try list.enter()
            let oid = try fields.next(.objectIdentifier).objectIdentifier()
            let isCritical = try fields.optional(.boolean)?.boolean()
            // FALSE is the default, which DER leaves out.
            guard isCritical != false else { throw .invalidValue }
            let value = try fields.next(.octetString).contents
            try fields.end()
            found.append(ExtensionValue(oid: oid, isCritical: isCritical ?? false, value: value))
            guard found.count <= limit else { throw .tooMany }
        } while !list.isAtEnd
        return found
    }
}

/// One GeneralName, of which addresses and directory names are understood (RFC 5280 §4.2.1.6).
package struct GeneralName: Sendable, Hashable {
    /// The encoding, by which distribution points are compared.
    package let der: [UInt8]
    package let uri: String?
    package let directoryName: DistinguishedName?

    static func readList(_ reader: inout DERReader) throws(DERError) -> [GeneralName] {
        var names: [GeneralName] = []
        while !reader.isAtEnd {
            let element = try reader.next()
            guard element.tag.identifier & 0xC0 == 0x80, names.count < 64 else { throw .unexpectedTag }
            var uri: String?
            var directoryName: DistinguishedName?
            switch element.tag {
            case .contextPrimitive(6):
                guard element.contents.allSatisfy({ $0 < 0x80 }) else { throw .invalidValue }
                uri = String(validating: element.contents, as: UTF8.self)
            case .context(4): directoryName = try DistinguishedName(der: element.contents)
            default: break
            }
            names.append(GeneralName(der: Array(element.encoded), uri: uri, directoryName: directoryName))
        }
        return names
    }
}
