package import HPKI

/// One signer of a SignedData, its parts as they were encoded (RFC 5652 §5.3).
package struct CMSSignerInfo: Sendable {
    /// How the signer's certificate is named.
    private enum Identifier {
        /// The issuer's Name in DER, and the contents octets of the serial number.
        case issuerAndSerialNumber([UInt8], [UInt8])
        case subjectKeyIdentifier([UInt8])
    }

    /// The whole SignerInfo.
    package let encoded: ArraySlice<UInt8>
    /// The fields from version to signature, one behind the other, without a tag around them.
    package let signedFields: ArraySlice<UInt8>
    /// The function that digested the content.
    package let digest: HashIdentifier
    /// The AlgorithmIdentifier of the digest, as encoded.
    package let digestIdentifier: ArraySlice<UInt8>
    /// Nil where the value is over the content itself.
    package let attributes: CMSSignedAttributes?
    /// The OID of the signature's algorithm, dotted.
    package let algorithm: String
    /// Its AlgorithmIdentifier, as encoded.
    package let algorithmIdentifier: ArraySlice<UInt8>
    /// The octets of the signature's value.
    package let signature: ArraySlice<UInt8>
    /// What stands beside the signature, vouched for by nothing.
    package let unsignedAttributes: [CMSAttribute]
    /// 1, or 3 where the signer is named by its key's identifier.
    let version: Int
    private let identifier: Identifier
    /// How the value was made; nil where that is not accepted here.
    package let scheme: SignatureScheme?

    /// Reads one SignerInfo.
    init(_ element: DERElement) throws(DERError) {
        var fields = element.children
        version = try fields.next(.integer).smallInteger()
        if let key = try fields.optional(.contextPrimitive(0)) {
            identifier = .subjectKeyIdentifier(Array(key.contents))
        } else {
            var name = try fields.enter()
            let issuer = Array(try name.next(.sequence).encoded)
            identifier = .issuerAndSerialNumber(issuer, Array(try name.next(.integer).integer()))
            try name.end()
        }
        var lookAhead = fields
        digestIdentifier = try lookAhead.next(.sequence).encoded
        digest = try HashIdentifier(reading: &fields)
        attributes = try fields.optional(.context(0)).map { set throws(DERError) in try CMSSignedAttributes(set) }
        let function = try fields.next(.sequence)
        var inner = function.children
        algorithm = try inner.next(.objectIdentifier).objectIdentifier()
        algorithmIdentifier = function.encoded
        scheme = try Self.scheme(function.encoded, digest.algorithm)
        let value = try fields.next(.octetString)
        signature = value.contents
        unsignedAttributes =
            try fields.optional(.context(1)).map { set throws(DERError) in try CMSAttribute.readList(set) } ?? []
        try fields.end()
        switch identifier {
        case .issuerAndSerialNumber: guard version == 1 else { throw .invalidValue }
        case .subjectKeyIdentifier: guard version == 3 else { throw .invalidValue }
        }
        encoded = element.encoded
        signedFields = element.contents[element.contents.startIndex..<value.encoded.endIndex]
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
    package func names(_ certificate: HPKICertificate) -> Bool {
        switch identifier {
        case .issuerAndSerialNumber(let issuer, let serial):
            certificate.issuer.der == issuer && certificate.serialNumber == serial
        case .subjectKeyIdentifier(let key): certificate.subjectKeyIdentifier == key
        }
    }

    /// The function by which content and signed attributes are digested, where both are by one that is accepted.
    ///
    /// Throws `.unsupportedAlgorithm`.
    package func acceptedFunction() throws(CMSSignerError) -> DigestAlgorithm {
        guard let function = digest.algorithm else { throw .unsupportedAlgorithm(digest.oid) }
        guard let scheme, scheme.hash == function else { throw .unsupportedAlgorithm(algorithm) }
        return function
    }

    /// Checks that the value is by this key over the signed attributes, and these about the content of this type with
    /// this digest, which is by `acceptedFunction` (RFC 5652 §5.4 and §5.6).
    package func verify(
        contentDigest: Digest, type: String, by key: VerificationKey
    ) throws(CMSSignerError) {
        let function = try acceptedFunction()
        guard let attributes, let scheme else { throw .withoutSignedAttributes }
        guard contentDigest.algorithm == function, attributes.contentType == type,
            attributes.messageDigest == contentDigest.bytes
        else { throw .wrongContent }
        do throws(SignatureError) {
            try key.verify(signature: signature, over: attributes.toBeSigned[...], scheme: scheme)
        } catch {
            throw .badSignature(error)
        }
    }
}
