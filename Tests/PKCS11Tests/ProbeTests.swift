import Crypto
import CryptoExtras
import Foundation
import HPKI
import PKCS11
import Testing

extension PKCS11Tests {
    /// The probe against SoftHSM behind the shim.
    @Suite struct Probe {
        private func probe(
            _ label: String, officer: String? = "87654321", kinds: [KeyType] = [.p256]
        ) async throws -> ProbeReport {
            let hsm = try await TestHSM.shared
            _ = try await hsm.blankToken(label)
            return try await ModuleProbe.run(
                path: hsm.folder.appending(path: "libshim.so").path, label: label, pin: .of("1234"),
                officerPIN: officer.map(PIN.of), keyTypes: kinds)
        }

        @Test func `SoftHSM refuses every attack and allows both custodies`() async throws {
            let report = try await probe("probe both")
            #expect(report.obstacles(to: .wrapped) == [])
            #expect(report.obstacles(to: .resident) == [])
            #expect(report.allowsWrappedCustody && report.allowsResidentCustody)
            #expect(report.wrappingKey == "trusted, with an unwrap template")
        }

        @Test func `a probe leaves no object in the token`() async throws {
            _ = try await probe("probe clean")
            let token = try await TestHSM.shared.module.token(label: "probe clean")
            let session = try await token.openSession()
            try await session.login(.of("1234"))
            #expect(try await session.privateKeys().isEmpty)
            #expect(try await session.secretKeys().isEmpty)
        }

        @Test func `what nobody could try is not allowed`() async throws {
            let report = try await probe("probe without officer", officer: nil)
            #expect(!report.allowsWrappedCustody)
            #expect(report.allowsResidentCustody)
            #expect(report.obstacles(to: .wrapped).contains { $0.hasSuffix("no officer's PIN was given") })
        }

        @Test func `a module without wrap mechanisms is fit for resident custody alone`() async throws {
            let hsm = try await TestHSM.shared
            let report = try await hsm.during("no-wrap") { try await probe("probe no-wrap") }
            #expect(!report.allowsWrappedCustody)
            #expect(report.allowsResidentCustody)
        }

        @Test func `the officer's wrong PIN is given once and ends the probe`() async throws {
            let hsm = try await TestHSM.shared
            let before = hsm.logins.count
            await #expect(throws: PKCS11Error.pinIncorrect) { _ = try await probe("probe wrong PIN", officer: "0000") }
            #expect(Array(hsm.logins.dropFirst(before)).filter { $0 == "login 0 0xa0" }.count == 1)
        }

        @Test func `the signatures of a probe verify under the public keys that it reports`() async throws {
            let report = try await probe("probe signatures", kinds: [.rsa2048, .p256, .p384])
            #expect(report.keyTypes.map(\.name) == ["rsa-2048", "p-256", "p-384"])
            let digest = SHA256.hash(data: Data())
            var verified = 0
            for type in report.keyTypes {
                let key = Data(type.subjectPublicKeyInfo)
                for signature in type.signatures {
                    let value = Data(signature.value)
                    let isValid: Bool
                    switch (type.name, signature.scheme) {
                    case ("p-256", _):
                        isValid = try P256.Signing.PublicKey(derRepresentation: key)
                            .isValidSignature(.init(rawRepresentation: value), for: digest)
                    case ("p-384", _):
                        isValid = try P384.Signing.PublicKey(derRepresentation: key)
                            .isValidSignature(.init(rawRepresentation: value), for: digest)
                    case (_, "PSS"):
                        isValid = try _RSA.Signing.PublicKey(derRepresentation: key)
                            .isValidSignature(.init(rawRepresentation: value), for: digest, padding: .PSS)
                    default:
                        isValid = try _RSA.Signing.PublicKey(derRepresentation: key)
                            .isValidSignature(
                                .init(rawRepresentation: value), for: digest, padding: .insecurePKCS1v1_5)
                    }
                    #expect(isValid, "\(type.name) \(signature.scheme) \(signature.obstacle ?? "")")
                    verified += 1
                }
            }
            #expect(verified == 4)
        }

        @Test func `the quick attacks succeed on a wrapping key that merely is not extractable`() async throws {
            let attacks = try await quick("probe weak", strength: "weak")
            let succeeded = attacks.filter { if case .succeeded = $0.result { true } else { false } }.map(\.name)
            #expect(succeeded.contains("unwrap as a readable or extractable key"))
            #expect(succeeded.contains("unwrap as an object of the token"))
        }

        @Test func `the quick attacks are all refused by a proper wrapping key`() async throws {
            let attacks = try await quick("probe strong", strength: "strong")
            #expect(attacks.count > 20)
            #expect(attacks.compactMap(\.danger) == [])
        }

        @Test func `a wrapping key that is not there is told apart`() async throws {
            let hsm = try await TestHSM.shared
            let token = try await hsm.blankToken("probe missing")
            await #expect(throws: PKCS11Error.keyMissing) {
                _ = try await ModuleProbe.attacks(on: token, pin: .of("1234"), wrappingKeyID: [0xEA])
            }
        }

        /// Attacks the wrapping key that make_blob, in a process of its own, puts into a new token.
        private func quick(_ label: String, strength: String) async throws -> [ProbeReport.Attack] {
            let hsm = try await TestHSM.shared
            let token = try await hsm.blankToken(label)
            let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../EndToEnd").path
            let program = hsm.folder.appending(path: "make_blob").path
            try run(
                "/usr/bin/cc", "-O1", "-I/usr/include/p11-kit-1", "-o", program, sources + "/make_blob.c", "-ldl")
            let (officer, user) = (program + ".officer", program + ".user")
            try Data("87654321".utf8).write(to: URL(filePath: officer))
            try Data("1234".utf8).write(to: URL(filePath: user))
            try run(
                program, strength, "/usr/lib/softhsm/libsofthsm2.so", label, officer, user,
                hsm.folder.appending(path: "blob").path)
            return try await ModuleProbe.attacks(on: token, pin: .of("1234"), wrappingKeyID: [0xEA])
        }
    }
}
