import HPKI
import JOSE
import Testing

private let thumbprint = base64URL([UInt8](repeating: 7, count: 32))

@Suite struct `Tokens of several uses` {
    private static let uses: [(name: String, types: TokenTypes, good: [String], isUntypedGood: Bool)] = [
        ("access token", .accessToken, ["at+jwt", "JWT", "application/at+jwt"], true),
        ("client assertion", .clientAssertion, ["client-authentication+jwt", "jwt", "application/JWT"], true),
        ("request object", .requestObject, ["oauth-authz-req+jwt", "JWT", "Application/OAuth-Authz-Req+JWT"], true),
        ("logout token", .logoutToken, ["logout+jwt", "application/logout+jwt"], false),
        ("DPoP proof", .dpop, ["dpop+jwt", "application/dpop+jwt"], false),
    ]

    @Test func `a token passes for its own use and for no other`() async throws {
        let fixture = try await Fixture.shared.value
        let every = [
            "at+jwt", "jwt", "client-authentication+jwt", "oauth-authz-req+jwt", "logout+jwt", "dpop+jwt", "", "+jwt",
            "application/", "application/application/jwt", "text/at+jwt", "secevent+jwt",
        ]
        for use in Self.uses {
            for type in use.good {
                let token = try fixture.es256.sign([:], type: type)
                #expect(fixture.refusal(token, types: use.types) == nil, "\(use.name): \(type)")
            }
            let good = Set(use.good.map { $0.lowercased() })
            for type in every where !good.contains(type) {
                let token = try fixture.es256.sign([:], type: type)
                #expect(fixture.refusal(token, types: use.types) == .typeRefused(type), "\(use.name): \(type)")
            }
            let untyped = try fixture.token(header: #"{"alg":"ES256","kid":"ec"}"#)
            #expect(fixture.refusal(untyped, types: use.types) == (use.isUntypedGood ? nil : .typeMissing))
            for odd in ["1", "null", #"["at+jwt"]"#] {
                let token = try fixture.token(header: #"{"alg":"ES256","kid":"ec","typ":\#(odd)}"#)
                #expect(fixture.refusal(token, types: use.types) == .malformed("typ is no string"))
            }
        }
    }

    @Test func `a binding, events and what else a platform's token says are read`() async throws {
        let fixture = try await Fixture.shared.value
        let claims: JSONValue = [
            "cnf": ["jkt": .string(thumbprint), "x5t#S256": .string(thumbprint), "other": 1], "nonce": "n-1",
            "attested_by": "front",
            "events": ["http://schemas.openid.net/event/backchannel-logout": [:], "https://b.example": ["a": 1]],
        ]
        let text = try fixture.es256.sign(claims, type: "application/Logout+JWT")
        let token = try TokenVerifier.verify(text, keys: fixture.keys, types: .logoutToken)
        #expect(token.type == "logout+jwt")
        #expect(token.cnfThumbprint == thumbprint && token.cnfCertificate == thumbprint)
        #expect(token.nonce == "n-1" && token.attestedBy == "front")
        #expect(token.events == ["http://schemas.openid.net/event/backchannel-logout", "https://b.example"])
        let silent = try TokenVerifier.verify(try fixture.es256.sign([:]), keys: fixture.keys)
        #expect(silent.cnfThumbprint == nil && silent.cnfCertificate == nil && silent.nonce == nil)
        #expect(silent.events.isEmpty && silent.attestedBy == nil)
    }

    @Test func `a binding that is not understood is no bearer token`() async throws {
        let fixture = try await Fixture.shared.value
        for cnf in [[:], ["jwk": [:]], ["x5t": .string(thumbprint)]] as [JSONValue] {
            #expect(fixture.refusal(try fixture.es256.sign(["cnf": cnf])) == .confirmationUnknown)
        }
        let bad: [JSONValue] = [
            .null, .string(thumbprint), [], ["jkt": 1], ["jkt": "AAAA"], ["jkt": .string(thumbprint + "=")],
            ["jkt": .string(thumbprint), "x5t#S256": .null],
        ]
        for cnf in bad { #expect(fixture.refusal(try fixture.es256.sign(["cnf": cnf])) == .claimMalformed("cnf")) }
        for events in [[], "x", ["a"], ["a": 1], ["a": .null]] as [JSONValue] {
            #expect(fixture.refusal(try fixture.es256.sign(["events": events])) == .claimMalformed("events"))
        }
        for name in ["nonce", "attested_by"] {
            let claims = JSONValue.object([JSONMember(name, 1)])
            #expect(fixture.refusal(try fixture.es256.sign(claims)) == .claimMalformed(name))
        }
    }

    @Test func `a request object gives what its client has signed`() async throws {
        let fixture = try await Fixture.shared.value
        let claims: JSONValue = [
            "iss": "clinic", "client_id": "clinic", "aud": "https://op.example", "exp": 2_000_000_000, "nbf": 1,
            "iat": 2, "jti": "r-1", "response_type": "code", "redirect_uri": "https://rp.example/cb", "max_age": 60,
            "authorization_details": [["type": "credential"]],
        ]
        for type in ["oauth-authz-req+jwt", "JWT"] {
            let object = try RequestObject(
                verifying: try fixture.ps256.sign(claims, type: type), keys: fixture.keys, allowed: [.ps256])
            #expect(object.claims == claims)
            #expect(object.issuer == "clinic" && object.clientID == "clinic" && object.tokenID == "r-1")
            #expect(object.audience == ["https://op.example"] && object.keyID == "pss")
            #expect(object.expires == Instant(seconds: 2_000_000_000) && object.notBefore == Instant(seconds: 1))
            #expect(object.issuedAt == Instant(seconds: 2))
            #expect(try object.text("redirect_uri") == "https://rp.example/cb")
            #expect(try object.text("state") == nil)
            #expect(object.claims["max_age"]?.integer == 60)
            #expect(object.claims["authorization_details"]?.elements?.first?["type"]?.text == "credential")
            #expect(throws: JOSEError.claimMalformed("max_age")) { try object.text("max_age") }
        }
    }

    @Test func `a request object that is unsigned, of another type or names another is refused`() async throws {
        let fixture = try await Fixture.shared.value
        func refusal(_ text: String, allowed: Set<JWSAlgorithm> = Set(JWSAlgorithm.allCases)) -> JOSEError? {
            do throws(JOSEError) {
                _ = try RequestObject(verifying: text, keys: fixture.keys, allowed: allowed)
                return nil
            } catch { return error }
        }
        let good = try fixture.es256.sign(["iss": "clinic"], type: "oauth-authz-req+jwt")
        #expect(refusal(good) == nil)
        #expect(refusal(good, allowed: [.ps256]) == .algorithmRefused("ES256"))
        let unsigned = "\(base64URL(#"{"alg":"none"}"#.utf8)).\(base64URL("{}".utf8))."
        #expect(refusal(unsigned) == .unsecured)
        for type in ["at+jwt", "logout+jwt", "dpop+jwt"] {
            #expect(refusal(try fixture.es256.sign([:], type: type)) == .typeRefused(type))
        }
        for name in ["request", "request_uri"] {
            #expect(refusal(try fixture.es256.sign(.object([JSONMember(name, "x")]))) == .claimMalformed(name))
        }
        let stranger = try await TokenSigner.generate(keyID: "ec", random: Seeded(31).random)
        #expect(refusal(try stranger.sign(["iss": "clinic"])) == .badSignature)
        let twice = #"{"redirect_uri":"https://a.example","redirect_uri":"https://b.example"}"#
        let header = #"{"alg":"ES256","kid":"ec"}"#
        #expect(refusal(try fixture.token(header: header, claims: twice)) == .duplicateName("redirect_uri"))
        #expect(refusal(try fixture.token(header: header, claims: "[]")) != nil)
        let huge = try fixture.es256.sign(["x": .string(String(repeating: "a", count: 16_384))])
        #expect(refusal(huge) == .tooLong)
    }
}
