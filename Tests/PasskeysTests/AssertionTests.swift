import Crypto
import Foundation
import HPKI
import Passkeys
import Testing

@Suite("Assertions")
struct AssertionTests {
    private static let party = RelyingParty(id: "login.example", origins: ["https://login.example"])
    private let key = P256.Signing.PrivateKey()
    private let challenge = [UInt8](repeating: 5, count: 32)

    private func credential(signCount: UInt32 = 0, isBackupEligible: Bool = false) throws -> Assertion.Credential {
        let point = Array(key.publicKey.x963Representation)
        let encoded: [UInt8] =
            [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20] + point[1..<33] + [0x22, 0x58, 0x20]
            + point[33...]
        return Assertion.Credential(
            id: [1, 2, 3], publicKey: try COSEKey(try CBORReader.value(encoded)), signCount: signCount,
            isBackupEligible: isBackupEligible)
    }

    /// What a device with that key would answer; each argument spoils it in one way.
    private func made(
        type: String = "webauthn.get", origin: String = "https://login.example", more: String = "",
        id: String = "login.example", flags: UInt8 = 0x05, count: UInt8 = 0, challenge: [UInt8]? = nil
    ) throws -> Assertion {
        let text = Base64URL.encode(challenge ?? self.challenge)
        let client = Array("{\"type\":\"\(type)\",\"challenge\":\"\(text)\",\"origin\":\"\(origin)\"\(more)}".utf8)
        let data = [UInt8](SHA256.hash(data: Array(id.utf8))) + [flags, 0, 0, 0, count]
        let signature = try key.signature(for: data + [UInt8](SHA256.hash(data: client)))
        return Assertion(
            credentialID: [1, 2, 3], clientDataJSON: client, authenticatorData: data,
            signature: Array(signature.derRepresentation))
    }

    @Test("an answer to the challenge is verified, also where unknown members are in the browser's words")
    func verified() throws {
        let used = try made(more: ",\"crossOrigin\":false,\"new\":[1]", flags: 0x1D, count: 8)
            .verify(
                for: Self.party, challenge: challenge, by: try credential(signCount: 7, isBackupEligible: true))
        #expect(used.signCount == 8 && used.isBackedUp)
        let uncounted = try made().verify(for: Self.party, challenge: challenge, by: try credential())
        #expect(uncounted.signCount == 0 && !uncounted.isBackedUp)
    }

    @Test("each rule has a refusal of its own")
    func refused() throws {
        let spoilt: [(PasskeyError.Refusal, Assertion)] = [
            (.ceremony, try made(type: "webauthn.create")),
            (.challenge, try made(challenge: [UInt8](repeating: 6, count: 32))),
            (.challenge, try made(challenge: [])),
            (.origin, try made(origin: "https://login.example.evil.example")),
            (.origin, try made(origin: "http://login.example")),
            (.crossOrigin, try made(more: ",\"crossOrigin\":true")),
            (.crossOrigin, try made(more: ",\"topOrigin\":\"https://evil.example\"")),
            (.relyingParty, try made(id: "example")),
            (.userPresence, try made(flags: 0x04)),
            (.userVerification, try made(flags: 0x01)),
            (.backupEligibility, try made(flags: 0x0D)),
        ]
        for (refusal, assertion) in spoilt {
            #expect(throws: PasskeyError.refused(refusal)) {
                try assertion.verify(for: Self.party, challenge: challenge, by: try credential())
            }
        }
    }

    @Test("a counter that stands still, goes back or falls to zero is refused", arguments: [7, 6, 0] as [UInt8])
    func counter(count: UInt8) throws {
        #expect(throws: PasskeyError.refused(.signCount)) {
            try made(count: count).verify(for: Self.party, challenge: challenge, by: try credential(signCount: 7))
        }
    }

    @Test("another credential's id, another key's signature, and another text than was signed are refused")
    func foreign() throws {
        let good = try made()
        let other = Assertion(
            credentialID: [1, 2], clientDataJSON: good.clientDataJSON, authenticatorData: good.authenticatorData,
            signature: good.signature)
        #expect(throws: PasskeyError.refused(.credential)) {
            try other.verify(for: Self.party, challenge: challenge, by: try credential())
        }
        let stranger = try AssertionTests().made()
        #expect(throws: PasskeyError.badSignature) {
            try stranger.verify(for: Self.party, challenge: challenge, by: try credential())
        }
        let spaced = Assertion(
            credentialID: good.credentialID, clientDataJSON: good.clientDataJSON + [0x20],
            authenticatorData: good.authenticatorData, signature: good.signature)
        #expect(throws: PasskeyError.badSignature) {
            try spaced.verify(for: Self.party, challenge: challenge, by: try credential())
        }
    }

    @Test(
        "what the browser says is read strictly",
        arguments: [
            ("[]", "it is no JSON object"), ("{", "it is no JSON object"),
            (#"{"type":"webauthn.get","type":"webauthn.get"}"#, "it is no JSON object"),
            (#"{"type":"payment.get"}"#, "type is missing or none that is known"),
            (#"{"type":"webauthn.get","challenge":"a+b="}"#, "challenge is missing or no base64url"),
            (#"{"type":"webauthn.get","challenge":"AAAA"}"#, "origin is missing"),
            (
                #"{"type":"webauthn.get","challenge":"AAAA","origin":"x","crossOrigin":"no"}"#,
                "crossOrigin is neither true nor false"
            ),
            (#"{"type":"webauthn.get","challenge":"AAAA","origin":"x","topOrigin":1}"#, "topOrigin is no text"),
        ])
    func clientData(text: String, reason: String) {
        #expect(throws: PasskeyError.clientData(reason)) { try CollectedClientData(Array(text.utf8)) }
    }
}
