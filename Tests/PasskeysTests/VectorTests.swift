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

    /// What stands in the way of a registration; the keys of the others are to be kept.
    private static let notKept: [String: PasskeyError] = [
        "none-es256": .refused(.userVerification), "none-es256-crossOrigin": .refused(.crossOrigin),
        "none-es256-topOrigin": .refused(.crossOrigin), "none-es256-long-credential-id": .refused(.userVerification),
        "packed-es256": .attestation("certificates of makers are not judged here"),
        "packed-es384": .refused(.userVerification), "packed-es512": .algorithm(-36),
        "packed-rs256": .attestation("certificates of makers are not judged here"),
        "packed-eddsa": .refused(.userVerification), "packed-ed448": .algorithm(-53),
        "tpm-es256": .attestation("its format is not judged here"),
        "android-key-es256": .attestation("its format is not judged here"),
        "apple-es256": .refused(.userVerification), "fido-u2f-es256": .refused(.userVerification),
    ]

    @Test("a key that signed for itself is kept, and spoilt in any byte it is not; the others say why they are not")
    func registrations() throws {
        guard let file = try vectorFile("w3c_l3_vectors.json", for: "W3C registrations") else { return }
        let party = RelyingParty(id: "example.org", origins: ["https://example.org"])
        let all = Set(COSEKey.Algorithm.allCases)
        for vector in try JSONDecoder().decode(File.self, from: file).vectors {
            let challenge = try bytes(vector.reg["challenge"])
            let (id, json) = (try bytes(vector.reg["credential_id"]), try bytes(vector.reg["clientDataJSON"]))
            let object = try bytes(vector.reg["attestationObject"])
            let made = Registration(credentialID: id, clientDataJSON: json, attestationObject: object)
            if let error = Self.notKept[vector.name] {
                #expect(throws: error, "\(vector.name)") {
                    try made.verify(for: party, challenge: challenge, algorithms: all)
                }
                continue
            }
            let kept = try made.verify(for: party, challenge: challenge, algorithms: all)
            #expect(vector.name == "packed-self-es256" && kept.attestation == .ownKey)
            #expect(kept.credentialID == id && kept.isBackupEligible && kept.isBackedUp)
            #expect(throws: PasskeyError.algorithm(-7)) {
                try made.verify(for: party, challenge: challenge, algorithms: [.rs256])
            }
            for place in object.indices {
                var spoilt = object
                spoilt[place] ^= UInt8(1 << (place % 8))
                let other = Registration(credentialID: id, clientDataJSON: json, attestationObject: spoilt)
                #expect(throws: PasskeyError.self, "byte \(place)") {
                    try other.verify(for: party, challenge: challenge, algorithms: all)
                }
            }
        }
    }

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
