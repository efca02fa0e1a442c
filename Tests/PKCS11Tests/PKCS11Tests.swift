import Crypto
import CryptoExtras
import Foundation
import Glibc
import HPKI
import PKCS11
import Testing

/// Everything that needs the module, one test after another: the shim's faults reach all of a process.
@Suite(.serialized) struct PKCS11Tests {}

extension PKCS11Tests {
    @Suite struct Module {
        @Test func `a path that is no module is refused with the loader's words`() async {
            await #expect { _ = try await PKCS11Module.load(path: "/nonexistent/module.so") } throws: {
                guard case PKCS11Error.loadFailed(let reason) = $0 else { return false }
                return reason.contains("/nonexistent/module.so")
            }
            await #expect(throws: PKCS11Error.loadFailed("no C_GetFunctionList in the library")) {
                _ = try await PKCS11Module.load(path: "libm.so.6")
            }
        }

        @Test func `a module that is initialised already is not taken over`() async throws {
            _ = try await TestHSM.shared
            await #expect { _ = try await PKCS11Module.load(path: "/usr/lib/softhsm/libsofthsm2.so") } throws: {
                "\($0)" == "the module failed (C_Initialize: CKR_CRYPTOKI_ALREADY_INITIALIZED)"
            }
        }

        @Test func `the module tells who made it and what it can do`() async throws {
            let hsm = try await TestHSM.shared
            let info = try await hsm.module.info()
            #expect(info.manufacturer == "SoftHSM")
            #expect(info.version.hasPrefix("2."))
            let (token, _) = try await hsm.token("mechanisms")
            let wrapping: UInt = 0x210A
            let all = try await hsm.module.mechanisms(of: token)
            #expect(all.isSuperset(of: [0x1, 0x1041, wrapping]))
            let without = try await hsm.during("no-wrap") { try await hsm.module.mechanisms(of: token) }
            #expect(!without.contains(wrapping))
            #expect(without.contains(0x1041))
        }

        @Test func `a token is found by its label alone and never made twice`() async throws {
            let hsm = try await TestHSM.shared
            let made = try await hsm.blankToken("found by label")
            let found = try await hsm.module.token(label: "found by label")
            #expect(found === made)
            await #expect(throws: PKCS11Error.tokenExists(label: "found by label")) {
                _ = try await hsm.blankToken("found by label")
            }
            await #expect { _ = try await hsm.module.token(label: "found by") } throws: {
                // Whoever mistypes a label sees those there are.
                "\($0)".hasPrefix("no token is labelled found by; the module shows ")
                    && "\($0)".contains("found by label")
            }
            let tooLong = String(repeating: "x", count: 33)
            await #expect(throws: PKCS11Error.self) { _ = try await hsm.blankToken(tooLong) }
            await #expect { _ = try await hsm.during("token-gone") { try await found.openSession() } } throws: {
                "\($0)" == "the token is not there (C_OpenSession: CKR_TOKEN_NOT_PRESENT)"
            }
        }

        @Test func `a wrong PIN is told apart and given to the token once`() async throws {
            let hsm = try await TestHSM.shared
            let token = try await hsm.blankToken("wrong PIN")
            let before = hsm.logins.count
            await #expect(throws: PKCS11Error.pinIncorrect) {
                _ = try await SessionPool.open(token, pin: .of("9999"))
            }
            #expect(Array(hsm.logins.dropFirst(before)) == ["login 1 0xa0"])
        }

        @Test func `a PIN prints nothing of itself and empties what it was made of`() {
            var bytes = Array("20262026".utf8)
            let pin = PIN(consuming: &bytes)
            #expect(bytes.isEmpty)
            var dumped = ""
            dump(pin, to: &dumped)
            for text in ["\(pin)", String(reflecting: pin), dumped] { #expect(!text.contains("2026")) }
        }
    }

    @Suite struct Keys {
        @Test(arguments: DigestAlgorithm.allCases)
        func `an RSA signature verifies under the public key that generation gave`(
            _ algorithm: DigestAlgorithm
        ) async throws {
            let hsm = try await TestHSM.shared
            let (_, session) = try await hsm.token("rsa \(algorithm)")
            let pair = try await session.generateKeyPair(.rsa2048, label: "holder", id: [1])
            let message = Data("処方箋".utf8)
            let signature = try await session.sign(
                HPKI.Digest(of: Array(message), by: algorithm), with: pair.privateKey, by: .rsaPKCS1)
            #expect(signature.count == 256)
            let key = try _RSA.Signing.PublicKey(derRepresentation: pair.subjectPublicKeyInfo)
            let value = _RSA.Signing.RSASignature(rawRepresentation: signature)
            let isValid =
                switch algorithm {
                case .sha256: key.isValidSignature(value, for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
                case .sha384: key.isValidSignature(value, for: SHA384.hash(data: message), padding: .insecurePKCS1v1_5)
                case .sha512: key.isValidSignature(value, for: SHA512.hash(data: message), padding: .insecurePKCS1v1_5)
                }
            #expect(isValid)
            #expect(!key.isValidSignature(value, for: SHA256.hash(data: Data()), padding: .insecurePKCS1v1_5))
            #expect(key.derRepresentation == Data(pair.subjectPublicKeyInfo))
        }

        @Test func `ECDSA signatures on both curves verify under the public keys that generation gave`() async throws {
            let hsm = try await TestHSM.shared
            let (_, session) = try await hsm.token("ec")
            let message = Data("調剤".utf8)
            let small = try await session.generateKeyPair(.p256, label: "p256", id: [1])
            let p256 = try P256.Signing.PublicKey(derRepresentation: small.subjectPublicKeyInfo)
            var raw = try await session.sign(HPKI.Digest(of: Array(message)), with: small.privateKey, by: .ecdsa)
            #expect(p256.isValidSignature(try .init(rawRepresentation: raw), for: message))
            #expect(p256.derRepresentation == Data(small.subjectPublicKeyInfo))
            let large = try await session.generateKeyPair(.p384, label: "p384", id: [2])
            let p384 = try P384.Signing.PublicKey(derRepresentation: large.subjectPublicKeyInfo)
            raw = try await session.sign(
                HPKI.Digest(of: Array(message), by: .sha384), with: large.privateKey, by: .ecdsa)
            #expect(p384.isValidSignature(try .init(rawRepresentation: raw), for: message))
            raw[95] ^= 1
            #expect(!p384.isValidSignature(try .init(rawRepresentation: raw), for: message))
            #expect(try await session.publicKey(id: [2]) == large.subjectPublicKeyInfo)
            await #expect(throws: PKCS11Error.keyMissing) { _ = try await session.publicKey(id: [3]) }
        }

        @Test func `a private key is listed with what it may do and gives no secret away`() async throws {
            let hsm = try await TestHSM.shared
            let (_, session) = try await hsm.token("listed")
            let rsa = try await session.generateKeyPair(.rsa2048, label: "医師", id: [0xAA, 0xBB])
            let ec = try await session.generateKeyPair(.p256, label: "薬剤師", id: [0xCC])
            let keys = try await session.privateKeys()
            #expect(Set(keys.map(\.handle)) == [rsa.privateKey, ec.privateKey])
            let listed = try #require(keys.first { $0.id == [0xAA, 0xBB] })
            #expect(listed.label == "医師")
            #expect(listed.type == 0)
            for key in keys {
                #expect(key.attributes.isConfined && key.attributes.signsOnly)
                #expect(key.attributes.isPrivate == true && key.attributes.isToken == true)
                #expect(key.attributes.isLocal == true)
                #expect(try await session.reveals(key.handle) == false)
            }
            #expect(try await session.secretKeys().isEmpty)
        }

        @Test func `a key that came from outside is not taken for one made in the token`() async throws {
            let hsm = try await TestHSM.shared
            let (token, session) = try await hsm.token("stray")
            let file = hsm.folder.appending(path: "stray.pem")
            try Data(P256.Signing.PrivateKey().pemRepresentation.utf8).write(to: file)
            try run(
                "/usr/bin/softhsm2-util", "--import", file.path, "--token", token.label, "--label", "stray", "--id",
                "EE", "--pin", "1234")
            let stray = try #require(try await session.privateKeys().first { $0.id == [0xEE] })
            #expect(stray.label == "stray")
            #expect(!stray.attributes.isConfined)
        }

        @Test func `a session that may not write makes no key`() async throws {
            let hsm = try await TestHSM.shared
            let (token, session) = try await hsm.token("read only")
            let reader = try await token.openSession()
            await #expect { _ = try await reader.generateKeyPair(.p256, label: "x", id: [1]) } throws: {
                "\($0)" == "the module refused (C_GenerateKeyPair: CKR_SESSION_READ_ONLY)"
            }
            #expect(try await session.privateKeys().isEmpty)
        }

        @Test func `a destroyed key and a closed session sign nothing`() async throws {
            let hsm = try await TestHSM.shared
            let (token, session) = try await hsm.token("destroyed")
            let pair = try await session.generateKeyPair(.p256, label: "short life", id: [1])
            let digest = HPKI.Digest(of: Array("destroyed".utf8))
            try await session.destroy(pair.privateKey)
            let other = try await token.openSession()
            await #expect { _ = try await other.sign(digest, with: pair.privateKey, by: .ecdsa) } throws: {
                ($0 as? PKCS11Error) == .keyMissing && ($0 as? PKCS11Error)?.keyMayHaveBeenUsed == false
            }
            await other.close()
            await #expect(throws: PKCS11Error.closed) { _ = try await other.random(count: 1) }
            #expect(hsm.signatures(of: digest) == 0)
        }

        @Test func `a handle from before the last login is refused, and the key is found again`() async throws {
            let hsm = try await TestHSM.shared
            let (token, session) = try await hsm.token("login over")
            let old = try await session.generateKeyPair(.p256, label: "lasting", id: [1]).privateKey
            await session.close()
            let next = try await token.openSession()
            try await next.login(.of("1234"))
            let digest = HPKI.Digest(of: Array("login over".utf8))
            await #expect(throws: PKCS11Error.keyMissing) { _ = try await next.sign(digest, with: old, by: .ecdsa) }
            let new = try #require(try await next.privateKeys().first).handle
            #expect(try await next.sign(digest, with: new, by: .ecdsa).count == 64)
            #expect(hsm.signatures(of: digest) == 1)
        }

        @Test func `the token's random bytes differ and their count is bounded`() async throws {
            let (_, session) = try await TestHSM.shared.token("random")
            let (one, two) = (try await session.random(count: 32), try await session.random(count: 32))
            #expect(one.count == 32 && one != two)
            await #expect(throws: PKCS11Error.self) { _ = try await session.random(count: -1) }
            await #expect(throws: PKCS11Error.self) { _ = try await session.random(count: .max) }
        }
    }
}
