import Certificates
import Crypto
import CryptoExtras
import Development
import Foundation
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

    @Test func `P-384 is signed on with SHA-384, the value in 96 bytes`() throws {
        let secret = P384.Signing.PrivateKey()
        let key = try VerificationKey(subjectPublicKeyInfo: Array(secret.publicKey.derRepresentation))
        let value = Array(try secret.signature(for: SHA384.hash(data: message)).rawRepresentation)
        #expect(value.count == 96)
        try key.verify(signature: value, over: message, algorithm: .ecdsaP384SHA384)
        let short = Array(try secret.signature(for: SHA256.hash(data: message)).rawRepresentation)
        for (bad, fault) in [(short, SignatureError.mismatch), (Array(value.dropLast()), .malformed), ([], .malformed)]
        {
            #expect(throws: fault) { try key.verify(signature: bad, over: message, algorithm: .ecdsaP384SHA384) }
        }
        #expect(throws: SignatureError.wrongKey) {
            try key.verify(signature: value, over: message, algorithm: .ecdsaP256SHA256)
        }
    }

    @Test func `a PSS value has a salt of 32 bytes and no other`() throws {
        let secret = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let key = try VerificationKey(subjectPublicKeyInfo: Array(secret.publicKey.derRepresentation))
        let digest = SHA256.hash(data: message)
        let value = Array(try secret.signature(for: digest, padding: .PSS).rawRepresentation)
        try key.verify(signature: value, over: message, algorithm: .rsaPSSSHA256)
        let scheme = try #require(try SignatureScheme.read(SignatureAlgorithm.rsaPSSSHA256.identifier[...]))
        try key.verify(signature: value[...], over: message[...], scheme: scheme)
        let salted = try opensslPSS(key: secret.pkcs8PEMRepresentation, salt: 32)
        try key.verify(signature: salted, over: message, algorithm: .rsaPSSSHA256)
        let shortSalt = try opensslPSS(key: secret.pkcs8PEMRepresentation, salt: 20)
        let pkcs1 = Array(try secret.signature(for: digest, padding: .insecurePKCS1v1_5).rawRepresentation)
        for bad in [shortSalt, pkcs1, Array(value.reversed())] {
            #expect(throws: SignatureError.mismatch) {
                try key.verify(signature: bad, over: message, algorithm: .rsaPSSSHA256)
            }
        }
        #expect(throws: SignatureError.malformed) {
            try key.verify(signature: value + [0], over: message, algorithm: .rsaPSSSHA256)
        }
    }

    /// A PSS value of `message` by openssl, the foreign signer, with a salt of this length.
    private func opensslPSS(key: String, salt: Int) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pss-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(key.utf8).write(to: folder.appendingPathComponent("key"))
        try Data(message).write(to: folder.appendingPathComponent("message"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.currentDirectoryURL = folder
        process.arguments = [
            "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:\(salt)", "-sign", "key",
            "-out", "value", "message",
        ]
        try process.run()
        process.waitUntilExit()
        return Array(try Data(contentsOf: folder.appendingPathComponent("value")))
    }

    @Test func `of the parameters of PSS one choice is taken, in each of its encodings`() throws {
        func identifier(_ hash: String, _ inner: String, null: (Bool, Bool), salt: UInt64) -> [UInt8] {
            func named(_ oid: String, _ null: Bool) -> [UInt8] {
                DER.sequence(of: [DER.objectIdentifier(oid)] + (null ? [DER.null] : []))
            }
            return DER.sequence(
                DER.objectIdentifier(OID.rsassaPSS),
                DER.sequence(
                    DER.explicit(0, named(hash, null.0)),
                    DER.explicit(1, DER.sequence(DER.objectIdentifier(OID.mgf1), named(inner, null.1))),
                    DER.explicit(2, DER.integer(salt))))
        }
        let sha384 = "2.16.840.1.101.3.4.2.2"
        for first in [true, false] {
            for second in [true, false] {
                let good = identifier(OID.sha256, OID.sha256, null: (first, second), salt: 32)
                #expect(try SignatureScheme.read(good[...])?.family == .rsaPSS)
                for bad in [
                    identifier(OID.sha256, OID.sha256, null: (first, second), salt: 20),
                    identifier(OID.sha256, sha384, null: (first, second), salt: 32),
                    identifier(sha384, OID.sha256, null: (first, second), salt: 32),
                ] {
                    #expect(try SignatureScheme.read(bad[...]) == nil)
                }
            }
        }
        // Without parameters, SHA-1 is meant.
        let defaults = DER.sequence(DER.objectIdentifier(OID.rsassaPSS), DER.sequence())
        #expect(try SignatureScheme.read(defaults[...]) == nil)
    }

    @Test func `a key says which type it is, where a new key may have it`() throws {
        for type in KeyType.allCases {
            let key = try VerificationKey(
                subjectPublicKeyInfo: try DevelopmentKey.make(type).subjectPublicKeyInfo)
            #expect(key.keyType == type)
            #expect(type.algorithms.first == key.signatureAlgorithm)
        }
        let odd = try _RSA.Signing.PrivateKey(keySize: .init(bitCount: 2560))
        #expect(try VerificationKey(subjectPublicKeyInfo: Array(odd.publicKey.derRepresentation)).keyType == nil)
    }

    @Test func `certificates' ECDSA signatures are DER, on both curves and with each hash`() throws {
        let p256 = P256.Signing.PrivateKey()
        let small = try VerificationKey(subjectPublicKeyInfo: Array(p256.publicKey.derRepresentation))
        let p384 = P384.Signing.PrivateKey()
        let large = try VerificationKey(subjectPublicKeyInfo: Array(p384.publicKey.derRepresentation))
        #expect(large.kind == .p384)
        #expect(large.signatureAlgorithm == .ecdsaP384SHA384)
        let scheme = try #require(try SignatureScheme.read(SignatureAlgorithm.ecdsaP256SHA256.identifier[...]))
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
