package import Certificates
package import HPKI

/// The digests of everything unsigned that an archive time stamp protects (ETSI EN 319 122-1 §5.5.2 as recalled).
package struct ATSHashIndexV3: Sendable, Hashable {
    private static let limit = 1024

    /// The function of all its digests, which is that of the time stamp's imprint.
    package let algorithm: DigestAlgorithm
    /// Digests of the CertificateChoices.
    package let certificates: [[UInt8]]
    /// Digests of the RevocationInfoChoices.
    package let revocation: [[UInt8]]
    /// Digests of each unsigned attribute's type and one of its values.
    package let attributeValues: [[UInt8]]
    /// The value of the attribute, as encoded.
    package let der: [UInt8]

    /// The index of all that stands unsigned in `signedData`, as far as it concerns this signer.
    package init(of signedData: CMSSignedData, _ signer: CMSSignerInfo, by algorithm: DigestAlgorithm) {
        self.algorithm = algorithm
        certificates = signedData.certificateChoices.map { Self.digest($0, by: algorithm) }
        revocation = signedData.revocationChoices.map { Self.digest($0, by: algorithm) }
        attributeValues = signer.unsignedAttributes.flatMap { Self.digests($0, by: algorithm) }
        der = DER.sequence(
            of: [algorithm.identifier]
                + [certificates, revocation, attributeValues].map { list in
                    DER.sequence(of: list.map { DER.octetString($0) })
                })
    }

    /// Reads one; throws `.invalidValue` also where its function is not accepted.
    package init(der element: DERElement) throws(DERError) {
        guard element.tag == .sequence else { throw .unexpectedTag }
        var fields = element.children
        guard let algorithm = try HashIdentifier(reading: &fields).algorithm else { throw .invalidValue }
        certificates = try Self.readDigests(try fields.enter())
        revocation = try Self.readDigests(try fields.enter())
        attributeValues = try Self.readDigests(try fields.enter())
        try fields.end()
        self.algorithm = algorithm
        der = Array(element.encoded)
    }

    private static func readDigests(_ list: DERReader) throws(DERError) -> [[UInt8]] {
        var list = list
        var found: [[UInt8]] = []
        while !list.isAtEnd {
            guard found.count < limit else { throw .tooMany }
            found.append(Array(try list.next(.octetString).contents))
        }
        return found
    }

    /// The digest of a CertificateChoices or RevocationInfoChoice.
    package static func digest(_ choice: DERElement, by algorithm: DigestAlgorithm) -> [UInt8] {
        Digest(of: Array(choice.encoded), by: algorithm).bytes
    }

    /// The digests of an attribute: of its type and each of its values.
    package static func digests(_ attribute: CMSAttribute, by algorithm: DigestAlgorithm) -> [[UInt8]] {
        attribute.values.map { Digest(of: Array(attribute.typeDER) + $0.encoded, by: algorithm).bytes }
    }
}

extension CMSSignedData {
    /// The octets that an archive-time-stamp-v3 of this signer is over (ETSI EN 319 122-1 §5.5.3 as recalled).
    ///
    /// The content's type as encoded, the content's digest by the time stamp's function, the signer's fields from version
    /// to signature as encoded, and the ATSHashIndexV3 as encoded.
    package func archiveTimeStampOctets(
        _ signer: CMSSignerInfo, contentDigest: Digest, index: ATSHashIndexV3
    ) -> [UInt8] {
        Array(contentTypeDER) + contentDigest.bytes + signer.signedFields + index.der
    }
}
