package import HPKI

/// What a signer signed beside the content (RFC 5652 §5.3 and §11, RFC 5035).
package struct CMSSignedAttributes: Sendable {
    private static let limit = 32

    /// The SET OF with its own tag, as it was signed (RFC 5652 §5.4).
    package let toBeSigned: [UInt8]
    /// The content's type, dotted.
    package let contentType: String
    /// The digest of the content's octets.
    package let messageDigest: [UInt8]
    /// The signer's certificate by SigningCertificate and SigningCertificateV2; one, both or none.
    package let signingCertificates: [ESSCertificateID]
    /// All of them, those above among them.
    package let all: [CMSAttribute]

    /// Reads `[0] IMPLICIT SignedAttributes`, which must be DER: ascending, no type twice.
    init(_ element: DERElement) throws(DERError) {
        var list = element.children
        var types: Set<String> = []
        var previous: ArraySlice<UInt8> = []
        var type: String?
        var digest: [UInt8]?
        var certificates: [ESSCertificateID] = []
        var all: [CMSAttribute] = []
        while !list.isAtEnd {
            let attribute = try CMSAttribute(try list.next(.sequence))
            guard previous.lexicographicallyPrecedes(attribute.encoded) else { throw .invalidValue }
            previous = attribute.encoded
            guard types.insert(attribute.type).inserted else { throw .invalidValue }
            guard types.count <= Self.limit else { throw .tooMany }
            all.append(attribute)
            switch attribute.type {
            case OID.contentType: type = try attribute.onlyValue(.objectIdentifier).objectIdentifier()
            case OID.messageDigest: digest = Array(try attribute.onlyValue(.octetString).contents)
            case OID.signingCertificate:
                certificates.append(
                    try ESSCertificateID(first: try attribute.onlyValue(.sequence).children, version: 1))
            case OID.signingCertificateV2:
                certificates.append(
                    try ESSCertificateID(first: try attribute.onlyValue(.sequence).children, version: 2))
            default: continue
            }
        }
        guard let type, let digest else { throw .unexpectedTag }
        toBeSigned = [DERTag.set.identifier] + element.encoded.dropFirst()
        contentType = type
        messageDigest = digest
        signingCertificates = certificates
        self.all = all
    }

    /// The attribute of this type, dotted.
    package func attribute(_ type: String) -> CMSAttribute? { all.first { $0.type == type } }

    /// The signer's own claim of its time, which proves nothing; nil where there is none (RFC 5652 §11.3).
    package func claimedSigningTime() throws(DERError) -> Instant? {
        guard let values = attribute(OID.signingTime)?.values else { return nil }
        guard let only = values.first, values.count == 1 else { throw .tooMany }
        return try only.time()
    }
}
