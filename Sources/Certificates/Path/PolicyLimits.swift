/// What an authority's certificate says of the policies below it (RFC 5280 §4.2.1.5, §4.2.1.11 and §4.2.1.14).
package struct PolicyLimits: Sendable, Hashable {
    /// One policy of the issuer that counts as equal to one of the subject.
    package struct Mapping: Sendable, Hashable {
        package let issuerDomainPolicy: String
        package let subjectDomainPolicy: String
    }

    /// The most policies or mappings of one certificate.
    static let limit = 128

    package internal(set) var mappings: [Mapping] = []
    /// How many certificates may follow before every one needs a policy that is valid along the path.
    package private(set) var requireExplicitPolicy: Int?
    /// How many certificates may follow before mappings count no more.
    package private(set) var inhibitPolicyMapping: Int?
    /// How many certificates may follow before anyPolicy counts no more.
    package internal(set) var inhibitAnyPolicy: Int?

    mutating func takeConstraints(_ der: ArraySlice<UInt8>) throws(DERError) {
        var fields = try DERReader.whole(der).children
        requireExplicitPolicy = try Self.skipCerts(fields.optional(.contextPrimitive(0)))
        inhibitPolicyMapping = try Self.skipCerts(fields.optional(.contextPrimitive(1)))
        try fields.end()
        guard requireExplicitPolicy != nil || inhibitPolicyMapping != nil else { throw .invalidValue }
    }

    mutating func takeMappings(_ der: ArraySlice<UInt8>) throws(DERError) {
        var list = try DERReader.whole(der).children
        repeat {
            var pair = try list.enter()
            let issuer = try pair.next(.objectIdentifier).objectIdentifier()
            let subject = try pair.next(.objectIdentifier).objectIdentifier()
            try pair.end()
            mappings.append(Mapping(issuerDomainPolicy: issuer, subjectDomainPolicy: subject))
            guard mappings.count <= Self.limit else { throw .tooMany }
        } while !list.isAtEnd
    }

    private static func skipCerts(_ element: DERElement?) throws(DERError) -> Int? {
        guard let element else { return nil }
        return try element.smallInteger()
    }
}
