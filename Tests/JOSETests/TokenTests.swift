import Crypto
import CryptoExtras
import Foundation
import HPKI
import JOSE
import Testing

@Suite struct `Verifying tokens` {
    @Test func `a good token of each algorithm gives its claims`() async throws {
        let fixture = try await Fixture.shared.value
        for signer in [fixture.es256, fixture.rs256, fixture.ps256] {
            let text = try signer.sign(Fixture.claims, type: "at+jwt")
            let token = try TokenVerifier.verify(text, keys: fixture.keys)
            #expect(token.algorithm == signer.algorithm)
            #expect(token.keyID == signer.keyID)
            #expect(token.type == "at+jwt")
            #expect(token.issuer == "https://issuer.example")
            #expect(token.subject == "100001-jpa")
            #expect(token.audience == ["shirushi", "other"])
            #expect(token.expires == Instant(seconds: 2_000_000_000))
            #expect(token.notBefore == Instant(seconds: 1_000_000_000))
            #expect(token.issuedAt == Instant(seconds: 1_000_000_000))
            #expect(token.authenticatedAt == Instant(seconds: 999_999_999))
            #expect(token.authenticationContext == "hpki-card")
            #expect(token.authenticationMethods == ["hwk", "pin"])
            #expect(token.client == "clinic-1")
            #expect(token.authorizedParty == "azp-1")
            #expect(token.tokenID == "j1" && token.sessionID == "s1")
            #expect(token.scope == ["sign", "read"])
            #expect(token.roles == ["Medical Doctor"])
            #expect(try TokenVerifier.unverifiedIssuer(text) == "https://issuer.example")
        }
    }

    @Test func `claims not made are nil and never guessed`() async throws {
        let fixture = try await Fixture.shared.value
        let token = try TokenVerifier.verify(try fixture.es256.sign([:]), keys: fixture.keys)
        #expect(token.issuer == nil && token.expires == nil && token.roles == nil && token.client == nil)
        #expect(token.audience.isEmpty && token.scope.isEmpty)
    }

    @Test(arguments: [
        #"{"iss":1}"#, #"{"sub":null}"#, #"{"aud":[1]}"#, #"{"aud":{}}"#, #"{"exp":"1"}"#, #"{"exp":1e3}"#,
        #"{"exp":9223372036854775808}"#, #"{"nbf":true}"#, #"{"iat":[]}"#, #"{"auth_time":"x"}"#, #"{"amr":"pwd"}"#,
        #"{"roles":"doctor"}"#, #"{"scope":["a"]}"#, #"{"exp":1.5e1}"#, #"{"roles":[["a"]]}"#, #"{"acr":1}"#,
    ])
    func `a claim of the wrong type refuses the token`(claims: String) async throws {
        let fixture = try await Fixture.shared.value
        let token = try fixture.token(header: #"{"alg":"ES256","kid":"ec"}"#, claims: claims)
        guard case .claimMalformed = fixture.refusal(token) else {
            Issue.record("\(claims): \(String(describing: fixture.refusal(token)))")
            return
        }
    }

    @Test func `a fractional date is rounded down`() async throws {
        let fixture = try await Fixture.shared.value
        for (text, seconds) in [
            ("12.9", Int64(12)), ("-0.5", -1), ("-12.0", -12), ("0.0", 0), ("-9223372036854775808", .min),
        ] {
            let token = try fixture.token(header: #"{"alg":"ES256","kid":"ec"}"#, claims: #"{"exp":\#(text)}"#)
            #expect(try TokenVerifier.verify(token, keys: fixture.keys).expires == Instant(seconds: seconds), "\(text)")
        }
    }

    @Test func `none and other algorithms are refused with their own reason`() async throws {
        let fixture = try await Fixture.shared.value
        for name in ["none", "None", "NONE", "nOnE"] {
            #expect(fixture.refusal(try fixture.token(header: #"{"alg":"\#(name)","kid":"ec"}"#)) == .unsecured)
            let bare = "\(base64URL(#"{"alg":"\#(name)"}"#.utf8)).\(base64URL("{}".utf8))."
            #expect(fixture.refusal(bare) == .unsecured)
        }
        for name in ["HS256", "HS512", "ES384", "RS512", "PS384", "EdDSA", "es256", "ES256 ", ""] {
            let token = try fixture.token(header: #"{"alg":"\#(name)","kid":"ec"}"#)
            #expect(fixture.refusal(token) == .algorithmRefused(name))
        }
        #expect(fixture.refusal(try fixture.es256.sign([:]), allowed: [.rs256]) == .algorithmRefused("ES256"))
        #expect(fixture.refusal(try fixture.token(header: #"{"kid":"ec"}"#)) == .malformed("no alg"))
        #expect(fixture.refusal(try fixture.token(header: #"{"alg":["ES256"],"kid":"ec"}"#)) == .malformed("no alg"))
    }

    @Test func `a public RSA key used as an HMAC secret opens nothing`() async throws {
        let fixture = try await Fixture.shared.value
        for secret in [Data(fixture.rsa.publicKey.pemRepresentation.utf8), fixture.rsa.publicKey.derRepresentation] {
            let input = "\(base64URL(#"{"alg":"HS256","kid":"rsa"}"#.utf8)).\(base64URL("{}".utf8))"
            let code = HMAC<SHA256>.authenticationCode(for: Data(input.utf8), using: SymmetricKey(data: secret))
            #expect(fixture.refusal("\(input).\(base64URL(Data(code)))") == .algorithmRefused("HS256"))
        }
    }

    @Test func `a key is used for its own algorithm only`() async throws {
        let fixture = try await Fixture.shared.value
        let asES = try fixture.token(header: #"{"alg":"ES256","kid":"rsa"}"#)
        #expect(fixture.refusal(asES) == .algorithmMismatch)
        // The set says RS256 of this key and PS256 of the other, though both are RSA.
        let pss = try await TokenSigner(privateKeyPEM: fixture.ps256.privateKeyPEM, algorithm: .ps256, keyID: "rsa")
        #expect(fixture.refusal(try pss.sign([:])) == .algorithmMismatch)
        let rs = try fixture.token(header: #"{"alg":"RS256","kid":"ec"}"#)
        #expect(fixture.refusal(rs) == .algorithmMismatch)
    }

    @Test(arguments: ["other", "../../dev/null", "ec' OR '1'='1", "/proc/self/environ", "ec\\u0000", "EC", "e\\u0301c"])
    func `a kid is compared and never interpreted`(kid: String) async throws {
        let fixture = try await Fixture.shared.value
        let token = try fixture.token(header: #"{"alg":"ES256","kid":"\#(kid)"}"#)
        guard case .unknownKey = fixture.refusal(token) else {
            Issue.record("\(kid) was not unknown")
            return
        }
    }

    @Test func `a missing or odd kid is refused`() async throws {
        let fixture = try await Fixture.shared.value
        #expect(fixture.refusal(try fixture.token(header: #"{"alg":"ES256"}"#)) == .missingKeyID)
        for kid in ["1", "null", #"["ec"]"#, #""""#, "\"\(String(repeating: "k", count: 257))\""] {
            let token = try fixture.token(header: #"{"alg":"ES256","kid":\#(kid)}"#)
            #expect(fixture.refusal(token) == .malformed("kid"))
        }
    }

    @Test func `crit, b64 and other types are refused`() async throws {
        let fixture = try await Fixture.shared.value
        for crit in [#"["exp"]"#, "[]", #"["b64"]"#, "null"] {
            #expect(
                fixture.refusal(try fixture.token(header: #"{"alg":"ES256","kid":"ec","crit":\#(crit)}"#))
                    == .critRefused)
        }
        #expect(fixture.refusal(try fixture.token(header: #"{"alg":"ES256","kid":"ec","b64":false}"#)) != nil)
        for type in ["dpop+jwt", "logout+jwt", "JOSE+JSON", ""] {
            let token = try fixture.token(header: #"{"alg":"ES256","kid":"ec","typ":"\#(type)"}"#)
            #expect(fixture.refusal(token) == .typeRefused(type))
        }
        for type in ["JWT", "jwt", "at+jwt", "application/at+JWT"] {
            #expect(fixture.refusal(try fixture.token(header: #"{"alg":"ES256","kid":"ec","typ":"\#(type)"}"#)) == nil)
        }
    }

    @Test func `a key inside the token counts for nothing`() async throws {
        let fixture = try await Fixture.shared.value
        let own = try await TokenSigner.generate(keyID: "ec", random: Seeded(99).random)
        let thief = try P256.Signing.PrivateKey(pemRepresentation: own.privateKeyPEM)
        let jwk = String(decoding: own.publicJWK.bytes, as: UTF8.self)
        for extra in [
            #""jwk":\#(jwk)"#, #""jku":"http://127.0.0.1:1/"# + "\"", #""x5u":"http://127.0.0.1:1/c""#,
            #""x5c":["AAAA"]"#,
        ] {
            let header = #"{"alg":"ES256","kid":"ec",\#(extra)}"#
            let input = "\(base64URL(header.utf8)).\(base64URL("{}".utf8))"
            let forged = try thief.signature(for: Data(input.utf8)).rawRepresentation
            #expect(fixture.refusal("\(input).\(base64URL(forged))") == .badSignature)
            // The same members beside an honest signature are ignored.
            #expect(fixture.refusal(try fixture.token(header: header)) == nil)
        }
    }

    @Test func `a signature of zeros, in DER, or of another length is not good`() async throws {
        let fixture = try await Fixture.shared.value
        let good = try fixture.es256.sign(["iss": "i"])
        let input = good.split(separator: ".").prefix(2).joined(separator: ".")
        let raw = try fixture.ec.signature(for: Data(input.utf8))
        func with(_ bytes: some Sequence<UInt8>) -> JOSEError? {
            fixture.refusal("\(input).\(base64URL(bytes))")
        }
        #expect(with(raw.rawRepresentation) == nil)
        let order = [UInt8](repeating: 0xFF, count: 64)
        let bad: [[UInt8]] = [
            [UInt8](repeating: 0, count: 64), order, Array(raw.derRepresentation), [], [0],
            Array(raw.rawRepresentation.dropLast()), Array(raw.rawRepresentation) + [0],
            Array(raw.rawRepresentation.prefix(32)) + [UInt8](repeating: 0, count: 32),
            Array(raw.rawRepresentation.suffix(32)) + Array(raw.rawRepresentation.prefix(32)),
        ]
        for bytes in bad { #expect(with(bytes) == .badSignature) }
        let rsa = try fixture.rs256.sign([:])
        #expect(fixture.refusal(String(rsa.prefix(rsa.count - 20))) != nil)
    }

    @Test func `only the canonical compact form is read`() async throws {
        let fixture = try await Fixture.shared.value
        let good = try fixture.es256.sign(["iss": "i"])
        let parts = good.split(separator: ".").map(String.init)
        let json = #"{"payload":"\#(parts[1])","signatures":[{"protected":"\#(parts[0])","signature":"\#(parts[2])"}]}"#
        let odd = [
            "", ".", "..", "...", good + ".", "." + good, good + "." + parts[2], good + "=", good + "==", " " + good,
            good + "\n", good + " ", "Bearer " + good, json, "\(parts[0])..\(parts[2])", "\(parts[0]).\(parts[1])",
            "\(parts[0])=.\(parts[1]).\(parts[2])", "\(parts[0]).\(parts[1])\n.\(parts[2])",
            good.replacingOccurrences(of: "-", with: "+") + "+", good + "\u{0}",
            "\(parts[0])\u{FF0E}\(parts[1]).\(parts[2])",
        ]
        for text in odd { #expect(fixture.refusal(text) != nil, "\(text)") }
        // The last letter of 64 bytes in base64url has four bits to spare; any of them set is another text.
        let spare = String(good.dropLast()) + (good.hasSuffix("A") || good.hasSuffix("Q") ? "B" : "B")
        #expect(fixture.refusal(spare) != nil)
        let huge = try fixture.es256.sign(["x": .string(String(repeating: "a", count: 16_384))])
        #expect(fixture.refusal(huge) == .tooLong)
    }

    @Test func `a name twice refuses the token`() async throws {
        let fixture = try await Fixture.shared.value
        let headers = [#"{"alg":"ES256","alg":"none","kid":"ec"}"#, #"{"alg":"ES256","kid":"ec","\u006bid":"x"}"#]
        for header in headers {
            guard case .duplicateName = fixture.refusal(try fixture.token(header: header)) else {
                Issue.record("\(header) was read")
                return
            }
        }
        let token = try fixture.token(header: #"{"alg":"ES256","kid":"ec"}"#, claims: #"{"sub":"a","sub":"b"}"#)
        #expect(fixture.refusal(token) == .duplicateName("sub"))
        let deep = #"{"a":"# + String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000) + "}"
        #expect(fixture.refusal(try fixture.token(header: #"{"alg":"ES256","kid":"ec"}"#, claims: deep)) != nil)
        for claims in [
            "", "[]", "1", "{", "{}{}", "{\"a\":1,}", "{'a':1}", "{\"a\":01}", "{\"a\":\"\\ud800\"}", "{\"a\":NaN}",
        ] {
            #expect(
                fixture.refusal(try fixture.token(header: #"{"alg":"ES256","kid":"ec"}"#, claims: claims)) != nil,
                "\(claims)")
        }
    }

    @Test func `ten thousand mutated tokens neither trap nor pass`() async throws {
        let fixture = try await Fixture.shared.value
        let seeded = Seeded(7)
        let originals = try [fixture.es256, fixture.rs256].map { Array(try $0.sign(Fixture.claims).utf8) }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n".utf8)
        var accepted = 0
        for round in 0..<10_000 {
            let original = originals[round % 2]
            var bytes = original
            for _ in 0...seeded.next(3) {
                switch seeded.next(4) {
                case 0: bytes[seeded.next(bytes.count)] = alphabet[seeded.next(alphabet.count)]
                case 1: bytes.remove(at: seeded.next(bytes.count))
                case 2: bytes.insert(alphabet[seeded.next(alphabet.count)], at: seeded.next(bytes.count))
                default: bytes[seeded.next(bytes.count)] ^= UInt8(1 << seeded.next(7))
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if bytes != original, fixture.refusal(text) == nil { accepted += 1 }
        }
        #expect(accepted == 0)
    }
}
