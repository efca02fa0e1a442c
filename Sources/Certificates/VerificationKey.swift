internal import Crypto
internal import CryptoExtras
import Foundation
package import HPKI

/// A public key, parsed and checked once, that verifies many signatures.
///
/// RSA of 2048 to 4096 bits, and points on P-256 and P-384; two keys are equal when their encodings are.
package struct VerificationKey: Sendable, Hashable {
    /// What the key is, as far as algorithms depend on it.
    package enum Kind: Sendable, Hashable {
        case rsa(bits: Int)
        case p256
        case p384
    }

    private enum Parsed: Sendable {
        case rsa(_RSA.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
    }

    /// The SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7).
    package let subjectPublicKeyInfo: [UInt8]
    package let kind: Kind
    /// SHA-1 of the BIT STRING's octets, the key identifier of RFC 5280 §4.2.1.2 method (1); a name, not a protection.
    package let keyIdentifier: [UInt8]
    private let parsed: Parsed

    /// The octets of the BIT STRING, the key without its algorithm.
    package var keyOctets: [UInt8] { (try? Self.read(subjectPublicKeyInfo)).map { Array($0.bits) } ?? [] }

    /// Reads a SubjectPublicKeyInfo; throws `.malformed`, or `.unsupportedKey` for other kinds and sizes.
    package init(subjectPublicKeyInfo der: [UInt8]) throws(CertificateError) {
        let algorithm: String
        let curve: String?
        let bits: ArraySlice<UInt8>
        do {
            (algorithm, curve, bits) = try Self.read(der)
        } catch {
            throw .malformed(error, field: "subjectPublicKeyInfo")
        }
        switch (algorithm, curve) {
        case (OID.rsaEncryption, nil):
            let bitCount: Int
            do {
                bitCount = try Self.sizeOfRSAKey(bits)
            } catch {
                throw .malformed(error, field: "subjectPublicKey")
            }
            guard (2048...4096).contains(bitCount), bitCount.isMultiple(of: 8) else {
                throw .unsupportedKey("RSA of \(bitCount) bits")
            }
            guard let key = try? _RSA.Signing.PublicKey(derRepresentation: der) else {
                throw .unsupportedKey("RSA with unusual numbers")
            }
            kind = .rsa(bits: bitCount)
            parsed = .rsa(key)
        case (OID.ecPublicKey, OID.prime256v1):
            guard let key = try? P256.Signing.PublicKey(x963Representation: bits) else {
                throw .unsupportedKey("not a point of P-256")
            }
            kind = .p256
            parsed = .p256(key)
        case (OID.ecPublicKey, OID.secp384r1):
            guard let key = try? P384.Signing.PublicKey(x963Representation: bits) else {
                throw .unsupportedKey("not a point of P-384")
            }
            kind = .p384
            parsed = .p384(key)
        default:
            throw .unsupportedKey("algorithm \(algorithm)" + (curve.map { ", curve \($0)" } ?? ""))
        }
        subjectPublicKeyInfo = der
        keyIdentifier = Array(Insecure.SHA1.hash(data: bits))
    }

    /// The type by which configuration and registry name this key; nil for RSA of a size that no new key has.
    package var keyType: KeyType? {
        switch kind {
        case .rsa(let bits): KeyType.allCases.first { $0.modulusBits == bits }
        case .p256: .p256
        case .p384: .p384
        }
    }

    /// The algorithm that a key of this kind usually signs with.
    package var signatureAlgorithm: SignatureAlgorithm {
        switch kind {
        case .rsa: .rsaPKCS1SHA256
        case .p256: .ecdsaP256SHA256
        case .p384: .ecdsaP384SHA384
        }
    }

    /// Checks a holder's signature; an ECDSA value is r‖s, each as long as the curve's order (RFC 6931 §2.3.6).
    package func verify(
        signature: [UInt8], over message: [UInt8], algorithm: SignatureAlgorithm
    ) throws(SignatureError) {
        switch (parsed, algorithm) {
        case (.rsa, _) where algorithm.family != .ecdsa:
            try verify(signature: signature[...], over: message[...], scheme: algorithm.scheme)
        case (.p256(let key), .ecdsaP256SHA256):
            guard let value = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { throw .malformed }
            guard key.isValidSignature(value, for: SHA256.hash(data: message)) else { throw .mismatch }
        case (.p384(let key), .ecdsaP384SHA384):
            guard let value = try? P384.Signing.ECDSASignature(rawRepresentation: signature) else { throw .malformed }
            guard key.isValidSignature(value, for: SHA384.hash(data: message)) else { throw .mismatch }
        default:
            throw .wrongKey
        }
    }

    /// Checks the signature of a certificate, CRL or similar; an ECDSA value is DER (RFC 5480, RFC 4055).
    package func verify(
        signature: ArraySlice<UInt8>, over message: ArraySlice<UInt8>, scheme: SignatureScheme
    ) throws(SignatureError) {
        switch scheme.hash {
        case .sha256: try verify(signature, digest: SHA256.hash(data: message), scheme.family)
        case .sha384: try verify(signature, digest: SHA384.hash(data: message), scheme.family)
        case .sha512: try verify(signature, digest: SHA512.hash(data: message), scheme.family)
        }
    }

    /// Checks an RSA PKCS #1 v1.5 signature over SHA-1, which proves nothing about live data.
    func verifySHA1(signature: ArraySlice<UInt8>, over message: ArraySlice<UInt8>) throws(SignatureError) {
        guard case .rsa(let key) = parsed else { throw .wrongKey }
        try Self.verifyRSA(key, signature, Insecure.SHA1.hash(data: message), .insecurePKCS1v1_5)
    }

    private func verify(
        _ signature: ArraySlice<UInt8>, digest: some Crypto.Digest, _ family: SignatureScheme.Family
    ) throws(SignatureError) {
        switch (parsed, family) {
        case (.rsa(let key), .rsaPKCS1):
            try Self.verifyRSA(key, signature, digest, .insecurePKCS1v1_5)
        case (.rsa(let key), .rsaPSS):
            try Self.verifyRSA(key, signature, digest, .PSS)
        case (.p256(let key), .ecdsa):
            guard let raw = Self.rawSignature(signature, coordinateBytes: 32),
                let value = try? P256.Signing.ECDSASignature(rawRepresentation: raw)
            else { throw .malformed }
            guard key.isValidSignature(value, for: digest) else { throw .mismatch }
        case (.p384(let key), .ecdsa):
            guard let raw = Self.rawSignature(signature, coordinateBytes: 48),
                let value = try? P384.Signing.ECDSASignature(rawRepresentation: raw)
            else { throw .malformed }
            guard key.isValidSignature(value, for: digest) else { throw .mismatch }
        default:
            throw .wrongKey
        }
    }

    private static func verifyRSA(
        _ key: _RSA.Signing.PublicKey, _ signature: ArraySlice<UInt8>, _ digest: some Crypto.Digest,
        _ padding: _RSA.Signing.Padding
    ) throws(SignatureError) {
        // RFC 8017 §8.1.2 and §8.2.2, step 1: as long as the modulus, no more, no less.
        guard signature.count == key.keySizeInBits / 8 else { throw .malformed }
        let value = _RSA.Signing.RSASignature(rawRepresentation: signature)
        guard key.isValidSignature(value, for: digest, padding: padding) else { throw .mismatch }
    }

    private static func read(
        _ der: [UInt8]
    ) throws(DERError) -> (algorithm: String, curve: String?, bits: ArraySlice<UInt8>) {
        var info = try DERReader.whole(der[...]).children
        var identifier = try info.enter()
        let bits = try info.next(.bitString).octetsOfBitString()
        try info.end()
        let algorithm = try identifier.next(.objectIdentifier).objectIdentifier()
        var curve: String?
        if algorithm == OID.rsaEncryption {
            // RFC 3279 §2.3.1: the parameters are NULL.
            guard try identifier.next(.null).contents.isEmpty else { throw .invalidValue }
        } else if algorithm == OID.ecPublicKey {
            // RFC 5480 §2.1.1: named curves only.
            curve = try identifier.next(.objectIdentifier).objectIdentifier()
        } else {
            return (algorithm, nil, bits)
        }
        try identifier.end()
        return (algorithm, curve, bits)
    }

    private static func sizeOfRSAKey(_ bits: ArraySlice<UInt8>) throws(DERError) -> Int {
        var key = try DERReader.whole(bits).children
        let modulus = try key.next(.integer).integer().drop { $0 == 0 }
        let exponent = try key.next(.integer).integer()
        try key.end()
        guard let first = modulus.first, let last = exponent.last, last & 1 == 1, exponent.count <= 5 else {
            throw .invalidValue
        }
        return modulus.count * 8 - first.leadingZeroBitCount
    }

    /// `Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }` as r‖s, or nil.
    private static func rawSignature(_ der: ArraySlice<UInt8>, coordinateBytes: Int) -> [UInt8]? {
        guard var pair = try? DERReader.whole(der).children else { return nil }
        var raw: [UInt8] = []
        for _ in 0..<2 {
            guard let number = try? pair.next(.integer).integer(), number.first.map({ $0 < 0x80 }) == true else {
                return nil
            }
            let magnitude = number.drop { $0 == 0 }
            guard magnitude.count <= coordinateBytes else { return nil }
            raw += [UInt8](repeating: 0, count: coordinateBytes - magnitude.count) + magnitude
        }
        return pair.isAtEnd ? raw : nil
    }

    package static func == (left: VerificationKey, right: VerificationKey) -> Bool {
        left.subjectPublicKeyInfo == right.subjectPublicKeyInfo
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(subjectPublicKeyInfo) }
}
