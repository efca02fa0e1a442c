package import HPKI

/// An X.509 certificate of the HPKI or of one of its authorities, read strictly from its DER (RFC 5280 §4.1).
///
/// Reading says nothing about trust: `PathValidator` judges. Two certificates are equal when their bytes are.
package struct HPKICertificate: Sendable, Hashable {
    /// The most bytes a certificate may have.
    package static let byteLimit = 65_536

    /// The bytes as they were given.
    package let der: [UInt8]
    /// The contents octets of the serial number's INTEGER, big-endian; at most 64 octets.
    package let serialNumber: [UInt8]
    package let issuer: DistinguishedName
    package let subject: DistinguishedName
    package let notBefore: Instant
    /// The last second of validity.
    package let notAfter: Instant
    package let publicKey: VerificationKey
    /// SHA-256 of `der`.
    package let fingerprint: Digest
    package let extensions: CertificateExtensions
    private let frame: SignedStructure

    /// Reads one certificate; throws `.tooLarge`, `.malformed`, `.duplicateExtension` or `.unsupportedKey`.
    package init(der: [UInt8]) throws(CertificateError) {
        guard der.count <= Self.byteLimit else { throw .tooLarge }
        let key: [UInt8]
        let extensionList: DERReader?
        do throws(DERError) {
            frame = try SignedStructure(der: der[...])
            var fields = try DERReader.whole(frame.toBeSigned).children
            var version = 0
            if var explicit = try fields.enterOptional(.context(0)) {
                version = try explicit.next(.integer).smallInteger()
                try explicit.end()
                // Version 1 is the default, which DER leaves out.
                guard (1...2).contains(version) else { throw .invalidValue }
            }
            serialNumber = Array(try fields.next(.integer).integer())
            guard serialNumber.count <= 64 else { throw .invalidValue }
            // RFC 5280 §4.1.1.2: the algorithm inside must be the one outside.
            guard try fields.next(.sequence).encoded == frame.algorithm else { throw .invalidValue }
            issuer = try DistinguishedName(der: try fields.next(.sequence).encoded)
            var validity = try fields.enter()
            notBefore = try validity.next().time()
            notAfter = try validity.next().time()
            try validity.end()
            subject = try DistinguishedName(der: try fields.next(.sequence).encoded)
            key = Array(try fields.next(.sequence).encoded)
            if version >= 1 {
                _ = try fields.optional(.contextPrimitive(1))
                _ = try fields.optional(.contextPrimitive(2))
            }
            extensionList = version == 2 ? try fields.enterOptional(.context(3)) : nil
            try fields.end()
        } catch {
            throw .malformed(error, field: "tbsCertificate")
        }
        publicKey = try VerificationKey(subjectPublicKeyInfo: key)
        extensions = try CertificateExtensions(extensionList)
        fingerprint = Digest(of: der)
        self.der = der
    }

    /// The subject's `commonName`: the holder's name in Latin letters.
    package var commonName: String? { subject.commonName }
    /// The health professions' roles of the holder, in the order of the encoding.
    package var roles: [HCRole] { extensions.roles }
    /// The certificate policies' OIDs, dotted.
    package var policies: [String] { extensions.policies }
    /// What the key may be used for; nil where the certificate does not say.
    package var keyUsage: KeyUsage? { extensions.keyUsage }
    /// The identifier of the key that signed this certificate, where it is given.
    package var authorityKeyIdentifier: [UInt8]? { extensions.authorityKeyIdentifier }
    /// The identifier of this certificate's key, where it is given.
    package var subjectKeyIdentifier: [UInt8]? { extensions.subjectKeyIdentifier }
    /// The addresses at which the issuer's CRL is published.
    package var crlDistributionPoints: [String] { extensions.crlDistributionPoints.compactMap(\.uri) }
    /// True where basicConstraints say that the subject may issue certificates.
    package var isCA: Bool { extensions.isCA }
    /// How many authorities may stand between this one and a holder; nil for no limit.
    package var pathLength: Int? { extensions.pathLength }
    /// The OIDs of critical extensions that this project does not understand.
    package var unknownCriticalExtensions: [String] { extensions.unknownCritical }
    /// The directoryName of subjectAltName: the holder's name and organisation in Japanese.
    package var alternativeDirectoryName: DistinguishedName? { extensions.alternativeDirectoryName }
    /// The holder's name in Japanese.
    package var japaneseName: String? { alternativeDirectoryName?.commonName }
    /// The serial number in hexadecimal, as registers print it.
    package var serialHex: String { Hex.encode(serialNumber) }
    /// True where subject and issuer are the same name.
    package var isSelfIssued: Bool { subject == issuer }
    /// The certificate as a PEM block (RFC 7468 §5).
    package var pem: String { PEM.encode(der, label: PEM.certificateLabel) }

    /// True where the certificate says that it is signed by an algorithm that is accepted here.
    package var hasAcceptedAlgorithm: Bool { frame.scheme != nil }

    /// How the certificate says that it is signed; nil for what is not accepted here.
    package var signatureScheme: SignatureScheme? { frame.scheme }

    /// Checks this certificate's signature with the key of its would-be issuer, and nothing else.
    ///
    /// RSA over SHA-1 is refused unless `acceptingSHA1`; no path that this project trusts accepts it.
    package func verifySignature(by issuer: VerificationKey, acceptingSHA1: Bool = false) throws(SignatureError) {
        try frame.verify(by: issuer, acceptingSHA1: acceptingSHA1)
    }

    /// Reads the certificates of a file: one in DER, or one or more PEM blocks.
    package static func read(file: [UInt8]) throws(CertificateError) -> [HPKICertificate] {
        guard file.first != DERTag.sequence.identifier else { return [try HPKICertificate(der: file)] }
        guard let blocks = PEM.decode(file, label: PEM.certificateLabel), !blocks.isEmpty else { throw .invalidPEM }
        var certificates: [HPKICertificate] = []
        for block in blocks { certificates.append(try HPKICertificate(der: block)) }
        return certificates
    }

    package static func == (left: HPKICertificate, right: HPKICertificate) -> Bool { left.der == right.der }

    package func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }
}
