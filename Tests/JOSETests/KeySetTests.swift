import CryptoExtras
import Foundation
import HPKI
import JOSE
import Testing

@Suite struct `Reading key sets` {
    private func refusal(_ set: JSONValue) async -> JOSEError? {
        do {
            _ = try await JWKSet(set.bytes)
            return nil
        } catch {
            return error
        }
    }

    private func changed(_ key: JSONValue, _ changes: [String: JSONValue?]) -> JSONValue {
        guard case .object(let members) = key else { return key }
        let kept = members.filter { changes[$0.name] == nil }
        let added = changes.sorted { $0.key < $1.key }.compactMap { name, value in value.map { JSONMember(name, $0) } }
        return .object(kept + added)
    }

    @Test func `keys for other uses and of other kinds are skipped`() async throws {
        let fixture = try await Fixture.shared.value
        let ec = fixture.es256.publicJWK
        let set: JSONValue = [
            "keys": [
                ec, changed(ec, ["kid": "enc", "use": "enc"]), changed(ec, ["kid": "ops", "key_ops": ["sign"]]),
                changed(ec, ["kid": "es384", "alg": "ES384"]), changed(ec, ["kid": "p384", "crv": "P-384"]),
                ["kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "okp"],
                changed(ec, ["kid": "verify", "key_ops": ["verify"], "alg": nil]),
            ]
        ]
        #expect(try await JWKSet(set.bytes).keyIDs == ["ec", "verify"])
    }

    @Test func `a set that gives away or confuses keys is refused whole`() async throws {
        let fixture = try await Fixture.shared.value
        let ec = fixture.es256.publicJWK
        let rsa = fixture.rs256.publicJWK
        let bad: [JSONValue] = [
            ["keys": [changed(ec, ["d": "AAAA"])]], ["keys": [rsa, changed(ec, ["kid": "x", "d": "AAAA"])]],
            ["keys": [["kty": "oct", "k": "AAAA", "kid": "o"]]], ["keys": [ec, ec]],
            ["keys": [ec, changed(rsa, ["kid": nil])]], ["keys": "x"], [:], [], ["keys": ["x"]],
            ["keys": [changed(ec, ["kid": 1])]], ["keys": [changed(ec, ["kid": ""])]],
            ["keys": .array((0..<65).map { changed(ec, ["kid": .string("k\($0)")]) })],
        ]
        for set in bad {
            #expect(await refusal(set) != nil, "\(String(decoding: set.bytes.prefix(80), as: UTF8.self))")
        }
        let long = Array("{\"keys\":[]}".utf8) + [UInt8](repeating: 0x20, count: JWKSet.byteLimit)
        await #expect(throws: JOSEError.tooLong) { try await JWKSet(long) }
        let twice = Array(#"{"keys":[],"keys":[]}"#.utf8)
        await #expect(throws: JOSEError.duplicateName("keys")) { try await JWKSet(twice) }
    }

    @Test func `weak and wrong keys are refused`() async throws {
        let fixture = try await Fixture.shared.value
        let ec = fixture.es256.publicJWK
        let rsa = fixture.rs256.publicJWK
        let zero = JSONValue.string(Base64URL.encode([UInt8](repeating: 0, count: 32)))
        func number(_ count: Int, _ first: UInt8 = 0x80, _ last: UInt8 = 1) -> JSONValue {
            .string(Base64URL.encode([first] + [UInt8](repeating: 0x55, count: count - 2) + [last]))
        }
        let bad: [JSONValue] = [
            changed(ec, ["x": zero]), changed(ec, ["x": zero, "y": zero]), changed(ec, ["x": "AAAA"]),
            changed(ec, ["y": nil]), changed(ec, ["x": 1]), changed(rsa, ["n": number(128)]),
            changed(rsa, ["n": number(513)]), changed(rsa, ["n": number(256, 0)]),
            changed(rsa, ["n": number(256, 0x80, 2)]),
            changed(rsa, ["e": "AQ"]), changed(rsa, ["e": "AA"]), changed(rsa, ["e": "Ag"]),
            changed(rsa, ["e": "AAEAAQ"]),
            changed(rsa, ["e": "AQAAAAE"]), changed(rsa, ["e": "AQAB="]), changed(rsa, ["kty": nil]),
        ]
        for key in bad {
            let set: JSONValue = ["keys": [key]]
            guard case .keyMalformed = await refusal(set) else {
                Issue.record("\(String(decoding: key.bytes.prefix(120), as: UTF8.self)) was read")
                continue
            }
        }
    }

    @Test func `a nameless key serves only when it is alone`() async throws {
        let fixture = try await Fixture.shared.value
        let nameless = changed(fixture.es256.publicJWK, ["kid": nil])
        let set: JSONValue = ["keys": [nameless]]
        let keys = try await JWKSet(set.bytes)
        let token = try fixture.token(header: #"{"alg":"ES256"}"#)
        #expect(try TokenVerifier.verify(token, keys: keys).issuer == "i")
        let named = try fixture.token(header: #"{"alg":"ES256","kid":"ec"}"#)
        #expect(throws: JOSEError.unknownKey("ec")) { try TokenVerifier.verify(named, keys: keys) }
    }

    @Test func `a signer comes back from its PEM with the same name`() async throws {
        let signer = try await TokenSigner.generate(random: Seeded(3).random)
        let again = try await TokenSigner(privateKeyPEM: signer.privateKeyPEM)
        #expect(again.keyID == signer.keyID && again.publicJWK == signer.publicJWK)
        let keys = try await JWKSet(signer.publicJWKSet)
        #expect(keys.keyIDs == [signer.keyID])
        #expect(try TokenVerifier.verify(try again.sign(["sub": "a\"\\\u{1}é"]), keys: keys).subject == "a\"\\\u{1}é")
        await #expect(throws: JOSEError.self) { try await TokenSigner(privateKeyPEM: "nonsense") }
        await #expect(throws: JOSEError.self) {
            try await TokenSigner(privateKeyPEM: signer.privateKeyPEM, algorithm: .rs256)
        }
        #expect(throws: JOSEError.self) { try signer.sign([1]) }
    }
}
