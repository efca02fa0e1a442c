/// Writes the structures of a SignedData in DER (RFC 5652 §5).
package enum CMSEncoding {
    /// One attribute with one value.
    package static func attribute(_ type: String, _ value: [UInt8]) -> [UInt8] {
        DER.sequence(DER.objectIdentifier(type), DER.set(of: [value]))
    }

    /// A SignerInfo of version 1, its signer named by issuer and serial number.
    ///
    /// `signedAttributes` is the SET OF that was signed, which is written as `[0] IMPLICIT` (RFC 5652 §5.4); both
    /// algorithms are AlgorithmIdentifiers.
    package static func signerInfo(
        _ certificate: HPKICertificate, digestAlgorithm: [UInt8], signedAttributes: [UInt8],
        signatureAlgorithm: [UInt8], value: [UInt8]
    ) -> [UInt8] {
        DER.sequence(
            DER.integer(1), DER.sequence(certificate.issuer.der, DER.value(.integer, certificate.serialNumber)),
            digestAlgorithm, implicit(0, signedAttributes), signatureAlgorithm, DER.octetString(value))
    }

    /// A ContentInfo with SignedData of signers of version 1 who digested by one function.
    ///
    /// Without `content` the signature is detached; `certificates` are in DER.
    package static func contentInfo(
        digestAlgorithm: [UInt8], contentType: String, content: [UInt8]?, certificates: [[UInt8]],
        signers: [[UInt8]]
    ) -> [UInt8] {
        let explicit = content.map { [DER.explicit(0, DER.octetString($0))] } ?? []
        let version = version(
            contentType: contentType, certificateTags: certificates.compactMap(tag), revocationTags: [],
            signerVersions: [1])
        return contentInfo(fields: [
            DER.integer(UInt64(version)), DER.set(of: [digestAlgorithm]),
            DER.sequence(of: [DER.objectIdentifier(contentType)] + explicit),
            certificates.isEmpty ? [] : implicit(0, DER.set(of: certificates)), DER.set(of: signers),
        ])
    }

    /// A ContentInfo around the fields of a SignedData.
    static func contentInfo(fields: [[UInt8]]) -> [UInt8] {
        DER.sequence(DER.objectIdentifier(OID.cmsSignedData), DER.explicit(0, DER.sequence(of: fields)))
    }

    /// The RevocationInfoChoice of an OCSPResponse in DER (RFC 5940 §2).
    package static func revocationChoice(ocspResponse: [UInt8]) -> [UInt8] {
        implicit(1, DER.sequence(DER.objectIdentifier(OID.ocspResponseFormat), ocspResponse))
    }

    /// `[number] IMPLICIT` in place of the tag of an encoded constructed value.
    static func implicit(_ number: UInt8, _ value: [UInt8]) -> [UInt8] {
        [DERTag.context(number).identifier] + value.dropFirst()
    }

    static func tag(of value: [UInt8]) -> DERTag? { value.first.map(DERTag.init(identifier:)) }

    /// The version of a SignedData with these kinds of parts (RFC 5652 §5.1).
    static func version(
        contentType: String, certificateTags: [DERTag], revocationTags: [DERTag], signerVersions: [Int]
    ) -> Int {
        if certificateTags.contains(.context(3)) || revocationTags.contains(.context(1)) { return 5 }
        if certificateTags.contains(.context(2)) { return 4 }
        let isPlain =
            contentType == OID.cmsData && !certificateTags.contains(.context(1)) && !signerVersions.contains(3)
        return isPlain ? 1 : 3
    }
}
