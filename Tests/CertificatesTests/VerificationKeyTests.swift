import Certificates
import Crypto
import CryptoExtras
import Development
import HPKI
import Testing

@Suite struct VerificationKeyTests {
    private let message = Array("印".utf8)

    @Test(arguments: [2048, 3072, 4096])
    func `RSA signatures verify, and nothing near them does`(_ bits: Int) throws {
        let secret = try _RSA.Signing.PrivateKey(keySize: .init(bitCount: bits))
        let key = try VerificationKey(subjectPublicKeyInfo: Array(secret.publicKey.derRepresentation))
        #expect(key.kind == .rsa(bits: bits))
        #expect(key.signatureAlgorithm == .rsaPKCS1SHA256)
        let signature = Array(
            try secret.signature(for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5).rawRepresentation)
        try key.verify(signature: signature, over: message, algorithm: .rsaPKCS1SHA256)
        #expect(throws: SignatureError.mismatch) {
            try key.verify(signature: signature, over: message + [0], algorithm: .rsaPKCS1SHA256)
        }
        #expect(throws: SignatureError.malformed) {
            try key.verify(signature: [0] + signature, over: message, algorithm: .rsaPKCS1SHA256)
        }
        #expect(throws: SignatureError.malformed) {
            try key.verify(signature: [], over: message, algorithm: .rsaPKCS1SHA256)
        }
        #expect(throws: SignatureError.wrongKey) {
            try key.verify(signature: signature, over: message, algorithm: .ecdsaP256SHA256)
        }
        let pss = Array(try secret.signature(for: SHA256.hash(data: message), padding: .PSS).rawRepresentation)
        #expect(throws: SignatureError.mismatch) {
            try key.verify(signature: pss, over: message, algorithm: .rsaPKCS1SHA256)
        }
    }

    @Test func `ECDSA signatures are r and s side by side for holders`() throws {
        let secret = P256.Signing.PrivateKey()
        let key = try VerificationKey(subjectPublicKeyInfo: Array(secret.publicKey.derRepresentation))
        let value = try secret.signature(for: SHA256.hash(data: message))
        try key.verify(signature: Array(value.rawRepresentation), over: message, algorithm: .ecdsaP256SHA256)
        #expect(throws: SignatureError.malformed) {
            try key.verify(signature: Array(value.derRepresentation), over: message, algorithm: .ecdsaP256SHA256)
        }
        #expect(throws: SignatureError.mismatch) {
            try key.verify(signature: Array(value.rawRepresentation), over: [], algorithm: .ecdsaP256SHA256)
        }
        #expect(throws: SignatureError.wrongKey) {
            try key.verify(signature: Array(value.rawRepresentation), over: message, algorithm: .rsaPKCS1SHA256)
        }
    }

    @Test func `certificates' ECDSA signatures are DER, on both curves and with each hash`() throws {
        let p256 = P256.Signing.PrivateKey()
        let small = try VerificationKey(subjectPublicKeyInfo: Array(p256.publicKey.derRepresentation))
        let p384 = P384.Signing.PrivateKey()
        let large = try VerificationKey(subjectPublicKeyInfo: Array(p384.publicKey.derRepresentation))
        #expect(large.kind == .p384)
        #expect(large.signatureAlgorithm == nil)
        let scheme = try #require(try SignatureScheme.read(SignatureScheme.ecdsaWithSHA256[...]))
        let first = Array(try p256.signature(for: SHA256.hash(data: message)).derRepresentation)
        try small.verify(signature: first[...], over: message[...], scheme: scheme)
        let other = DER.sequence(DER.objectIdentifier(OID.ecdsaWithSHA384))
        let stronger = try #require(try SignatureScheme.read(other[...]))
        let second = Array(try p384.signature(for: SHA384.hash(data: message)).derRepresentation)
        try large.verify(signature: second[...], over: message[...], scheme: stronger)
        #expect(throws: SignatureError.mismatch) {
            try large.verify(signature: second[...], over: message[...], scheme: scheme)
        }
        #expect(throws: SignatureError.malformed) {
            try small.verify(signature: (first + [0])[...], over: message[...], scheme: scheme)
        }
    }

    @Test func `short, long, foreign and broken keys are refused`() throws {
        let short = try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024))
        #expect(throws: CertificateError.unsupportedKey("RSA of 1024 bits")) {
            _ = try VerificationKey(subjectPublicKeyInfo: Array(short.publicKey.derRepresentation))
        }
        let p521 = P521.Signing.PrivateKey()
        #expect(throws: CertificateError.self) {
            _ = try VerificationKey(subjectPublicKeyInfo: Array(p521.publicKey.derRepresentation))
        }
        var point = Array(P256.Signing.PrivateKey().publicKey.derRepresentation)
        point[point.count - 1] ^= 1
        #expect(throws: CertificateError.unsupportedKey("not a point of P-256")) {
            _ = try VerificationKey(subjectPublicKeyInfo: point)
        }
        let spki = try Shared.holderKey.get().subjectPublicKeyInfo
        for count in 0..<spki.count {
            #expect(throws: CertificateError.self) {
                _ = try VerificationKey(subjectPublicKeyInfo: Array(spki[..<count]))
            }
        }
    }

    @Test func `SHA-1 signatures are not accepted`() throws {
        let sha1 = DER.sequence(DER.objectIdentifier("1.2.840.113549.1.1.5"), DER.null)
        #expect(try SignatureScheme.read(sha1[...]) == nil)
    }
}
