import Crypto
import Foundation
import HPKI
import Passkeys
import Testing

@Suite("The vectors of the W3C")
struct VectorTests {
    private struct File: Decodable {
        struct Vector: Decodable {
            let name: String
            let reg: [String: String]
            let auth: [String: String]
        }
        let vectors: [Vector]
    }

    /// Whose algorithms are not offered here.
    private static let others: [String: Int64] = ["packed-es512": -36, "packed-ed448": -53]
    /// Whose users were not verified, or whose pages stood in another's frame; the signatures of all hold.
    private static let refused: [String: PasskeyError.Refusal] = [
        "none-es256": .userVerification, "packed-self-es256": .userVerification,
        "none-es256-crossOrigin": .crossOrigin, "none-es256-topOrigin": .crossOrigin,
        "packed-rs256": .userVerification, "packed-eddsa": .userVerification,
        "android-key-es256": .userVerification, "apple-es256": .userVerification,
        "fido-u2f-es256": .userVerification,
    ]

    @Test("each registration is read, its key verifies its assertion, and our rules say what they should of it")
    func all() throws {
        guard let file = try vectorFile("w3c_l3_vectors.json", for: "W3C") else { return }
        let vectors = try JSONDecoder().decode(File.self, from: file).vectors
        #expect(vectors.count == 15)
        var verified = 0
        for vector in vectors {
            let object = try CBORReader.value(bytes(vector.reg["attestationObject"]))
            let data = try #require(object["authData"]?.bytes, "\(vector.name)")
            if let number = Self.others[vector.name] {
                #expect(throws: PasskeyError.algorithm(number), "\(vector.name)") { try AuthenticatorData(data) }
                continue
            }
            let made = try AuthenticatorData(data)
            let attested = try #require(made.credential, "\(vector.name)")
            #expect(attested.credentialID == (try bytes(vector.reg["credential_id"])), "\(vector.name)")
            let assertion = Assertion(
                credentialID: attested.credentialID, clientDataJSON: try bytes(vector.auth["clientDataJSON"]),
                authenticatorData: try bytes(vector.auth["authenticatorData"]),
                signature: try bytes(vector.auth["signature"]))
            let signed = assertion.authenticatorData + [UInt8](SHA256.hash(data: assertion.clientDataJSON))
            try attested.publicKey.verify(assertion.signature, over: signed)
            #expect(throws: PasskeyError.badSignature, "\(vector.name)") {
                try attested.publicKey.verify(assertion.signature, over: signed.reversed())
            }
            let credential = Assertion.Credential(
                id: attested.credentialID, publicKey: attested.publicKey, signCount: made.signCount,
                isBackupEligible: made.isBackupEligible)
            let party = RelyingParty(id: "example.org", origins: ["https://example.org"])
            let challenge = try bytes(vector.auth["challenge"])
            if let refusal = Self.refused[vector.name] {
                #expect(throws: PasskeyError.refused(refusal), "\(vector.name)") {
                    try assertion.verify(for: party, challenge: challenge, by: credential)
                }
            } else {
                _ = try assertion.verify(for: party, challenge: challenge, by: credential)
                verified += 1
            }
        }
        #expect(verified == 4)
    }

    private func bytes(_ hex: String?) throws -> [UInt8] {
        let digits = Array(try #require(hex))
        return try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(digits[$0...($0 + 1)]), radix: 16))
        }
    }
}
