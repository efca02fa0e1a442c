/// A CMS ContentInfo with SignedData, read strictly from its DER, every part kept as it was encoded (RFC 5652 §3, §5).
///
/// Reading says nothing about trust, nor that any signature holds.
package struct CMSSignedData: Sendable {
    /// The most bytes a signature may have, its content included.
    package static let byteLimit = 1 << 28
    /// The most signers.
    package static let signerLimit = 16
    private static let certificateLimit = 128
    private static let otherLimit = 64

    /// The version as it stands; RFC 5652 §5.1 says which it should be: `requiredVersion`.
    package let version: Int
    /// The functions by which the signers digested the content, as the writer lists them.
    package let digestAlgorithms: [HashIdentifier]
    /// The content's type, dotted.
    package let contentType: String
    /// The content's type as encoded: an OBJECT IDENTIFIER.
    package let contentTypeDER: ArraySlice<UInt8>
    /// The octets of eContent; nil where the content is kept apart.
    package let content: ArraySlice<UInt8>?
    /// Each CertificateChoices as encoded; nothing in the signature vouches for them (RFC 5652 §10.2.2).
    package let certificateChoices: [DERElement]
    /// Each RevocationInfoChoice as encoded (RFC 5652 §10.2.1).
    package let revocationChoices: [DERElement]
    /// At least one, in the order of the encoding.
    package let signers: [CMSSignerInfo]
    let digestAlgorithmSet: DERElement
    let encapsulatedContent: DERElement

    /// Reads one ContentInfo with at most `signerLimit` signers; throws why it is none.
    package init(contentInfo der: ArraySlice<UInt8>, signerLimit: Int = Self.signerLimit) throws(CMSError) {
        guard der.count <= Self.byteLimit else { throw .tooLarge }
        let body = try Self.body(der)
        let signerInfos: [DERElement]
        do throws(DERError) {
            var fields = try DERReader.whole(body).children
            version = try fields.next(.integer).smallInteger()
            digestAlgorithmSet = try fields.next(.set)
            digestAlgorithms = try Self.readAlgorithms(digestAlgorithmSet.children)
            encapsulatedContent = try fields.next(.sequence)
            (contentType, contentTypeDER, content) = try Self.readContent(encapsulatedContent.children)
            certificateChoices = try Self.elements(
                in: try fields.optional(.context(0)), atMost: Self.certificateLimit)
            revocationChoices = try Self.elements(in: try fields.optional(.context(1)), atMost: Self.otherLimit)
            let certificateTags = [DERTag.sequence] + (UInt8(0)...3).map(DERTag.context)
            guard certificateChoices.allSatisfy({ certificateTags.contains($0.tag) }),
                revocationChoices.allSatisfy({ [.sequence, .context(1)].contains($0.tag) })
            else { throw .unexpectedTag }
            signerInfos = try Self.elements(in: try fields.next(.set), atMost: Self.otherLimit)
            try fields.end()
        } catch {
            throw .malformed(error, field: "SignedData")
        }
        guard (1...signerLimit).contains(signerInfos.count) else { throw .signerCount(signerInfos.count) }
        var signers: [CMSSignerInfo] = []
        do throws(DERError) {
            for element in signerInfos {
                guard element.tag == .sequence else { throw .unexpectedTag }
                signers.append(try CMSSignerInfo(element))
            }
        } catch {
            throw .malformed(error, field: "SignerInfo")
        }
        self.signers = signers
    }

    private static func body(_ der: ArraySlice<UInt8>) throws(CMSError) -> ArraySlice<UInt8> {
        let type: String
        let body: ArraySlice<UInt8>
        do throws(DERError) {
            var info = try DERReader.whole(der).children
            type = try info.next(.objectIdentifier).objectIdentifier()
            body = try info.next(.context(0)).contents
            try info.end()
        } catch {
            throw .malformed(error, field: "ContentInfo")
        }
        guard type == OID.cmsSignedData else { throw .notSignedData(type) }
        return body
    }

    private static func readAlgorithms(_ list: DERReader) throws(DERError) -> [HashIdentifier] {
        var list = list
        var found: [HashIdentifier] = []
        while !list.isAtEnd {
            guard found.count < otherLimit else { throw .tooMany }
            found.append(try HashIdentifier(reading: &list))
        }
        return found
    }

    private static func readContent(
        _ fields: DERReader
    ) throws(DERError) -> (type: String, typeDER: ArraySlice<UInt8>, octets: ArraySlice<UInt8>?) {
        var fields = fields
        let type = try fields.next(.objectIdentifier)
        var octets: ArraySlice<UInt8>?
        if var explicit = try fields.enterOptional(.context(0)) {
            octets = try explicit.next(.octetString).contents
            try explicit.end()
        }
        try fields.end()
        return (try type.objectIdentifier(), type.encoded, octets)
    }

    private static func elements(in set: DERElement?, atMost limit: Int) throws(DERError) -> [DERElement] {
        guard var list = set?.children else { return [] }
        var found: [DERElement] = []
        while !list.isAtEnd {
            guard found.count < limit else { throw .tooMany }
            found.append(try list.next())
        }
        return found
    }

    /// Certificates that came along and can be read: one with a key of a kind not used here cannot be the signer's.
    package var certificates: [HPKICertificate] {
        certificateChoices.filter { $0.tag == .sequence }.compactMap { try? HPKICertificate(der: Array($0.encoded)) }
    }

    /// True where the outer list names the function by which this signer digested the content.
    ///
    /// RFC 5652 §5.1 lets a reader refuse a signer whose function it leaves out.
    package func lists(functionOf signer: CMSSignerInfo) -> Bool { digestAlgorithms.contains(signer.digest) }

    /// The version that kinds of content, certificates, revocation data and signers ask for (RFC 5652 §5.1).
    var requiredVersion: Int {
        CMSEncoding.version(
            contentType: contentType, certificateTags: certificateChoices.map(\.tag),
            revocationTags: revocationChoices.map(\.tag), signerVersions: signers.map(\.version))
    }
}
