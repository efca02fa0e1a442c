package import Certificates
package import HPKI

/// A CAdES baseline signature of level B-B before its value is known (ETSI EN 319 122-1 §6.3 as recalled; the structures
/// are those of RFC 5652 §5 and RFC 5035).
///
/// One signer; signed attributes content-type, message-digest, signing-time and signing-certificate-v2. Every byte follows
/// from the inputs, so two processes build the same signature apart from each other.
package struct CAdESSignature: Sendable, Hashable {
    /// The digest of the content's octets, which need not be known here.
    package let contentDigest: Digest
    package let algorithm: SignatureAlgorithm
    private let certificate: HPKICertificate
    private let signedAttributes: [UInt8]

    /// Takes the inputs, `signingTime` cut to whole seconds; throws `.timeOutOfRange`, and `.digestAlgorithmNotOfForm`
    /// where content and signed attributes would be hashed differently (RFC 5652 §5.3 names one function for both).
    package init(
        contentDigest: Digest, certificate: HPKICertificate, signingTime: Instant, algorithm: SignatureAlgorithm
    ) throws(FormatError) {
        guard signingTime.civil != nil else { throw .timeOutOfRange }
        guard contentDigest.algorithm == algorithm.digestAlgorithm else { throw .digestAlgorithmNotOfForm }
        self.contentDigest = contentDigest
        self.certificate = certificate
        self.algorithm = algorithm
        signedAttributes = DER.set(of: [
            CMSEncoding.attribute(OID.contentType, DER.objectIdentifier(OID.cmsData)),
            CMSEncoding.attribute(OID.messageDigest, DER.octetString(contentDigest.bytes)),
            CMSEncoding.attribute(OID.signingTime, DER.time(signingTime)),
            // RFC 5035 §3: SHA-256 is the default, so DER leaves it away; §4 leaves the issuer and serial to the signer.
            CMSEncoding.attribute(
                OID.signingCertificateV2,
                DER.sequence(DER.sequence(DER.sequence(DER.octetString(Digest(of: certificate.der).bytes))))),
        ])
    }

    /// The signed attributes as a SET OF in DER: what the key signs (RFC 5652 §5.4).
    package var bytesToSign: [UInt8] { signedAttributes }

    /// The ContentInfo in DER around the value that the key made: RSA octets, or r‖s for ECDSA.
    ///
    /// With `content` the signature is attached, and its octets must be those that `contentDigest` is of; without, it is
    /// detached. `chain` are further certificates in DER that help a verifier. Throws `.contentNotOfDigest`.
    package func assemble(
        value: [UInt8], content: [UInt8]? = nil, chain: [[UInt8]] = []
    ) throws(FormatError) -> [UInt8] {
        if let content {
            guard Digest(of: content, by: contentDigest.algorithm) == contentDigest else { throw .contentNotOfDigest }
        }
        // Without parameters, as RFC 5754 §2 asks of writers.
        let digestAlgorithm = DER.sequence(DER.objectIdentifier(contentDigest.algorithm.oid))
        let signer = CMSEncoding.signerInfo(
            certificate, digestAlgorithm: digestAlgorithm, signedAttributes: signedAttributes,
            signatureAlgorithm: algorithm.identifier, value: algorithm.structureValue(of: value))
        return CMSEncoding.contentInfo(
            digestAlgorithm: digestAlgorithm, contentType: OID.cmsData, content: content,
            certificates: [certificate.der] + chain, signers: [signer])
    }
}
