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
    /// Every name of subjectAltName, in the order of the encoding.
    package private(set) var alternativeNames: [GeneralName] = []
    /// Where, by whom and for which reasons the certificate's revocation is published.
    package private(set) var distributionPoints: [DistributionPoint] = []
    /// The addresses of the issuer's OCSP responders (RFC 5280 §4.2.2.1); a hint, so none where they cannot be read.
    package private(set) var ocspResponders: [String] = []
    package private(set) var extendedKeyUsages: [String] = []
    package private(set) var isExtendedKeyUsageCritical = false
    /// True where basicConstraints are present at all.
    package private(set) var hasBasicConstraints = false
    package private(set) var isCA = false
    package private(set) var pathLength: Int?
    /// The names that certificates below this authority may and may not have.
    package private(set) var nameConstraints: NameConstraints?
    /// The limits on policies below this authority.
    package private(set) var policyLimits = PolicyLimits()
    /// True where id-pkix-ocsp-nocheck exempts an OCSP responder's certificate from revocation (RFC 6960 §4.2.2.2.1).
    package private(set) var isRevocationNotChecked = false
    /// Critical extensions that are not understood.
    package private(set) var unknownCritical: [String] = []

    /// The names of the places at which the issuer itself publishes a list for all reasons.
    package var crlDistributionPoints: [GeneralName] {
        distributionPoints.filter { $0.reasons == nil && $0.crlIssuers.isEmpty }.flatMap(\.fullName)
    }

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
        case OID.cRLDistributionPoints: distributionPoints = try DistributionPoint.readList(item.value)
        case OID.subjectAltName:
            var names = try DERReader.whole(item.value).children
            alternativeNames = try GeneralName.readList(&names)
            alternativeDirectoryName = alternativeNames.lazy.compactMap(\.directoryName).first
        case OID.extKeyUsage:
            var purposes = try DERReader.whole(item.value).children
            repeat {
                extendedKeyUsages.append(try purposes.next(.objectIdentifier).objectIdentifier())
            } while !purposes.isAtEnd
            isExtendedKeyUsageCritical = item.isCritical
        case OID.authorityInfoAccess where !item.isCritical:
            ocspResponders = (try? Self.readResponders(item.value)) ?? []
        case OID.nameConstraints: nameConstraints = try NameConstraints(der: item.value)
        case OID.policyConstraints: try policyLimits.takeConstraints(item.value)
        case OID.policyMappings: try policyLimits.takeMappings(item.value)
        case OID.inhibitAnyPolicy:
            policyLimits.inhibitAnyPolicy = try DERReader.whole(item.value, .integer).smallInteger()
        case OID.ocspNoCheck:
            guard try DERReader.whole(item.value, .null).contents.isEmpty else { throw .invalidValue }
            isRevocationNotChecked = true
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
        // RFC 5280 §4.2.1.9: a holder's certificate limits nobody.
        guard isCA || pathLength == nil else { throw .invalidValue }
    }

    /// `AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF AccessDescription`, at most 16.
    private static func readResponders(_ der: ArraySlice<UInt8>) throws(DERError) -> [String] {
        var list = try DERReader.whole(der).children
        var found: [String] = []
        var count = 0
        while !list.isAtEnd {
            guard count < 16 else { throw .tooMany }
            count += 1
            var fields = try list.enter()
            let method = try fields.next(.objectIdentifier).objectIdentifier()
            let place = try GeneralName(try fields.next())
            try fields.end()
            if method == OID.ocsp, let uri = place.uri { found.append(uri) }
        }
        return found
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
            guard policies.count <= PolicyLimits.limit else { throw .tooMany }
        } while !list.isAtEnd
        guard Set(policies).count == policies.count else { throw .invalidValue }
        return policies
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
