import Certificates
import Foundation
import HPKI
import Testing

/// Project Wycheproof's signatures: encodings, ranges and paddings that verifiers have taken by mistake.
@Suite struct WycheproofTests {
    private struct File: Decodable {
        var numberOfTests: Int
        var testGroups: [Group]
    }

    private struct Group: Decodable {
        var type: String
        var sha: String
        var mgfSha: String?
        var sLen: Int?
        var publicKeyDer: String?
        /// What the files of generated signatures call it.
        var keyDer: String?
        var tests: [Vector]
    }

    private struct Vector: Decodable {
        var tcId: Int
        var msg: String
        var sig: String
        var result: String
    }

    /// What is judged by code of this project: keys, encodings, the choice of algorithm, lengths.
    @Test func `signatures of the kinds accepted here are judged as their authors say`() throws {
        guard let folder = vectors("Wycheproof") else { return }
        var tally = try VectorTally(set: "Wycheproof")
        var total = 0
        var kindsRefused: [String: Int] = [:]
        for name in try names(in: folder) {
            let file = try read(name, in: folder)
            for group in file.testGroups {
                guard let verify = verifier(for: group) else {
                    kindsRefused[kind(of: group, in: name), default: 0] += group.tests.count
                    continue
                }
                for vector in group.tests {
                    let accepted = verify(try bytes(vector.sig), try bytes(vector.msg))
                    total += 1
                    // "Acceptable" leaves it to the verifier.
                    let isValid = vector.result == "acceptable" ? accepted : vector.result == "valid"
                    tally.count("\(name) \(vector.tcId)", isValid: isValid, accepted: accepted, why: vector.result)
                }
            }
        }
        tally.finish(of: total)
        for (kind, count) in kindsRefused.sorted(by: { $0.key < $1.key }) {
            print("Wycheproof: refused as a kind, or no question that this code is ever asked: \(kind): \(count)")
        }
        #expect(total > 4000)
    }

    /// Keys of kinds that are not accepted cannot even be read, whatever is asked of them.
    @Test func `keys of other kinds are refused before any signature is looked at`() throws {
        guard let folder = vectors("Wycheproof") else { return }
        for name in try names(in: folder) where Self.otherKeys.contains(where: name.contains) {
            for group in try read(name, in: folder).testGroups {
                #expect(throws: CertificateError.self, "\(name)") { _ = try key(of: group) }
            }
        }
    }

    private static let otherKeys = ["secp256k1", "secp521r1", "pkcs1_1024", "_params_"]

    private func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(folder)/wycheproof/testvectors_v1")
            .filter { $0.hasPrefix("ecdsa_") || $0.hasPrefix("rsa_") }.sorted()
    }

    private func read(_ name: String, in folder: String) throws -> File {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/wycheproof/testvectors_v1/\(name)"))
        return try JSONDecoder().decode(File.self, from: data)
    }

    private func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex)) }

    private func key(of group: Group) throws -> VerificationKey {
        try VerificationKey(subjectPublicKeyInfo: try bytes(group.publicKeyDer ?? group.keyDer ?? ""))
    }

    private func kind(of group: Group, in name: String) -> String {
        "\(name.replacing("_test.json", with: ""))"
            + (name.contains("misc") || name.contains("gen") ? " \(group.sha)" : "")
    }

    /// How this project would judge such signatures; nil where it never would.
    private func verifier(for group: Group) -> ((_ signature: [UInt8], _ message: [UInt8]) -> Bool)? {
        guard let key = try? key(of: group) else { return nil }
        if group.type == "EcdsaP1363Verify" {
            let algorithm: SignatureAlgorithm
            switch (key.kind, group.sha) {
            case (.p256, "SHA-256"): algorithm = .ecdsaP256SHA256
            case (.p384, "SHA-384"): algorithm = .ecdsaP384SHA384
            default: return nil
            }
            return { signature, message in
                (try? key.verify(signature: signature, over: message, algorithm: algorithm)) != nil
            }
        }
        guard let scheme = scheme(of: group) else { return nil }
        return { signature, message in
            (try? key.verify(signature: signature[...], over: message[...], scheme: scheme)) != nil
        }
    }

    /// The scheme by its AlgorithmIdentifier, as a certificate would name it.
    private func scheme(of group: Group) -> SignatureScheme? {
        let family: SignatureScheme.Family
        let hashes = ["SHA-256": DigestAlgorithm.sha256, "SHA-384": .sha384, "SHA-512": .sha512]
        guard let hash = hashes[group.sha] else { return nil }
        switch group.type {
        case "EcdsaVerify": family = .ecdsa
        case "RsassaPkcs1Verify", "RsassaPkcs1Generate": family = .rsaPKCS1
        case "RsassaPssVerify" where group.mgfSha == group.sha && group.sLen == hash.byteCount: family = .rsaPSS
        default: return nil
        }
        return try? SignatureScheme.read(SignatureScheme(family: family, hash: hash).identifier[...])
    }
}
