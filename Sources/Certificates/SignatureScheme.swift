package import HPKI

/// How a certificate, CRL or similar was signed, from its AlgorithmIdentifier (RFC 4055 §5, RFC 5758 §3.2).
package struct SignatureScheme: Sendable, Hashable {
    /// The kind of key and padding, apart from the hash function.
    package typealias Family = SignatureAlgorithm.Family

    package let family: Family
    package let hash: DigestAlgorithm

    /// A family with its hash function.
    package init(family: Family, hash: DigestAlgorithm) {
        self.family = family
        self.hash = hash
    }

    /// Reads an AlgorithmIdentifier; nil for well-formed ones that are not accepted here, SHA-1 among them.
    package static func read(_ der: ArraySlice<UInt8>) throws(DERError) -> SignatureScheme? {
        var identifier = try DERReader.whole(der).children
        let scheme: SignatureScheme
        switch try identifier.next(.objectIdentifier).objectIdentifier() {
        case OID.sha256WithRSAEncryption: scheme = SignatureScheme(family: .rsaPKCS1, hash: .sha256)
        case OID.sha384WithRSAEncryption: scheme = SignatureScheme(family: .rsaPKCS1, hash: .sha384)
        case OID.sha512WithRSAEncryption: scheme = SignatureScheme(family: .rsaPKCS1, hash: .sha512)
        case OID.rsassaPSS:
            let parameters = Array(try identifier.next().encoded)
            guard let hash = DigestAlgorithm.allCases.first(where: { pssParameters(of: $0).contains(parameters) })
            else { return nil }
            scheme = SignatureScheme(family: .rsaPSS, hash: hash)
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

    /// The AlgorithmIdentifier in certificates, CMS and certification requests (RFC 4055, RFC 5758 §3.2).
    package var identifier: [UInt8] {
        switch family {
        case .rsaPKCS1:
            let name =
                switch hash {
                case .sha256: OID.sha256WithRSAEncryption
                case .sha384: OID.sha384WithRSAEncryption
                case .sha512: OID.sha512WithRSAEncryption
                }
            return DER.sequence(DER.objectIdentifier(name), DER.null)
        case .rsaPSS:
            return DER.sequence(DER.objectIdentifier(OID.rsassaPSS), Self.pssParameters(of: hash)[0])
        case .ecdsa:
            let name =
                switch hash {
                case .sha256: OID.ecdsaWithSHA256
                case .sha384: OID.ecdsaWithSHA384
                case .sha512: OID.ecdsaWithSHA512
                }
            return DER.sequence(DER.objectIdentifier(name))
        }
    }

    /// The one choice of RSASSA-PSS-params with a hash function: MGF1 on the same, and a salt as long as its digest.
    ///
    /// NULL or nothing may stand behind each name of the function. The first is what is written here; readers must take
    /// all (RFC 4055 §2.1 and §3.1).
    private static func pssParameters(of hash: DigestAlgorithm) -> [[UInt8]] {
        let hashes = [
            DER.sequence(DER.objectIdentifier(hash.oid), DER.null), DER.sequence(DER.objectIdentifier(hash.oid)),
        ]
        return hashes.flatMap { name in
            hashes.map { inner in
                DER.sequence(
                    DER.explicit(0, name), DER.explicit(1, DER.sequence(DER.objectIdentifier(OID.mgf1), inner)),
                    DER.explicit(2, DER.integer(UInt64(hash.byteCount))))
            }
        }
    }
}

extension SignatureAlgorithm {
    /// The same, apart from the curve.
    package var scheme: SignatureScheme { SignatureScheme(family: family, hash: digestAlgorithm) }

    /// The AlgorithmIdentifier in certificates and certification requests (RFC 4055, RFC 5758 §3.2).
    package var identifier: [UInt8] { scheme.identifier }

    /// A value of a holder's key as the BIT STRING of such a structure holds it: r‖s becomes Ecdsa-Sig-Value.
    package func structureValue(of value: [UInt8]) -> [UInt8] {
        switch family {
        case .rsaPKCS1, .rsaPSS: value
        case .ecdsa:
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
