/// A CMS ContentInfo with SignedData and its one signer, as time stamps have it (RFC 5652 §3 and §5, RFC 3161 §2.4.2).
struct CMSSignedData: Sendable {
    private static let certificateLimit = 32
    private static let otherLimit = 64

    let contentType: String
    /// The octets of eContent.
    let content: ArraySlice<UInt8>
    /// Certificates that came along and can be read; nothing in the signature vouches for them.
    let certificates: [HPKICertificate]
    let signer: CMSSignerInfo

    /// Reads one ContentInfo; throws `.malformed`, `.notTimeStamp`, `.signerCount` or `.unsupportedAlgorithm`.
    init(contentInfo der: ArraySlice<UInt8>) throws(TimeStampFault) {
        let body = try Self.body(der)
        let version: Int
        let algorithms: [HashIdentifier]
        let choices: Choices
        let signers: [ArraySlice<UInt8>]
        do throws(DERError) {
            var fields = try DERReader.whole(body).children
            version = try fields.next(.integer).smallInteger()
            algorithms = try Self.readAlgorithms(try fields.enter(.set))
            var encapsulated = try fields.enter()
            contentType = try encapsulated.next(.objectIdentifier).objectIdentifier()
            var explicit = try encapsulated.enter(.context(0))
            content = try explicit.next(.octetString).contents
            try explicit.end()
            try encapsulated.end()
            choices = try Choices(
                certificates: try fields.optional(.context(0)), lists: try fields.optional(.context(1)))
            signers = try Self.elements(in: try fields.next(.set), atMost: Self.otherLimit).map(\.encoded)
            try fields.end()
        } catch {
            throw .malformed(error, field: "SignedData")
        }
        guard let only = signers.first, signers.count == 1 else { throw .signerCount(signers.count) }
        do throws(DERError) {
            signer = try CMSSignerInfo(der: only)
            // RFC 5652 §5.1; the content here is never of the type id-data.
            guard version == choices.version else { throw .invalidValue }
        } catch {
            throw .malformed(error, field: "SignerInfo")
        }
        // RFC 5652 §5.1 lets a reader refuse a signer whose function the outer list leaves out.
        guard algorithms.contains(signer.digest) else { throw .unsupportedAlgorithm(signer.digest.oid) }
        certificates = choices.certificates
    }

    private static func body(_ der: ArraySlice<UInt8>) throws(TimeStampFault) -> ArraySlice<UInt8> {
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
        guard type == OID.cmsSignedData else { throw .notTimeStamp(type) }
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

    private static func elements(in set: DERElement?, atMost limit: Int) throws(DERError) -> [DERElement] {
        guard var list = set?.children else { return [] }
        var found: [DERElement] = []
        while !list.isAtEnd {
            guard found.count < limit else { throw .tooMany }
            found.append(try list.next())
        }
        return found
    }

    /// What comes along unsigned: certificates of several kinds, and revocation data.
    private struct Choices {
        var certificates: [HPKICertificate] = []
        /// The version of the SignedData that these kinds ask for.
        var version = 3

        init(certificates: DERElement?, lists: DERElement?) throws(DERError) {
            for element in try CMSSignedData.elements(in: certificates, atMost: CMSSignedData.certificateLimit) {
                switch element.tag {
                case .sequence:
                    // A certificate with a key of a kind not used here cannot be the signer's.
                    if let certificate = try? HPKICertificate(der: Array(element.encoded)) {
                        self.certificates.append(certificate)
                    }
                case .context(0), .context(1): break
                case .context(2): version = max(version, 4)
                case .context(3): version = 5
                default: throw .unexpectedTag
                }
            }
            // Lists that came along are not looked at: those that the caller holds tell of revocation.
            for element in try CMSSignedData.elements(in: lists, atMost: CMSSignedData.otherLimit) {
                switch element.tag {
                case .sequence: break
                case .context(1): version = 5
                default: throw .unexpectedTag
                }
            }
        }
    }
}
