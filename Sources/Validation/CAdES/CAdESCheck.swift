internal import Certificates
internal import Formats
internal import HPKI

/// Digests, signature value and the binding of the certificate of one CMS signer: everything but trust.
struct CAdESCheck {
    /// What was signed.
    struct Coverage {
        let isAttached: Bool
        /// How many octets; nil where nothing but their digest is at hand.
        let byteCount: Int?
    }

    /// A time stamp over the signature's value, its token not read yet.
    struct SignatureTimeStamp {
        let token: [UInt8]
        /// What the token must be of.
        let octets: [UInt8]
    }

    let certificate: HPKICertificate
    /// Other certificates that came along; nothing vouches for them.
    let others: [HPKICertificate]
    let claimedSigningTime: Instant?
    let digestAlgorithm: DigestAlgorithm
    let scheme: SignatureScheme
    let coverage: Coverage
    let signatureTimeStamps: [SignatureTimeStamp]
    /// In the order of the times that they state.
    let archiveTimeStamps: [CAdESArchiveTimeStamp]
    /// What was kept of third parties, without the signer's own certificate.
    let material: ValidationMaterial
    /// OIDs of signed attributes that are not understood, and of unsigned ones that were not looked at.
    let notUnderstood: [String]
    let notExamined: [String]

    /// Checks the signer of this index over `content`; throws the first thing that does not hold.
    init(
        _ parsed: ParsedCAdES, signer index: Int = 0, content: CAdESContent,
        _ budget: JudgementBudget = JudgementBudget()
    ) throws(Finding) {
        try budget.mustBeInTime()
        guard parsed.signers.indices.contains(index) else {
            throw .format("signer-count", "The signature has no signer of this number.")
        }
        let signer = parsed.signers[index]
        let info = signer.info
        let attributes = try Self.attributes(of: info, in: parsed)
        let certificate = try Self.certificate(of: info, attributes, among: parsed.certificates)
        let function: DigestAlgorithm
        do throws(CMSSignerError) {
            function = try info.acceptedFunction()
        } catch {
            throw Self.finding(error)
        }
        guard parsed.signedData.lists(functionOf: info), let scheme = info.scheme else {
            throw .format("digest-algorithm-not-listed", "SignedData does not list the signer's digest algorithm.")
        }
        let digest = try content.digest(of: parsed.signedData, by: function)
        do throws(CMSSignerError) {
            try info.verify(
                contentDigest: digest, type: parsed.signedData.contentType, by: certificate.publicKey)
        } catch {
            throw Self.finding(error)
        }
        self.certificate = certificate
        self.scheme = scheme
        digestAlgorithm = function
        others = parsed.certificates.filter { $0 != certificate }
        claimedSigningTime = signer.claimedSigningTime
        let octets = parsed.signedData.content?.count ?? content.octets?.count
        coverage = Coverage(isAttached: parsed.signedData.content != nil, byteCount: octets)
        let value = Array(info.signature)
        signatureTimeStamps = signer.signatureTimeStamps.map { SignatureTimeStamp(token: $0, octets: value) }
        var archives: [CAdESArchiveTimeStamp] = []
        for token in signer.archiveTimeStamps {
            // Each digests the content anew.
            try budget.mustBeInTime()
            archives.append(CAdESArchiveTimeStamp(token, of: info, in: parsed.signedData, content: content))
        }
        archiveTimeStamps = archives.sorted {
            ($0.statedTime?.milliseconds ?? .max) < ($1.statedTime?.milliseconds ?? .max)
        }
        var material = parsed.material
        material.certificates.removeAll { $0 == certificate.der }
        self.material = material
        notUnderstood = signer.notUnderstood
        notExamined = signer.notExamined
    }

    /// The signed attributes, which CAdES demands, with what they must hold (ETSI EN 319 122-1 §6.3 as recalled).
    private static func attributes(
        of info: CMSSignerInfo, in parsed: ParsedCAdES
    ) throws(Finding) -> CMSSignedAttributes {
        guard let attributes = info.attributes else {
            throw .format("signed-attributes-missing", "The signer signed no attributes.")
        }
        guard parsed.signedData.contentType == OID.cmsData, attributes.contentType == OID.cmsData else {
            throw .format("content-type-not-data", "The content is of another type than data.")
        }
        guard (try? attributes.claimedSigningTime()) != nil || attributes.attribute(OID.signingTime) == nil else {
            throw .format("signing-time-malformed", "The claimed signing time cannot be read.")
        }
        guard !attributes.signingCertificates.isEmpty else {
            throw .format("signing-certificate-missing", "No signed attribute names the signer's certificate.")
        }
        if let protection = attributes.attribute(OID.cmsAlgorithmProtection) {
            // RFC 6211 §2: the very identifiers, the signature's under [1] IMPLICIT.
            let expected =
                [UInt8](info.digestIdentifier) + [DERTag.context(1).identifier] + info.algorithmIdentifier.dropFirst()
            guard protection.values.count == 1, protection.values.first.map({ Array($0.contents) }) == expected else {
                throw .failed(
                    .signatureCryptoFailure, "algorithms-not-signed", "The signed attributes name other algorithms.")
            }
        }
        return attributes
    }

    /// The certificate that the SignerInfo names and the signed attributes bind (RFC 5035 §5.4).
    private static func certificate(
        of info: CMSSignerInfo, _ attributes: CMSSignedAttributes, among certificates: [HPKICertificate]
    ) throws(Finding) -> HPKICertificate {
        let named = certificates.filter(info.names)
        guard !named.isEmpty else {
            throw .unknown(
                .noSigningCertificate, "no-signing-certificate",
                "The signature holds no certificate of its signer that can be read.")
        }
        let bound = named.first { certificate in attributes.signingCertificates.allSatisfy { $0.names(certificate) } }
        guard let bound else {
            throw .failed(
                .signatureCryptoFailure, "certificate-not-bound",
                "The signed attributes name another certificate than the signature holds.")
        }
        return bound
    }

    private static func finding(_ error: CMSSignerError) -> Finding {
        switch error {
        case .unsupportedAlgorithm(let oid):
            // As in XML: what is not accepted was not looked at, and nothing is known of it.
            .unknown(
                .cryptoConstraintsFailure, "algorithm-not-accepted",
                "The algorithm \(oid) is not accepted, or not together with the other one.")
        case .withoutSignedAttributes: .format("signed-attributes-missing", "The signer signed no attributes.")
        case .wrongContent: .failed(.hashFailure, "digest-mismatch", "The content is not what was signed.")
        case .badSignature(.unsupportedAlgorithm):
            .unknown(.cryptoConstraintsFailure, "algorithm-not-accepted", "The algorithm is not accepted.")
        case .badSignature:
            .failed(.signatureCryptoFailure, "signature-value-mismatch", "The signature value does not hold.")
        }
    }
}

/// What is at hand of a content that may be kept apart from its signature.
struct CAdESContent {
    /// All of it, where it is at hand.
    var octets: [UInt8]?
    /// Its digests by one or more functions, where it is not.
    var digests: [Digest] = []

    /// The digest of the content, attached or at hand, by this function; throws where it cannot be known, or where the
    /// attached content is not the one at hand.
    func digest(of signedData: CMSSignedData, by function: DigestAlgorithm) throws(Finding) -> Digest {
        let held = octets.map { Digest(of: $0, by: function) } ?? digests.first { $0.algorithm == function }
        guard let attached = signedData.content else {
            guard let held else {
                throw .unknown(
                    .signedDataNotFound, "content-missing",
                    "The signature is detached, and neither its content nor a digest by \(function) is at hand.")
            }
            return held
        }
        let digest = Digest(of: Array(attached), by: function)
        let others = digests.filter { $0 != Digest(of: Array(attached), by: $0.algorithm) }
        guard held == nil || held == digest, others.isEmpty else {
            throw .failed(.hashFailure, "digest-mismatch", "The attached content is not the one that was given.")
        }
        return digest
    }
}
