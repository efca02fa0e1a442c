internal import Certificates
internal import Formats
internal import HPKI

/// A CMS signature after its structure was found to be one that is read here, before anything is verified.
struct ParsedCAdES {
    let signedData: CMSSignedData
    /// Certificates that came along and can be read; nothing vouches for them.
    let certificates: [HPKICertificate]
    /// Certificates that came along, CRLs and OCSP responses, all as they stand in the SignedData.
    let material: ValidationMaterial
    /// One of each signer, in the order of the encoding.
    let signers: [ParsedCAdESSigner]

    /// Reads a ContentInfo in DER; throws why it is not read.
    init(_ bytes: [UInt8]) throws(Finding) {
        do throws(CMSError) {
            signedData = try CMSSignedData(contentInfo: bytes[...])
        } catch {
            throw Self.finding(error)
        }
        let encoded = signedData.certificateChoices.filter { $0.tag == .sequence }.map { Array($0.encoded) }
        certificates = encoded.compactMap(ReadCertificates.certificate)
        material = ValidationMaterial(
            certificates: encoded, revocationChoices: signedData.revocationChoices)
        signers = signedData.signers.map(ParsedCAdESSigner.init)
        guard Set(signedData.signers.map { Array($0.encoded) }).count == signers.count else {
            throw .format("repeated-signer", "The same signer stands more than once.")
        }
        guard signers.allSatisfy({ $0.signatureTimeStamps.count + $0.archiveTimeStamps.count <= 16 }) else {
            throw .format("too-many-time-stamps", "A signature has at most 16 time stamps.")
        }
    }

    private static func finding(_ error: CMSError) -> Finding {
        switch error {
        case .tooLarge: .format("cms-too-large", "The signature is larger than is read here.")
        case .malformed(let fault, let field):
            .format("cms-malformed", "\(field) is not DER of its structure (\(fault)).")
        case .notSignedData(let type): .format("not-signed-data", "The content is of the type \(type).")
        case .signerCount(let count): .format("signer-count", "The signature has \(count) signers.")
        }
    }
}

/// What one signer's part says, all of it unverified.
struct ParsedCAdESSigner {
    /// Signed attributes of which a verifier need not know more than their form.
    private static let understood: Set<String> = [
        OID.contentType, OID.messageDigest, OID.signingTime, OID.signingCertificate, OID.signingCertificateV2,
        OID.mimeType, OID.signerLocation, OID.contentHints, OID.smimeCapabilities, OID.cmsAlgorithmProtection,
    ]

    let info: CMSSignerInfo
    /// What the signer claims; nil also where it cannot be read, which the check refuses.
    let claimedSigningTime: Instant?
    /// The OIDs of the functions and algorithms, dotted.
    let digestAlgorithm: String
    let signatureAlgorithm: String
    /// TimeStampTokens in DER over the signature's value, not read yet.
    let signatureTimeStamps: [[UInt8]]
    /// TimeStampTokens in DER of archive-time-stamp-v3, not read yet.
    let archiveTimeStamps: [[UInt8]]
    /// The OIDs of signed attributes that are not understood, dotted: the signer may have limited what was signed.
    let notUnderstood: [String]
    /// The OIDs of unsigned attributes that are not looked at, dotted.
    let notExamined: [String]

    init(_ info: CMSSignerInfo) {
        self.info = info
        claimedSigningTime = try? info.attributes?.claimedSigningTime()
        digestAlgorithm = info.digest.oid
        signatureAlgorithm = info.algorithm
        func tokens(_ type: String) -> [[UInt8]] {
            info.unsignedAttributes.filter { $0.type == type }.flatMap(\.values).map { Array($0.encoded) }
        }
        signatureTimeStamps = tokens(OID.signatureTimeStamp)
        archiveTimeStamps = tokens(OID.archiveTimeStampV3)
        notUnderstood = (info.attributes?.all ?? []).map(\.type).filter { !Self.understood.contains($0) }
        notExamined = Set(info.unsignedAttributes.map(\.type))
            .subtracting([OID.signatureTimeStamp, OID.archiveTimeStampV3]).sorted()
    }
}

extension ValidationMaterial {
    /// Certificates, with the CRLs and OCSP responses among these choices; others are passed over.
    init(certificates: [[UInt8]], revocationChoices: [DERElement]) {
        self.init(certificates: certificates)
        for choice in revocationChoices {
            if choice.tag == .sequence {
                crls.append(Array(choice.encoded))
            } else if let response = Self.ocspResponse(choice) {
                ocspResponses.append(response)
            }
        }
    }

    /// The OCSPResponse of an OtherRevocationInfoFormat; some write the BasicOCSPResponse alone, which is put back into
    /// its frame (RFC 5940 §2, RFC 6960 §4.2.1).
    private static func ocspResponse(_ choice: DERElement) -> [UInt8]? {
        var fields = choice.children
        guard let format = try? fields.next(.objectIdentifier).objectIdentifier(),
            let value = try? fields.next(.sequence), fields.isAtEnd
        else { return nil }
        switch format {
        case OID.ocspResponseFormat: return Array(value.encoded)
        case OID.ocspBasic:
            return DER.sequence(
                DER.value(.enumerated, [0]),
                DER.explicit(0, DER.sequence(DER.objectIdentifier(format), DER.octetString(value.encoded))))
        default: return nil
        }
    }
}
