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

    @Test func `keys for other uses and of other kinds are skipped`() async throws {
        let fixture = try await Fixture.shared.value
        let ec = fixture.es256.publicJWK
        let set: JSONValue = [
            "keys": [
                ec, ec.changed(["kid": "enc", "use": "enc"]), ec.changed(["kid": "ops", "key_ops": ["sign"]]),
                ec.changed(["kid": "es384", "alg": "ES384"]), ec.changed(["kid": "p384", "crv": "P-384"]),
                ["kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "okp"],
                ec.changed(["kid": "verify", "key_ops": ["verify"], "alg": nil]),
            ]
        ]
        #expect(try await JWKSet(set.bytes).keyIDs == ["ec", "verify"])
    }

    @Test func `a set that gives away or confuses keys is refused whole`() async throws {
        let fixture = try await Fixture.shared.value
        let ec = fixture.es256.publicJWK
        let rsa = fixture.rs256.publicJWK
        let bad: [JSONValue] = [
            ["keys": [ec.changed(["d": "AAAA"])]], ["keys": [rsa, ec.changed(["kid": "x", "d": "AAAA"])]],
            ["keys": [["kty": "oct", "k": "AAAA", "kid": "o"]]], ["keys": [ec, ec]],
            ["keys": [ec, rsa.changed(["kid": nil])]], ["keys": "x"], [:], [], ["keys": ["x"]],
            ["keys": [ec.changed(["kid": 1])]], ["keys": [ec.changed(["kid": ""])]],
            ["keys": .array((0..<65).map { ec.changed(["kid": .string("k\($0)")]) })],
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
            ec.changed(["x": zero]), ec.changed(["x": zero, "y": zero]), ec.changed(["x": "AAAA"]),
            ec.changed(["y": nil]), ec.changed(["x": 1]), rsa.changed(["n": number(128)]),
            rsa.changed(["n": number(513)]), rsa.changed(["n": number(256, 0)]),
            rsa.changed(["n": number(256, 0x80, 2)]),
            rsa.changed(["e": "AQ"]), rsa.changed(["e": "AA"]), rsa.changed(["e": "Ag"]),
            rsa.changed(["e": "AAEAAQ"]),
            rsa.changed(["e": "AQAAAAE"]), rsa.changed(["e": "AQAB="]), rsa.changed(["kty": nil]),
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
        let nameless = fixture.es256.publicJWK.changed(["kid": nil])
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
        #expect(TokenSigner.jwks(of: [signer]) == signer.publicJWKSet)
        await #expect(throws: JOSEError.self) { try await TokenSigner(privateKeyPEM: "nonsense") }
        await #expect(throws: JOSEError.self) {
            try await TokenSigner(privateKeyPEM: signer.privateKeyPEM, algorithm: .rs256)
        }
        #expect(throws: JOSEError.self) { try signer.sign([1]) }
    }

    @Test func `a set of several keys verifies by each, and by its own alone`() async throws {
        let fixture = try await Fixture.shared.value
        let next = try await TokenSigner.generate(keyID: "next", random: Seeded(12).random)
        let keys = try await JWKSet(TokenSigner.jwks(of: [fixture.es256, next, fixture.rs256]))
        #expect(keys.keyIDs == ["ec", "next", "rsa"])
        for signer in [fixture.es256, next, fixture.rs256] {
            let assertion = try signer.sign(["iss": "clinic", "sub": "clinic"], type: "client-authentication+jwt")
            let token = try TokenVerifier.verify(assertion, keys: keys, types: .clientAssertion)
            #expect(token.keyID == signer.keyID && token.subject == "clinic")
        }
        let posing = try await TokenSigner(privateKeyPEM: next.privateKeyPEM, keyID: "ec")
        #expect(throws: JOSEError.badSignature) {
            try TokenVerifier.verify(try posing.sign([:]), keys: keys, types: .clientAssertion)
        }
        #expect(throws: JOSEError.unknownKey("pss")) {
            try TokenVerifier.verify(try fixture.ps256.sign([:]), keys: keys, types: .clientAssertion)
        }
    }

    @Test func `thumbprints are those of RFC 7638 and do not change with what stands beside the key`() async throws {
        let n = """
            0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3\
            oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA\
            ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-\
            kEgU8awapJzKnqDKgw
            """
        let rsa: JSONValue = [
            "kty": "RSA", "n": .string(n), "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        ]
        #expect(try JWKThumbprint.of(rsa) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        let signer = try await TokenSigner.generate(random: Seeded(4).random)
        #expect(try JWKThumbprint.of(signer.publicJWK) == signer.keyID)
        #expect(try JWKThumbprint.of(signer.publicJWK.changed(["kid": "other", "alg": nil])) == signer.keyID)
        for bad in [
            signer.publicJWK.changed(["d": "AAAA"]), signer.publicJWK.changed(["crv": "P-384"]), ["kty": "oct"], [1],
        ] {
            #expect(throws: JOSEError.self) { try JWKThumbprint.of(bad) }
        }
    }

    @Test func `at_hash is the left half of the access token's hash`() async throws {
        let signer = try await TokenSigner.generate(random: Seeded(4).random)
        // OpenID Connect Core A.3.
        #expect(signer.atHash(of: "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ")
    }
}
