import Foundation
import HPKI
import Passkeys
import Testing

@Suite("Recordings of Chromium's virtual authenticator")
struct RecordingTests {
    private struct File: Decodable {
        struct Made: Decodable {
            let id: String?
            let cdj: String?
            let att: String?
        }
        struct Use: Decodable {
            struct Asked: Decodable {
                let ch: String
            }
            struct Answer: Decodable {
                let id: String?
                let cdj: String?
                let ad: String?
                let sig: String?
            }
            let req: Asked
            let res: Answer
            let note: String
        }
        struct Case: Decodable {
            let label: String
            let reg_req: Use.Asked
            let reg: Made
            let auth: [Use]?
        }
        struct Clone: Decodable {
            let reg: Made
            let auth_req: Use.Asked
            let auth: Use.Answer
        }
        let cases: [Case]
        let clone: Clone
    }

    private static let party = RelyingParty(id: "localhost", origins: ["http://localhost:18080"])
    private static let refused: [String: PasskeyError] = [
        "bogus sig": .badSignature, "badUV": .refused(.userVerification), "badUP": .refused(.userPresence),
    ]

    @Test("good answers are verified with their counters, spoilt ones and a copy's are refused, and all mutated ones")
    func all() throws {
        guard let data = try vectorFile("chromium156_virtual_authenticator.json", for: "Chromium") else { return }
        let file = try JSONDecoder().decode(File.self, from: data)
        var (verified, refused, mutated) = (0, 0, 0)
        for recorded in file.cases {
            guard let credential = try credential(recorded.reg) else { continue }
            for use in recorded.auth ?? [] {
                guard let assertion = try assertion(use.res) else { continue }
                let challenge = try bytes(use.req.ch)
                let expected =
                    recorded.label == "u2f direct" ? .refused(.userVerification) : Self.refused[use.note]
                if let expected {
                    #expect(throws: expected, "\(recorded.label) \(use.note)") {
                        try assertion.verify(for: Self.party, challenge: challenge, by: credential)
                    }
                    refused += 1
                    continue
                }
                let result = try assertion.verify(for: Self.party, challenge: challenge, by: credential)
                #expect(result.signCount > credential.signCount, "\(recorded.label) \(use.note)")
                verified += 1
                mutated += try mutate(assertion, challenge, credential, recorded.label)
            }
        }
        #expect(verified == 10 && refused == 4)
        #expect(mutated >= 500)
        let credential = try #require(try credential(file.clone.reg))
        let copy = try #require(try assertion(file.clone.auth))
        let challenge = try bytes(file.clone.auth_req.ch)
        #expect(throws: PasskeyError.refused(.signCount)) {
            try copy.verify(for: Self.party, challenge: challenge, by: credential)
        }
    }

    @Test("a phone's key without a maker's word is kept, synced or not; makers' words are not judged")
    func registrations() throws {
        guard let data = try vectorFile("chromium156_virtual_authenticator.json", for: "Chromium registrations") else {
            return
        }
        var (kept, synced, refused) = (0, 0, 0)
        for recorded in try JSONDecoder().decode(File.self, from: data).cases {
            guard let id = recorded.reg.id, let json = recorded.reg.cdj, let object = recorded.reg.att else { continue }
            let made = Registration(
                credentialID: try bytes(id), clientDataJSON: try bytes(json), attestationObject: try bytes(object))
            let challenge = try bytes(recorded.reg_req.ch)
            do {
                let result = try made.verify(for: Self.party, challenge: challenge, algorithms: [.es256, .rs256])
                #expect(result.attestation == .none && !result.isBackedUp || result.isBackupEligible)
                if result.isBackedUp { synced += 1 }
                kept += 1
            } catch {
                let words = recorded.label.contains("direct") || recorded.label.contains("enterprise")
                #expect(words, "\(recorded.label): \(error)")
                refused += 1
            }
            #expect(throws: PasskeyError.refused(.challenge)) {
                try made.verify(for: Self.party, challenge: [1], algorithms: [.es256, .edDSA, .rs256])
            }
        }
        #expect(kept == 5 && synced == 1 && refused == 6)
    }

    /// One bit of each byte of what was signed, in turn; gives how many were refused.
    private func mutate(
        _ good: Assertion, _ challenge: [UInt8], _ credential: Assertion.Credential, _ label: String
    ) throws -> Int {
        var count = 0
        for place in good.authenticatorData.indices {
            var data = good.authenticatorData
            data[place] ^= UInt8(1 << (place % 8))
            try refuse(good, data: data, challenge, credential, label)
            count += 1
        }
        for place in good.clientDataJSON.indices {
            var json = good.clientDataJSON
            json[place] ^= UInt8(1 << (place % 8))
            try refuse(good, json: json, challenge, credential, label)
            count += 1
        }
        return count
    }

    private func refuse(
        _ good: Assertion, json: [UInt8]? = nil, data: [UInt8]? = nil, _ challenge: [UInt8],
        _ credential: Assertion.Credential, _ label: String
    ) throws {
        let changed = Assertion(
            credentialID: good.credentialID, clientDataJSON: json ?? good.clientDataJSON,
            authenticatorData: data ?? good.authenticatorData, signature: good.signature)
        #expect(throws: PasskeyError.self, "\(label)") {
            try changed.verify(for: Self.party, challenge: challenge, by: credential)
        }
    }

    private func credential(_ made: File.Made) throws -> Assertion.Credential? {
        guard let text = made.att else { return nil }
        let object = try CBORReader.value(bytes(text))
        let data = try AuthenticatorData(try #require(object["authData"]?.bytes))
        let attested = try #require(data.credential)
        return Assertion.Credential(
            id: attested.credentialID, publicKey: attested.publicKey, signCount: data.signCount,
            isBackupEligible: data.isBackupEligible)
    }

    private func assertion(_ answer: File.Use.Answer) throws -> Assertion? {
        guard let id = answer.id, let json = answer.cdj, let data = answer.ad, let signature = answer.sig else {
            return nil
        }
        return Assertion(
            credentialID: try bytes(id), clientDataJSON: try bytes(json), authenticatorData: try bytes(data),
            signature: try bytes(signature))
    }

    private func bytes(_ base64: String) throws -> [UInt8] { Array(try #require(Data(base64Encoded: base64))) }
}
