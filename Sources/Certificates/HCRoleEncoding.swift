package import HPKI

/// The hcRole attribute inside SubjectDirectoryAttributes (ISO 17090-2 §6; MHLW's HPKI certificate profile).
///
///     HCActorData ::= SET OF HCActor
///     HCActor     ::= SEQUENCE { codedData [0] EXPLICIT CodedData, regionalHCActorData [1] OPTIONAL }
///     CodedData   ::= SET { codingSchemeReference [0] OBJECT IDENTIFIER, codeDataValue [1] OPTIONAL,
///                           codeDataFreeText [2] DirectoryString }
package enum HCRoleEncoding {
    private static let roleLimit = 64

    /// The value of the SubjectDirectoryAttributes extension for these roles, in DER.
    package static func encode(_ roles: [HCRole]) -> [UInt8] {
        let actors = roles.map { role in
            DER.sequence(
                DER.explicit(
                    0,
                    DER.value(
                        .set,
                        DER.explicit(0, DER.objectIdentifier(OID.nationalCodingScheme))
                            + DER.explicit(2, DER.utf8String(role.description)))))
        }
        return DER.sequence(
            DER.sequence(DER.objectIdentifier(OID.healthcareActor), DER.set(of: [DER.set(of: actors)])))
    }

    /// The roles in the value of a SubjectDirectoryAttributes extension, in the order of the encoding.
    ///
    /// Other attributes, and actors coded by another scheme than the national one, are passed over.
    /// Throws for a value that does not follow the ASN.1, and for one that uses the fields marked "do not use".
    package static func decode(_ der: ArraySlice<UInt8>) throws(DERError) -> [HCRole] {
        var attributes = try DERReader.whole(der).children
        guard !attributes.isAtEnd else { throw .invalidValue }
        var roles: [HCRole] = []
        while !attributes.isAtEnd {
            var attribute = try attributes.enter()
            let type = try attribute.next(.objectIdentifier).objectIdentifier()
            var values = try attribute.enter(.set)
            try attribute.end()
            guard type == OID.healthcareActor else { continue }
            while !values.isAtEnd {
                var actors = try values.enter(.set)
                while !actors.isAtEnd {
                    if let role = try readActor(&actors) { roles.append(role) }
                    guard roles.count <= roleLimit else { throw .tooMany }
                }
            }
        }
        return roles
    }

    private static func readActor(_ actors: inout DERReader) throws(DERError) -> HCRole? {
        var actor = try actors.enter()
        var explicit = try actor.enter(.context(0))
        try actor.end()
        var codedData = try explicit.enter(.set)
        try explicit.end()
        var scheme = try codedData.enter(.context(0))
        var freeText = try codedData.enter(.context(2))
        try codedData.end()
        let identifier = try scheme.next(.objectIdentifier).objectIdentifier()
        try scheme.end()
        let text = try freeText.next().text()
        try freeText.end()
        return identifier == OID.nationalCodingScheme ? HCRole(text) : nil
    }
}
