import CoreProtocol
import HPKI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Platform
import Testing
import Web

@Suite struct TokenEndpointTests {
    private static let verifier = String(repeating: "v", count: 43)
    private static let code = "grant_type=authorization_code&code=c&code_verifier=\(verifier)&client_id=plain"
    private static let dpop = made(HTTPField.Name("DPoP"))

    private static func error(_ response: TestResponse, _ name: String, status: Int = 400) throws {
        #expect(response.status.code == status)
        #expect(response.headers[.contentType] == "application/json")
        #expect(response.headers[.cacheControl] == "no-store")
        #expect(try response.json()["error"] as? String == name)
    }

    @Test func `a code becomes tokens`() async throws {
        try await PlatformWorld.run { world in
            var client = Browser(world)
            let answer = try await client.post(
                "/oauth2/token", Self.code + "&redirect_uri=https%3A%2F%2Frp.example%2Fcb")
            #expect(answer.status == .ok && answer.headers[.cacheControl] == "no-store")
            let json = try answer.json()
            #expect(json["access_token"] as? String == "a.t.s" && json["token_type"] as? String == "Bearer")
            #expect(json["expires_in"] as? Int == 600 && json["id_token"] as? String == "i.d.t")
            guard case .token(let order)? = world.core.acts.last else { throw WrongRequest() }
            #expect(
                order.grant == .code("c", redirectURI: "https://rp.example/cb", verifier: Self.verifier)
                    && order.client.client == "plain" && order.proof == nil)
        }
    }

    @Test func `a proof comes to core with the address of the endpoint`() async throws {
        try await PlatformWorld.run { world in
            var client = Browser(world)
            let answer = try await client.post("/oauth2/token", Self.code, headers: [Self.dpop: "h.p.s"])
            #expect(try answer.json()["token_type"] as? String == "DPoP")
            guard case .token(let order)? = world.core.acts.last else { throw WrongRequest() }
            #expect(order.proof?.url == "https://id.example/oauth2/token" && order.proof?.method == "POST")
            #expect(order.proof?.proof == "h.p.s")
        }
    }

    @Test func `a nonce that is needed comes with the refusal (RFC 9449 §8)`() async throws {
        try await PlatformWorld.run { world in
            var client = Browser(world)
            let answer = try await client.post(
                "/oauth2/token", "grant_type=refresh_token&refresh_token=r&client_id=strict")
            try Self.error(answer, "use_dpop_nonce")
            #expect(answer.headers[made(HTTPField.Name("DPoP-Nonce"))] == "n-1")
        }
    }

    @Test(arguments: [
        ("", "invalid_client"), ("client_id=plain", "invalid_request"),
        ("client_id=plain&grant_type=password&username=u&password=p", "unsupported_grant_type"),
        ("client_id=plain&grant_type=client_credentials", "unsupported_grant_type"),
        ("client_id=plain&grant_type=authorization_code&code=c", "invalid_request"),
        ("client_id=plain&grant_type=authorization_code&code=c&code_verifier=short", "invalid_grant"),
        ("client_id=plain&grant_type=authorization_code&code=c&code=d", "invalid_request"),
        ("client_id=plain&grant_type=refresh_token", "invalid_request"),
        ("client_id=plain&client_secret=s&grant_type=refresh_token&refresh_token=r", "invalid_client"),
        (
            "client_assertion=a.b.c&client_assertion_type=other&grant_type=refresh_token&refresh_token=r",
            "invalid_client"
        ),
    ])
    func `what is wrong with a token request has the name of RFC 6749`(form: String, name: String) async throws {
        try await PlatformWorld.run { world in
            var client = Browser(world)
            let answer = try await client.post("/oauth2/token", form)
            try Self.error(answer, name, status: name == "invalid_client" ? 401 : 400)
            #expect(world.core.acts.isEmpty)
        }
    }

    @Test func `a password of a client is refused with its own scheme`() async throws {
        try await PlatformWorld.run { world in
            var client = Browser(world)
            let answer = try await client.post(
                "/oauth2/token", Self.code, headers: [.authorization: "Basic cGxhaW46c2VjcmV0"])
            try Self.error(answer, "invalid_client", status: 401)
            #expect(answer.headers[.wwwAuthenticate] == "Basic realm=\"shirushi\"")
        }
    }

    @Test func `strict clients push, and the reference opens a login of theirs alone`() async throws {
        try await PlatformWorld.run { world in
            var client = Browser(world)
            let pushed = try await client.post(
                "/oauth2/pushed_authorize", PlatformWorld.parameters(["client_id": "strict"]))
            #expect(pushed.status == .created)
            let json = try pushed.json()
            #expect(json["expires_in"] as? Int == 90)
            let reference = try #require(json["request_uri"] as? String)
            #expect(reference.hasPrefix("urn:ietf:params:oauth:request_uri:"))
            func address(_ id: String) -> String {
                "/oauth2/authorize?" + PercentEncoding.query([("client_id", id), ("request_uri", reference)])
            }
            var browser = Browser(world)
            let other = try await browser.get(address("plain"))
            #expect(other.status == .badRequest && other.text.contains("O-invalid_request_uri"))
            let first = try await browser.get(address("strict"))
            let page = try await browser.get(first.location)
            let card = try await browser.present("hpki-card", at: page)
            let done = try await browser.get(card.location)
            #expect(done.location.hasPrefix("https://rp.example/cb?code="))
            #expect(world.core.grants.last?.isPushed == true && world.core.grants.last?.client == OAuthClient.strict.id)
            var second = Browser(world)
            #expect(try await second.get(address("strict")).status == .badRequest, "it was used")
        }
    }

    @Test(
        arguments: [
            (["redirect_uri": "https://evil.example/"], "invalid_request"),
            (["request_uri": "urn:x"], "invalid_request"),
            (["response_type": "token"], "unsupported_response_type"), (["request": "a.b.c"], "invalid_request_object"),
            (["scope": "admin"], "invalid_scope"),
        ] as [([String: String?], String)])
    func `what is wrong with a pushed request is told at once`(change: [String: String?], name: String) async throws {
        try await PlatformWorld.run { world in
            var client = Browser(world)
            let form = PlatformWorld.parameters(["client_id": "strict"].merging(change) { $1 })
            try Self.error(try await client.post("/oauth2/pushed_authorize", form), name)
        }
    }

    @Test func `introspection, revocation and userinfo say what core says`() async throws {
        try await PlatformWorld.run { world in
            var client = Browser(world)
            let told = try await client.post("/oauth2/introspect", "client_id=plain&token=t")
            #expect(try told.json()["active"] as? Bool == false)
            #expect(try await client.post("/oauth2/revoke", "client_id=plain&token=t").status == .ok)
            try Self.error(try await client.post("/oauth2/revoke", "client_id=plain"), "invalid_request")
            let info = try await world.issuer.execute(
                uri: "/oauth2/userinfo", method: .get, headers: [.authorization: "Bearer \(token())"], body: nil)
            #expect(try info.json()["sub"] as? String == "doctor-1")
            let stranger = try await client.get("/oauth2/userinfo")
            #expect(stranger.status == .unauthorized && stranger.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
        }
    }

    @Test func `metadata offers what there is, to scripts of any page`() async throws {
        try await PlatformWorld.run { world in
            var client = Browser(world)
            let one = try await client.get("/.well-known/openid-configuration")
            let two = try await client.get("/.well-known/oauth-authorization-server")
            #expect(one.text == two.text && one.headers[.accessControlAllowOrigin] == "*")
            let json = try one.json()
            #expect(json["issuer"] as? String == "https://id.example")
            #expect(json["acr_values_supported"] as? [String] == ["hpki-card", "jpki-card"])
            #expect(json["mtls_endpoint_aliases"] == nil)
            for (name, value) in json where name.hasSuffix("_endpoint") || name == "jwks_uri" {
                let path = try #require(value as? String).dropFirst("https://id.example".count)
                #expect(RouteTable.platform.contains { $0.path == path }, "\(name)")
            }
            #expect(try await client.get("/oauth2/jwks").headers[.accessControlAllowOrigin] == "*")
            #expect(try await client.post("/oauth2/token", "").headers[.accessControlAllowOrigin] == nil)
        }
    }

    @Test func `the signing service takes logout tokens, and answers others with 400`() async throws {
        try await PlatformWorld.run { world in
            var issuer = Browser(world)
            let told = try await issuer.post("/v1/backchannel-logout", "logout_token=good.logout.token")
            #expect(told.status == .ok && told.headers[.cacheControl] == "no-store")
            for form in ["logout_token=bad", "", "logout_token=a&logout_token=b"] {
                let refused = try await issuer.post("/v1/backchannel-logout", form)
                #expect(try refused.status == .badRequest && refused.json()["error"] != nil)
            }
        }
    }

    @Test(arguments: RouteTable.platform + RouteTable.cardHosts + [RouteTable.backchannelLogout])
    func `a stranger at the platform gets what the table says`(entry: RouteTable.Entry) async throws {
        try await PlatformWorld.run { world in
            let host = entry.group == .cardHPKI ? world.hpki : entry.group == .cardJPKI ? world.jpki : world.issuer
            let answer = try await host.execute(
                uri: entry.path, method: try #require(HTTPRequest.Method(entry.method)), headers: [:], body: nil)
            #expect(answer.status.code == (entry.toStranger.map { FailureTable.row($0).status } ?? 200))
        }
    }
}
