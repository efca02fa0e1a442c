import Crypto
import CryptoExtras
import Foundation
import HPKI
import JOSE
import Testing

@Suite struct `DPoP proofs` {
    private let uri = "https://op.example/oauth2/token"
    private let claims: JSONValue = [
        "jti": "p-1", "htm": "POST", "htu": "https://op.example/oauth2/token", "iat": 1_800_000_000,
    ]

    /// A proof of any header and claims, signed with the fixture's P-256 key.
    private func proof(_ header: JSONValue, _ claims: JSONValue? = nil) async throws -> String {
        try await Fixture.shared.value.token(
            header: String(decoding: header.bytes, as: UTF8.self),
            claims: String(decoding: (claims ?? self.claims).bytes, as: UTF8.self))
    }

    private func header() async throws -> JSONValue {
        let key = try await Fixture.shared.value.es256.publicJWK
        return ["typ": "dpop+jwt", "alg": "ES256", "jwk": key.changed(["kid": nil, "use": nil, "alg": nil])]
    }

    private func refusal(
        _ text: String, allowed: Set<JWSAlgorithm> = Set(JWSAlgorithm.allCases)
    ) async -> JOSEError? {
        do throws(JOSEError) {
            _ = try await DPoPProof(verifying: text, allowed: allowed)
            return nil
        } catch { return error }
    }

    @Test func `a good proof gives its claims and its key's thumbprint`() async throws {
        let fixture = try await Fixture.shared.value
        let hash = base64URL(SHA256.hash(data: Data("token".utf8)))
        let read = try await DPoPProof(
            verifying: try await proof(header(), claims.changed(["ath": .string(hash), "nonce": "n-1"])))
        #expect(read.jti == "p-1" && read.method == "POST" && read.uri == uri)
        #expect(read.issuedAt == Instant(seconds: 1_800_000_000))
        #expect(read.accessTokenHash == hash && read.nonce == "n-1" && read.algorithm == .es256)
        #expect(read.thumbprint == (try JWKThumbprint.of(fixture.es256.publicJWK)))
        let plain = try await DPoPProof(verifying: try await proof(header()), allowed: [.es256])
        #expect(plain.accessTokenHash == nil && plain.nonce == nil)
    }

    @Test func `a proof by an RSA key is read`() async throws {
        let fixture = try await Fixture.shared.value
        for (name, padding) in [("RS256", _RSA.Signing.Padding.insecurePKCS1v1_5), ("PS256", .PSS)] {
            let header: JSONValue = [
                "typ": "dpop+jwt", "alg": .string(name), "jwk": fixture.rs256.publicJWK.changed(["alg": nil]),
            ]
            let input = "\(base64URL(header.bytes)).\(base64URL(claims.bytes))"
            let signature = try fixture.rsa.signature(for: SHA256.hash(data: Data(input.utf8)), padding: padding)
            let text = "\(input).\(base64URL(signature.rawRepresentation))"
            let read = try await DPoPProof(verifying: text)
            #expect(read.thumbprint == (try JWKThumbprint.of(fixture.rs256.publicJWK)))
            #expect(await refusal(text, allowed: [.es256]) == .algorithmRefused(name))
        }
    }

    @Test func `the proof of RFC 9449 is read`() async throws {
        let text = """
            eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0R\
            scEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMj\
            U2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rv\
            a2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfb\
            V37xRZT3Lg
            """
        let read = try await DPoPProof(verifying: text)
        #expect(read.thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
        #expect(read.jti == "-BwC3ESc6acc2lTc" && read.issuedAt == Instant(seconds: 1_562_262_616))
        #expect(read.matches(method: "POST", uri: "https://server.example.com/token"))
    }

    @Test func `another type or algorithm is refused`() async throws {
        let good = try await header()
        for type in ["jwt", "at+jwt", "logout+jwt", "dpop", ""] {
            #expect(await refusal(try await proof(good.changed(["typ": .string(type)]))) == .typeRefused(type))
        }
        #expect(await refusal(try await proof(good.changed(["typ": nil]))) == .typeMissing)
        for name in ["none", "NONE"] {
            #expect(await refusal(try await proof(good.changed(["alg": .string(name)]))) == .unsecured)
        }
        for name in ["HS256", "HS512", "EdDSA", "ES384"] {
            #expect(await refusal(try await proof(good.changed(["alg": .string(name)]))) == .algorithmRefused(name))
        }
        for name in ["RS256", "PS256"] {
            #expect(await refusal(try await proof(good.changed(["alg": .string(name)]))) == .algorithmMismatch)
        }
        #expect(await refusal(try await proof(good.changed(["crit": ["jwk"]]))) == .critRefused)
    }

    @Test func `a private, symmetric, weak or other key is refused`() async throws {
        let fixture = try await Fixture.shared.value
        let good = try await header()
        let key = fixture.es256.publicJWK
        let bad: [JSONValue] = [
            key.changed(["d": "AAAA"]), fixture.rs256.publicJWK.changed(["d": "AAAA", "p": "AA"]),
            ["kty": "oct", "k": "AAAA"], key.changed(["crv": "P-384"]), key.changed(["use": "enc"]),
            key.changed(["y": key["x"]]), key.changed(["x": "AAAA"]), "x", [key], ["kty": "OKP", "crv": "Ed25519"],
            key.changed(["key_ops": ["sign"]]), [:],
        ]
        for jwk in bad {
            guard case .keyMalformed = await refusal(try await proof(good.changed(["jwk": jwk]))) else {
                Issue.record("\(String(decoding: jwk.bytes, as: UTF8.self)) was read")
                continue
            }
        }
        #expect(await refusal(try await proof(good.changed(["jwk": nil, "kid": "ec"]))) == .malformed("no jwk"))
    }

    @Test func `a key that has not signed is refused, and so are two keys`() async throws {
        let fixture = try await Fixture.shared.value
        let stranger = try await TokenSigner.generate(random: Seeded(5).random)
        let good = try await header()
        #expect(await refusal(try await proof(good.changed(["jwk": stranger.publicJWK]))) == .badSignature)
        let own = String(decoding: fixture.es256.publicJWK.bytes, as: UTF8.self)
        let other = String(decoding: stranger.publicJWK.bytes, as: UTF8.self)
        let text = try fixture.token(
            header: #"{"typ":"dpop+jwt","alg":"ES256","jwk":\#(other),"jwk":\#(own)}"#,
            claims: String(decoding: claims.bytes, as: UTF8.self))
        #expect(await refusal(text) == .duplicateName("jwk"))
        // Names of keys are another way to say which key, and count for nothing here.
        #expect(await refusal(try await proof(good.changed(["kid": "other", "jku": "https://x.example"]))) == nil)
    }

    @Test func `a claim that is missing or wrong refuses the proof`() async throws {
        let good = try await header()
        for name in ["jti", "htm", "htu", "iat"] {
            #expect(await refusal(try await proof(good, claims.changed([name: nil]))) == .claimMissing(name))
            let wrong: JSONValue = name == "iat" ? "1" : 1
            #expect(await refusal(try await proof(good, claims.changed([name: wrong]))) == .claimMalformed(name))
        }
        let long = JSONValue.string(String(repeating: "j", count: 257))
        let bad: [(String, JSONValue)] = [
            ("jti", ""), ("jti", long), ("htm", ""), ("htm", long), ("htu", ""), ("htu", "/oauth2/token"),
            ("htu", "op.example/oauth2/token"), ("htu", "ftp://op.example/"), ("htu", "https:///token"),
            ("htu", "https://op.example:x/"), ("htu", "https://op.example:65536/"), ("htu", "https://u@op.example/"),
            ("htu", "https://op.example/ü"), ("htu", "https://op.example/a b"), ("htu", "https://op.example\\x/"),
            ("ath", 1), ("ath", "AAAA"), ("ath", ""), ("nonce", 1), ("nonce", ""), ("iat", .null), ("htu", ["x"]),
        ]
        for (name, value) in bad {
            #expect(
                await refusal(try await proof(good, claims.changed([name: value]))) == .claimMalformed(name),
                "\(name) \(value)")
        }
        #expect(await refusal(try await proof(good, [])) != nil)
        let edge = JSONValue.string(String(repeating: "j", count: 256))
        #expect(await refusal(try await proof(good, claims.changed(["jti": edge]))) == nil)
        let huge = JSONValue.string(String(repeating: "a", count: DPoPProof.byteLimit))
        #expect(await refusal(try await proof(good, claims.changed(["x": huge]))) == .tooLong)
    }

    @Test func `a request is told from others as RFC 9449 compares them`() async throws {
        let good = try await header()
        func read(_ htu: String) async throws -> DPoPProof {
            try await DPoPProof(verifying: try await proof(good, claims.changed(["htu": .string(htu)])))
        }
        for same in [
            uri, "HTTPS://OP.example/oauth2/token", "https://op.example:443/oauth2/token",
            "https://op.example:/oauth2/token", uri + "?a=b", uri + "#c", uri + "?a=/b#c?d",
        ] {
            #expect(try await read(same).matches(method: "POST", uri: uri), "\(same)")
            #expect(try await read(uri).matches(method: "POST", uri: same), "\(same)")
        }
        for other in [
            "http://op.example/oauth2/token", "https://op.example:8443/oauth2/token", "https://op.example/oauth2/Token",
            "https://op.example/oauth2/token/", "https://op.example/oauth2/par", "https://op.example.evil/oauth2/token",
            "https://op.example/x/../oauth2/token", "https://op.example//oauth2/token", "https://op.example",
        ] {
            #expect(!(try await read(other).matches(method: "POST", uri: uri)), "\(other)")
        }
        let one = try await read(uri)
        for method in ["GET", "post", "", "POST "] { #expect(!one.matches(method: method, uri: uri)) }
        for odd in ["", "x", "/oauth2/token", "https://"] { #expect(!one.matches(method: "POST", uri: odd)) }
        for (htu, asked, isSame) in [
            ("https://[::1]:443/a", "https://[::1]/a", true), ("https://[::1]:8443/a", "https://[::1]/a", false),
            ("https://op.example?x", "https://op.example/", true),
            ("https://op.example/%e3%81a", "https://op.example/%E3%81a", true),
            ("https://op.example/%E3a", "https://op.example/%E3A", false),
        ] {
            #expect(try await read(htu).matches(method: "POST", uri: asked) == isSame, "\(htu)")
        }
    }

    @Test func `five thousand mutated proofs neither trap nor pass`() async throws {
        let seeded = Seeded(17)
        let original = Array(try await proof(header()).utf8)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=".utf8)
        var accepted = 0
        for _ in 0..<5000 {
            var bytes = original
            for _ in 0...seeded.next(2) {
                switch seeded.next(3) {
                case 0: bytes[seeded.next(bytes.count)] = alphabet[seeded.next(alphabet.count)]
                case 1: bytes.remove(at: seeded.next(bytes.count))
                default: bytes.insert(alphabet[seeded.next(alphabet.count)], at: seeded.next(bytes.count))
                }
            }
            if bytes != original, await refusal(String(decoding: bytes, as: UTF8.self)) == nil { accepted += 1 }
        }
        #expect(accepted == 0)
    }
}
