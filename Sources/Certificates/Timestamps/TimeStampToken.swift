import HPKI

/// A TimeStampToken: an authority's signed statement that data existed at a time (RFC 3161 §2.4.2, RFC 5816).
///
/// Reading says nothing about trust: `judge` does.
package struct TimeStampToken: Sendable {
    /// The most bytes a token may have.
    package static let byteLimit = 1 << 20
    private static let certificateLimit = 32

    /// The bytes as they were given.
    package let der: [UInt8]
    /// What is stated; not to be believed before `judge` has proven it.
    package let unverifiedInfo: TSTInfo
    /// Certificates that came along and can be read; nothing vouches for them.
    package let certificates: [HPKICertificate]
    /// The structure around the statement, for what stands there unsigned.
    package let signedData: CMSSignedData
    let signer: CMSSignerInfo
    let attributes: CMSSignedAttributes
    let content: ArraySlice<UInt8>

    /// Reads one token; throws why the bytes are none.
    package init(der: [UInt8]) throws(TimeStampFault) {
        guard der.count <= Self.byteLimit else { throw .tooLarge }
        do throws(CMSError) {
            signedData = try CMSSignedData(contentInfo: der[...], signerLimit: 1)
        } catch {
            throw TimeStampFault(error)
        }
        guard signedData.certificateChoices.count <= Self.certificateLimit else {
            throw .malformed(.tooMany, field: "SignedData")
        }
        guard let content = signedData.content else { throw .malformed(.truncated, field: "SignedData") }
        guard let signer = signedData.signers.first, let attributes = signer.attributes else {
            throw .malformed(.unexpectedTag, field: "SignerInfo")
        }
        guard signedData.contentType == OID.tSTInfo else { throw .notTimeStamp(signedData.contentType) }
        guard signedData.version == signedData.requiredVersion else {
            throw .malformed(.invalidValue, field: "SignerInfo")
        }
        guard signedData.lists(functionOf: signer) else { throw .unsupportedAlgorithm(signer.digest.oid) }
        unverifiedInfo = try TSTInfo(der: content)
        certificates = signedData.certificates
        (self.content, self.signer, self.attributes) = (content, signer, attributes)
        self.der = der
    }

    /// How the authority signed; nil for what is not accepted here.
    package var signatureScheme: SignatureScheme? { signer.scheme }

    /// Checks that the statement is signed by this key, and nothing else.
    func verify(by key: VerificationKey) throws(TimeStampFault) {
        do throws(CMSSignerError) {
            let digest = Digest(of: Array(content), by: try signer.acceptedFunction())
            try signer.verify(contentDigest: digest, type: OID.tSTInfo, by: key)
        } catch {
            throw TimeStampFault(error)
        }
    }
}

extension TimeStampFault {
    fileprivate init(_ error: CMSError) {
        self =
            switch error {
            case .tooLarge: .tooLarge
            case .malformed(let fault, let field): .malformed(fault, field: field)
            case .notSignedData(let type): .notTimeStamp(type)
            case .signerCount(let count): .signerCount(count)
            }
    }

    fileprivate init(_ error: CMSSignerError) {
        self =
            switch error {
            case .unsupportedAlgorithm(let name): .unsupportedAlgorithm(name)
            case .withoutSignedAttributes: .malformed(.unexpectedTag, field: "SignerInfo")
            case .wrongContent: .wrongContent
            case .badSignature(let fault): .badSignature(fault)
            }
    }
}
