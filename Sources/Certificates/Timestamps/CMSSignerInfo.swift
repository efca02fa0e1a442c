import HPKI

/// One signer of a SignedData (RFC 5652 §5.3), with signed attributes, which time stamps must have.
struct CMSSignerInfo: Sendable {
    /// How the signer's certificate is named.
    private enum Identifier {
        /// The issuer's Name in DER, and the contents octets of the serial number.
        case issuerAndSerialNumber([UInt8], [UInt8])
        case subjectKeyIdentifier([UInt8])
    }

    /// The function that digested the content.
    let digest: HashIdentifier
    let attributes: CMSSignedAttributes
    private let identifier: Identifier
    private let algorithm: String
    private let scheme: SignatureScheme?
    private let signature: ArraySlice<UInt8>

    /// Reads one SignerInfo.
    init(der: ArraySlice<UInt8>) throws(DERError) {
        var fields = try DERReader.whole(der).children
        let version = try fields.next(.integer).smallInteger()
        if let key = try fields.optional(.contextPrimitive(0)) {
            identifier = .subjectKeyIdentifier(Array(key.contents))
        } else {
            var name = try fields.enter()
            let issuer = Array(try name.next(.sequence).encoded)
            identifier = .issuerAndSerialNumber(issuer, Array(try name.next(.integer).integer()))
            try name.end()
        }
        digest = try HashIdentifier(reading: &fields)
        attributes = try CMSSignedAttributes(try fields.next(.context(0)))
        let algorithmIdentifier = try fields.next(.sequence)
        var inner = algorithmIdentifier.children
        algorithm = try inner.next(.objectIdentifier).objectIdentifier()
        scheme = try Self.scheme(algorithmIdentifier.encoded, digest.algorithm)
        signature = try fields.next(.octetString).contents
        // Unsigned attributes prove nothing of the time that is stated.
        _ = try fields.optional(.context(1))
        try fields.end()
        switch identifier {
        case .issuerAndSerialNumber: guard version == 1 else { throw .invalidValue }
        case .subjectKeyIdentifier: guard version == 3 else { throw .invalidValue }
        }
    }

    /// The scheme, or nil where it is not accepted; rsaEncryption takes the digest's function (RFC 3370 §3.2).
    private static func scheme(
        _ der: ArraySlice<UInt8>, _ digest: DigestAlgorithm?
    ) throws(DERError) -> SignatureScheme? {
        var identifier = try DERReader.whole(der).children
        guard try identifier.next(.objectIdentifier).objectIdentifier() == OID.rsaEncryption else {
            return try SignatureScheme.read(der)
        }
        if let null = try identifier.optional(.null) {
            guard null.contents.isEmpty else { throw .invalidValue }
        }
        try identifier.end()
        return digest.map { SignatureScheme(family: .rsaPKCS1, hash: $0) }
    }

    /// True where the SignerInfo names this certificate; issuers are compared by their bytes.
    func names(_ certificate: HPKICertificate) -> Bool {
        switch identifier {
        case .issuerAndSerialNumber(let issuer, let serial):
            certificate.issuer.der == issuer && certificate.serialNumber == serial
        case .subjectKeyIdentifier(let key): certificate.subjectKeyIdentifier == key
        }
    }

    /// Checks that the signature is by this key and, over the attributes, about `content` (RFC 5652 §5.4 and §5.6).
    ///
    /// Throws `.unsupportedAlgorithm`, also where content and attributes are digested by different functions,
    /// `.wrongContent`, or `.badSignature`.
    func verify(
        over content: ArraySlice<UInt8>, of type: String, by key: VerificationKey
    ) throws(TimeStampFault) {
        guard let function = digest.algorithm else { throw .unsupportedAlgorithm(digest.oid) }
        guard let scheme, scheme.hash == function else { throw .unsupportedAlgorithm(algorithm) }
        guard attributes.contentType == type,
            attributes.messageDigest == Digest(of: Array(content), by: function).bytes
        else { throw .wrongContent }
        do throws(SignatureError) {
            try key.verify(signature: signature, over: attributes.toBeSigned[...], scheme: scheme)
        } catch {
            throw .badSignature(error)
        }
    }
}
