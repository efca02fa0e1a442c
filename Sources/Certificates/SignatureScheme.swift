package import HPKI

/// How a certificate, CRL or similar was signed, from its AlgorithmIdentifier (RFC 4055 §5, RFC 5758 §3.2).
package struct SignatureScheme: Sendable, Hashable {
    /// The kind of key and padding, apart from the hash function.
    package enum Family: Sendable, Hashable {
        case rsaPKCS1
        /// With MGF1 on the same hash function and a salt as long as its digest.
        case rsaPSS
        case ecdsa
    }

    package let family: Family
    package let hash: DigestAlgorithm

    /// Reads an AlgorithmIdentifier; nil for well-formed ones that are not accepted here, SHA-1 among them.
    package static func read(_ der: ArraySlice<UInt8>) throws(DERError) -> SignatureScheme? {
        var identifier = try DERReader.whole(der).children
        let scheme: SignatureScheme
        switch try identifier.next(.objectIdentifier).objectIdentifier() {
        case OID.sha256WithRSAEncryption: scheme = SignatureScheme(family: .rsaPKCS1, hash: .sha256)
        case OID.sha384WithRSAEncryption: scheme = SignatureScheme(family: .rsaPKCS1, hash: .sha384)
        case OID.sha512WithRSAEncryption: scheme = SignatureScheme(family: .rsaPKCS1, hash: .sha512)
        case OID.rsassaPSS:
            guard pssParameters.contains(Array(try identifier.next().encoded)) else { return nil }
            scheme = SignatureScheme(family: .rsaPSS, hash: .sha256)
        case OID.ecdsaWithSHA256: scheme = SignatureScheme(family: .ecdsa, hash: .sha256)
        case OID.ecdsaWithSHA384: scheme = SignatureScheme(family: .ecdsa, hash: .sha384)
        case OID.ecdsaWithSHA512: scheme = SignatureScheme(family: .ecdsa, hash: .sha512)
        default: return nil
        }
        // NULL or nothing for RSA (RFC 4055 §5), nothing for ECDSA (RFC 5758 §3.2).
        if scheme.family == .rsaPKCS1, let null = try identifier.optional(.null) {
            guard null.contents.isEmpty else { throw .invalidValue }
        }
        try identifier.end()
        return scheme
    }

    /// The AlgorithmIdentifier of sha256WithRSAEncryption, as the HPKI authorities write it.
    package static let sha256WithRSA: [UInt8] = DER.sequence(
        DER.objectIdentifier(OID.sha256WithRSAEncryption), DER.null)

    /// The AlgorithmIdentifier of RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.
    package static let pssWithSHA256: [UInt8] = DER.sequence(DER.objectIdentifier(OID.rsassaPSS), pssParameters[0])

    /// The AlgorithmIdentifier of ecdsa-with-SHA256.
    package static let ecdsaWithSHA256: [UInt8] = DER.sequence(DER.objectIdentifier(OID.ecdsaWithSHA256))

    /// The AlgorithmIdentifier of ecdsa-with-SHA384.
    package static let ecdsaWithSHA384: [UInt8] = DER.sequence(DER.objectIdentifier(OID.ecdsaWithSHA384))

    /// The one choice of RSASSA-PSS-params in its encodings: NULL or nothing behind each name of the hash function.
    ///
    /// The first is what is written here; readers must take all (RFC 4055 §2.1 and §3.1).
    private static let pssParameters: [[UInt8]] = {
        let hashes = [
            DER.sequence(DER.objectIdentifier(OID.sha256), DER.null), DER.sequence(DER.objectIdentifier(OID.sha256)),
        ]
        return hashes.flatMap { hash in
            hashes.map { inner in
                DER.sequence(
                    DER.explicit(0, hash), DER.explicit(1, DER.sequence(DER.objectIdentifier(OID.mgf1), inner)),
                    DER.explicit(2, DER.integer(32)))
            }
        }
    }()
}

extension SignatureAlgorithm {
    /// The AlgorithmIdentifier in certificates and certification requests (RFC 4055, RFC 5758 §3.2).
    package var identifier: [UInt8] {
        switch self {
        case .rsaPKCS1SHA256: SignatureScheme.sha256WithRSA
        case .rsaPSSSHA256: SignatureScheme.pssWithSHA256
        case .ecdsaP256SHA256: SignatureScheme.ecdsaWithSHA256
        case .ecdsaP384SHA384: SignatureScheme.ecdsaWithSHA384
        }
    }

    /// A value of a holder's key as the BIT STRING of such a structure holds it: r‖s becomes Ecdsa-Sig-Value.
    package func structureValue(of value: [UInt8]) -> [UInt8] {
        switch self {
        case .rsaPKCS1SHA256, .rsaPSSSHA256: value
        case .ecdsaP256SHA256, .ecdsaP384SHA384:
            DER.sequence(DER.integer(value.prefix(value.count / 2)), DER.integer(value.dropFirst(value.count / 2)))
        }
    }
}

/// `SEQUENCE { toBeSigned, signatureAlgorithm, signature BIT STRING }`, the frame of certificates and CRLs.
package struct SignedStructure: Sendable {
    /// The bytes that were signed, with their tag and length.
    package let toBeSigned: ArraySlice<UInt8>
    /// The AlgorithmIdentifier beside the signature, encoded.
    package let algorithm: ArraySlice<UInt8>
    /// The algorithm, or nil where it is not accepted here.
    package let scheme: SignatureScheme?
    package let signature: ArraySlice<UInt8>

    /// Reads the frame; what it frames is left to the caller.
    package init(der: ArraySlice<UInt8>) throws(DERError) {
        var outer = try DERReader.whole(der).children
        try self.init(reading: &outer)
        try outer.end()
    }

    /// Reads the three parts of a structure that may have more behind them.
    package init(reading outer: inout DERReader) throws(DERError) {
        toBeSigned = try outer.next(.sequence).encoded
        algorithm = try outer.next(.sequence).encoded
        signature = try outer.next(.bitString).octetsOfBitString()
        scheme = try SignatureScheme.read(algorithm)
    }

    /// Checks the signature with the key of the one who should have made it.
    ///
    /// RSA over SHA-1 is refused with `.unsupportedAlgorithm` unless `acceptingSHA1`, which is for the vectors of a time
    /// when it was in use.
    package func verify(by key: VerificationKey, acceptingSHA1: Bool = false) throws(SignatureError) {
        guard let scheme else {
            guard acceptingSHA1, Self.sha1WithRSA.contains(Array(algorithm)) else { throw .unsupportedAlgorithm }
            return try key.verifySHA1(signature: signature, over: toBeSigned)
        }
        try key.verify(signature: signature, over: toBeSigned, scheme: scheme)
    }

    /// With NULL behind the name and, as some wrote it, without.
    private static let sha1WithRSA = [
        DER.sequence(DER.objectIdentifier(OID.sha1WithRSAEncryption), DER.null),
        DER.sequence(DER.objectIdentifier(OID.sha1WithRSAEncryption)),
    ]
}
