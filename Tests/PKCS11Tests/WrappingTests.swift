import Crypto
import CryptoExtras
import Foundation
import HPKI
import PKCS11
import Testing

extension PKCS11Tests {
    @Suite struct Wrapping {
        @Test(arguments: KeyType.allCases)
        func `a pair leaves the token wrapped, signs when unwrapped, and nothing of it stays`(
            _ type: KeyType
        ) async throws {
            let (_, session, key) = try await TestHSM.shared.wrapping("wrapped \(type.rawValue)")
            let pair = try await session.generateWrappedKeyPair(type, under: key)
            #expect(pair.keyType == type)
            #expect(try await session.privateKeys().isEmpty)
            await #expect(throws: PKCS11Error.keyMissing) { _ = try await session.publicKey(id: []) }
            let message = Array("処方箋".utf8)
            let digest = HPKI.Digest(of: message, by: type.digestAlgorithm)
            for mechanism in type.mechanisms {
                let signature = try await session.sign(
                    digest, withWrapped: pair.blob, as: type, under: key, by: mechanism)
                #expect(try type.verifies(signature, over: message, by: mechanism, key: pair.subjectPublicKeyInfo))
                #expect(try !type.verifies(signature, over: [], by: mechanism, key: pair.subjectPublicKeyInfo))
                #expect(try await session.privateKeys().isEmpty)
            }
        }

        @Test(arguments: KeyType.allCases)
        func `a resident pair of every type signs and is confined`(_ type: KeyType) async throws {
            let (_, session) = try await TestHSM.shared.token("resident \(type.rawValue)")
            let pair = try await session.generateKeyPair(type, label: "resident", id: [1])
            let message = Array("resident".utf8)
            for mechanism in type.mechanisms {
                let signature = try await session.sign(
                    HPKI.Digest(of: message, by: type.digestAlgorithm), with: pair.privateKey, by: mechanism)
                #expect(try type.verifies(signature, over: message, by: mechanism, key: pair.subjectPublicKeyInfo))
            }
            #expect(try await session.privateKeys().map(\.attributes.isConfined) == [true])
        }

        @Test(arguments: DigestAlgorithm.allCases)
        func `a PSS signature has a salt as long as its digest`(_ algorithm: DigestAlgorithm) async throws {
            let (_, session) = try await TestHSM.shared.token("pss \(algorithm)")
            let pair = try await session.generateKeyPair(.rsa2048, label: "pss", id: [1])
            let message = Data("salt".utf8)
            let value = _RSA.Signing.RSASignature(
                rawRepresentation: try await session.sign(
                    HPKI.Digest(of: Array(message), by: algorithm), with: pair.privateKey, by: .rsaPSS))
            let key = try _RSA.Signing.PublicKey(derRepresentation: pair.subjectPublicKeyInfo)
            let isValid =
                switch algorithm {
                case .sha256: key.isValidSignature(value, for: SHA256.hash(data: message), padding: .PSS)
                case .sha384: key.isValidSignature(value, for: SHA384.hash(data: message), padding: .PSS)
                case .sha512: key.isValidSignature(value, for: SHA512.hash(data: message), padding: .PSS)
                }
            #expect(isValid)
            #expect(!key.isValidSignature(value, for: SHA256.hash(data: Data()), padding: .PSS))
        }

        @Test func `an unwrapped key says that it signs, does not leave and is no token object`() async throws {
            let (token, session, key) = try await TestHSM.shared.wrapping("unwrapped")
            let pair = try await session.generateWrappedKeyPair(.p256, under: key)
            let handle = try await session.unwrap(pair.blob, as: .p256, under: key)
            let other = try await token.openSession()
            let listed = try #require(try await other.privateKeys().first)
            #expect(listed.handle == handle)
            #expect(listed.attributes.isToken == false && listed.attributes.isPrivate == true)
            #expect(listed.attributes.isSensitive == true && listed.attributes.isExtractable == false)
            #expect(listed.attributes.signsOnly && !listed.attributes.isConfined)
            #expect(try await other.reveals(handle) == false)
            let digest = HPKI.Digest(of: [1])
            #expect(try await other.sign(digest, with: handle, by: .ecdsa).count == 64)
            await session.close()
            #expect(try await other.privateKeys().isEmpty)
        }

        @Test func `a blob with any of its bytes changed is refused and no key was used`() async throws {
            let hsm = try await TestHSM.shared
            let (_, session, key) = try await hsm.wrapping("bits")
            let digest = HPKI.Digest(of: Array("bits".utf8))
            for (type, step) in [(KeyType.p256, 1), (.rsa2048, 97)] {
                let blob = try await session.generateWrappedKeyPair(type, under: key).blob
                for index in stride(from: 0, to: blob.count, by: step) {
                    var changed = blob
                    changed[index] ^= 1 << UInt8(index % 8)
                    await expectRefusal {
                        _ = try await session.sign(
                            digest, withWrapped: changed, as: type, under: key, by: type.mechanisms[0])
                    }
                }
                let bad = [
                    [], [0], Array(blob.dropLast()), Array(blob.dropLast(8)), blob + [UInt8](repeating: 0, count: 8),
                ]
                for changed in bad {
                    await expectRefusal { _ = try await session.unwrap(changed, as: type, under: key) }
                }
            }
            #expect(hsm.signatures(of: digest) == 0)
            #expect(try await session.privateKeys().isEmpty)
        }

        @Test func `a blob of another wrapping key or of another type is refused`() async throws {
            let hsm = try await TestHSM.shared
            let (_, first, oldKey) = try await hsm.wrapping("epoch one")
            let (_, second, newKey) = try await hsm.wrapping("epoch two")
            let blob = try await first.generateWrappedKeyPair(.p256, under: oldKey).blob
            await expectRefusal { _ = try await second.unwrap(blob, as: .p256, under: newKey) }
            await expectRefusal { _ = try await first.unwrap(blob, as: .rsa2048, under: oldKey) }
            #expect(
                try await first.sign(HPKI.Digest(of: [2]), withWrapped: blob, as: .p256, under: oldKey, by: .ecdsa)
                    .count == 64)
        }

        @Test func `a device that fails while unwrapping is no blob that was altered`() async throws {
            let hsm = try await TestHSM.shared
            let (_, session, key) = try await hsm.wrapping("unwrap fails")
            let blob = try await session.generateWrappedKeyPair(.p256, under: key).blob
            let digest = HPKI.Digest(of: Array("unwrap fails".utf8))
            let before = hsm.unwraps.count
            await #expect {
                _ = try await hsm.during("unwrap-fail") {
                    try await session.sign(digest, withWrapped: blob, as: .p256, under: key, by: .ecdsa)
                }
            } throws: {
                "\($0)" == "the module failed (C_UnwrapKey: CKR_DEVICE_ERROR)"
                    && ($0 as? PKCS11Error)?.keyMayHaveBeenUsed == false
            }
            await #expect {
                _ = try await hsm.during("no-wrap") { try await session.unwrap(blob, as: .p256, under: key) }
            } throws: {
                guard case .mechanismMissing = $0 as? PKCS11Error else { return false }
                return true
            }
            #expect(Array(hsm.unwraps.dropFirst(before)) == ["0x30"])
        }

        @Test func `a signature that fails leaves no unwrapped key behind`() async throws {
            let hsm = try await TestHSM.shared
            let (_, session, key) = try await hsm.wrapping("left behind")
            let blob = try await session.generateWrappedKeyPair(.p256, under: key).blob
            let digest = HPKI.Digest(of: Array("left behind".utf8))
            for (fault, isUsed) in [("sign-fail", true), ("init-fail", false)] {
                await #expect {
                    _ = try await hsm.during(fault) {
                        try await session.sign(digest, withWrapped: blob, as: .p256, under: key, by: .ecdsa)
                    }
                } throws: {
                    ($0 as? PKCS11Error)?.keyMayHaveBeenUsed == isUsed
                }
                #expect(try await session.privateKeys().isEmpty)
            }
        }

        @Test func `a pair that the token would let out under any key is destroyed and not given out`() async throws {
            let hsm = try await TestHSM.shared
            let (_, session, key) = try await hsm.wrapping("weak pair")
            await #expect(throws: PKCS11Error.weakKey) {
                _ = try await hsm.during("weak-key") { try await session.generateWrappedKeyPair(.p256, under: key) }
            }
            #expect(try await session.privateKeys().isEmpty)
        }

        @Test func `a rotation moves a key to the next wrapping key, and the old one is of no use to the new blob`()
            async throws
        {
            let hsm = try await TestHSM.shared
            let old = [UInt8](repeating: 7, count: 32)
            let (token, session, oldKey) = try await hsm.wrapping("rotation", value: old)
            var pairs: [WrappedKeyPair] = []
            for type in [KeyType.p256, .p384, .rsa2048] {
                pairs.append(try await session.generateWrappedKeyPair(type, under: oldKey))
            }
            await session.close()
            let officer = try await token.openOfficerSession(pin: .of("87654321"))
            try await officer.generateWrappingKey(label: "epoch 2", id: [0xE2])
            try await officer.importRotationKey(old, label: "rotation", id: [0xF1])
            await officer.close()
            let user = try await token.openSession()
            try await user.login(.of("1234"))
            let keys = try await user.wrappingKeys()
            let rotationKey = try #require(keys.first { $0.id == [0xF1] })
            #expect(rotationKey.isSoundRotationKey && !rotationKey.isSoundWrappingKey)
            let newKey = try #require(keys.first { $0.id == [0xE2] })
            #expect(newKey.isSoundWrappingKey && !newKey.isSoundRotationKey)
            let message = Array("rotated".utf8)
            for pair in pairs {
                let blob = try await user.rewrap(
                    pair.blob, as: pair.keyType, from: rotationKey.handle, to: newKey.handle)
                #expect(blob != pair.blob)
                let mechanism = pair.keyType.mechanisms[0]
                let value = try await user.sign(
                    HPKI.Digest(of: message, by: pair.keyType.digestAlgorithm), withWrapped: blob, as: pair.keyType,
                    under: newKey.handle, by: mechanism)
                #expect(
                    try pair.keyType.verifies(value, over: message, by: mechanism, key: pair.subjectPublicKeyInfo))
                await expectRefusal {
                    _ = try await user.unwrap(pair.blob, as: pair.keyType, under: newKey.handle)
                }
                // The rotation key wraps nothing, and unwraps nothing that could only sign.
                await #expect(throws: PKCS11Error.self) {
                    _ = try await user.rewrap(
                        pair.blob, as: pair.keyType, from: rotationKey.handle, to: rotationKey.handle)
                }
                await #expect(throws: PKCS11Error.self) {
                    _ = try await user.unwrap(pair.blob, as: pair.keyType, under: rotationKey.handle)
                }
            }
            #expect(try await user.privateKeys().isEmpty)
        }

        @Test func `a wrapping key's handle from before the last login is refused`() async throws {
            let (token, session, key) = try await TestHSM.shared.wrapping("old wrapping key")
            let blob = try await session.generateWrappedKeyPair(.p256, under: key).blob
            await session.close()
            let next = try await token.openSession()
            try await next.login(.of("1234"))
            await #expect(throws: PKCS11Error.keyMissing) { _ = try await next.unwrap(blob, as: .p256, under: key) }
            let found = try await next.wrappingKey([0xE1])
            #expect(
                try await next.sign(HPKI.Digest(of: [3]), withWrapped: blob, as: .p256, under: found, by: .ecdsa).count
                    == 64)
        }
    }
}

/// Expects that `body` throws `wrappedKeyRefused`, which says that no key was used.
func expectRefusal(_ body: () async throws -> Void, at location: SourceLocation = #_sourceLocation) async {
    await #expect(sourceLocation: location) { try await body() } throws: {
        guard case .wrappedKeyRefused = $0 as? PKCS11Error else { return false }
        return ($0 as? PKCS11Error)?.keyMayHaveBeenUsed == false
    }
}
