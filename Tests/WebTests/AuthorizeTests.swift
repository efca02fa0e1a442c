import CoreProtocol
import HPKI
import HTTPTypes
import HummingbirdTesting
import Platform
import Synchronization
import Testing
import Web

@Suite struct AuthorizeTests {
    @Test func `a login leads from the client over the card host to a code with state and iss`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let first = try await browser.get("/oauth2/authorize?" + PlatformWorld.parameters())
            #expect(first.status == .seeOther && first.location.hasPrefix("/login?ceremony="))
            #expect(first.headers[.setCookie]?.hasPrefix("__Host-shirushi-login=") == true)
            let page = try await browser.get(first.location)
            #expect(page.status == .ok && page.text.contains("Clinic plain"))
            let chosen = try await browser.post("/login", page.form + "&method=hpki-card")
            #expect(chosen.status == .seeOther)
            #expect(chosen.location.hasPrefix("https://hpki.id.example/login/card?ceremony="))
            let card = try await browser.get(chosen.location)
            #expect(card.location.hasPrefix("https://id.example/login/continue?ticket="))
            let done = try await browser.get(card.location)
            #expect(done.status == .seeOther && done.location.hasPrefix("https://rp.example/cb?"))
            #expect(done.parameters["state"] == "s-1" && done.parameters["iss"] == "https://id.example")
            #expect(done.parameters["code"]?.hasPrefix("code-") == true)
            let cookie = done.headers[values: .setCookie].first { $0.hasPrefix("__Host-shirushi-session=") } ?? ""
            for part in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=64800"] {
                #expect(cookie.contains("; \(part)"), "\(cookie)")
            }
            let order = try #require(world.core.grants.last)
            #expect(order.codeChallenge == PlatformWorld.challenge && order.nonce == "n-1" && !order.isPushed)
            #expect(
                order.redirectURI == "https://rp.example/cb"
                    && order.secret == browser.cookies.values.first { $0.hasPrefix("secret") })
            for answer in [first, page, chosen, card, done] { #expect(answer.headers[.cacheControl] == "no-store") }
        }
    }

    @Test func `L6 the session serves the next client without a card`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            _ = try await browser.logIn()
            let again = try await browser.get(
                "/oauth2/authorize?" + PlatformWorld.parameters(["client_id": "card-only", "state": "s-2"]))
            #expect(again.location.hasPrefix("https://rp.example/cb?code=") && again.parameters["state"] == "s-2")
            #expect(world.core.state.withLock { $0.opened } == 1)
        }
    }

    @Test func `L7 a session of eighteen hours is over then`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            _ = try await browser.logIn()
            world.reader.now.withLock { $0 = $0.adding(seconds: 64_800) }
            let again = try await browser.get("/oauth2/authorize?" + PlatformWorld.parameters())
            #expect(again.location.hasPrefix("/login?ceremony="))
        }
    }

    @Test(arguments: [
        "https://rp.example/cb/", "https://rp.example/CB", "https://rp.example/cb?x=1", "https://rp.example/cb#f",
        "https://rp.example.evil.example/cb", "https://rp.example@evil.example/cb", "http://rp.example/cb",
        "https://rp.example:443/cb", "https://rp.example/cb/../evil", "https://rp.example/%63b", "//rp.example/cb",
        "javascript:alert(1)", "",
    ])
    func `a redirect URI that is not registered letter by letter gets a page and no redirect`(uri: String) async throws
    {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let answer = try await browser.get(
                "/oauth2/authorize?" + PlatformWorld.parameters(["redirect_uri": uri, "response_type": "token"]))
            #expect(answer.status == .badRequest && answer.location.isEmpty)
            #expect(answer.text.contains("O-invalid_request"))
            #expect(world.core.grants.isEmpty)
        }
    }

    @Test func `a client that nobody registered gets a page`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            for client in ["other", "plain\u{200B}", nil] as [String?] {
                let answer = try await browser.get(
                    "/oauth2/authorize?" + PlatformWorld.parameters(["client_id": client]))
                #expect(answer.status == .badRequest && answer.location.isEmpty)
            }
        }
    }

    @Test(
        arguments: [
            (["response_type": "token"], "unsupported_response_type"),
            (["response_type": "code id_token"], "unsupported_response_type"),
            (["response_type": nil], "invalid_request"), (["response_mode": "fragment"], "invalid_request"),
            (["code_challenge": nil], "invalid_request"), (["code_challenge_method": nil], "invalid_request"),
            (["code_challenge_method": "plain"], "invalid_request"), (["code_challenge": "short"], "invalid_request"),
            (["scope": nil], "invalid_scope"), (["scope": "openid admin"], "invalid_scope"),
            (["scope": "openid openid"], "invalid_scope"), (["resource": "https://other.example"], "invalid_target"),
            (["prompt": "none login"], "invalid_request"), (["prompt": "consent"], "invalid_request"),
            (["max_age": "-1"], "invalid_request"), (["max_age": "1e3"], "invalid_request"),
            (["acr_values": "gold"], "unmet_authentication_requirements"), (["dpop_jkt": "x"], "invalid_request"),
            (["authorization_details": "[{\"type\":\"credential\"}]"], "invalid_authorization_details"),
            (["registration": "{}"], "registration_not_supported"), (["client_id": "strict"], "unauthorized_client"),
            (["prompt": "none"], "login_required"),
        ] as [([String: String?], String)])
    func `what else is wrong is told the client at its own address`(
        change: [String: String?], error: String
    ) async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let answer = try await browser.get("/oauth2/authorize?" + PlatformWorld.parameters(change))
            #expect(answer.status == .seeOther && answer.location.hasPrefix("https://rp.example/cb?"))
            #expect(answer.parameters["error"] == error)
            #expect(answer.parameters["state"] == "s-1" && answer.parameters["iss"] == "https://id.example")
            #expect(answer.parameters["code"] == nil)
        }
    }

    @Test func `a parameter that comes twice is refused, wherever it stands`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            for name in ["client_id", "redirect_uri", "state", "code_challenge", "unknown"] {
                let answer = try await browser.get(
                    "/oauth2/authorize?\(name)=a&" + PlatformWorld.parameters() + "&unknown=b")
                #expect(answer.status == .badRequest && answer.location.isEmpty, "\(name)")
            }
        }
    }

    @Test func `a redirect URI keeps the query that it was registered with`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let done = try await browser.logIn(["redirect_uri": "https://rp.example/cb?tenant=1"])
            #expect(done.location.hasPrefix("https://rp.example/cb?tenant=1&code="))
        }
    }

    @Test func `a request that comes by a form is read at an address that can be loaded again`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let posted = try await browser.post("/oauth2/authorize", PlatformWorld.parameters())
            #expect(
                posted.status == .seeOther
                    && posted.location.hasPrefix("/oauth2/authorize?client_id=plain&request_uri="))
            for _ in 0..<2 {
                let read = try await browser.get(posted.location)
                #expect(read.location.hasPrefix("/login?ceremony="))
            }
            var other = Browser(world)
            _ = try await other.get("/oauth2/authorize?" + PlatformWorld.parameters())
            let stolen = try await other.get(posted.location)
            #expect(stolen.status == .badRequest && stolen.text.contains("O-invalid_request_uri"))
        }
    }

    @Test func `prompt and max_age want a login of now, and are content with it`() async throws {
        for change in [["prompt": "login"], ["prompt": "select_account"], ["max_age": "60"], ["max_age": "0"]] {
            try await PlatformWorld.run { world in
                var browser = Browser(world)
                _ = try await browser.logIn()
                world.reader.now.withLock { $0 = $0.adding(seconds: 61) }
                let done = try await browser.logIn(change.mapValues { .some($0) })
                #expect(done.location.hasPrefix("https://rp.example/cb?code="), "\(change)")
                #expect(world.core.state.withLock { $0.opened } == 2)
                #expect(world.core.grants.last?.notBefore == world.reader.now.withLock { $0 })
            }
        }
    }

    @Test func `acr_values choose the card, and a session by another does not count`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            _ = try await browser.logIn(by: "jpki-card")
            let silent = try await browser.get(
                "/oauth2/authorize?" + PlatformWorld.parameters(["prompt": "none", "acr_values": "hpki-card"]))
            #expect(silent.parameters["error"] == "interaction_required")
            let first = try await browser.get(
                "/oauth2/authorize?" + PlatformWorld.parameters(["acr_values": "hpki-card"]))
            let page = try await browser.get(first.location)
            #expect(page.location.hasPrefix("https://hpki.id.example/login/card?"))
            let done = try await browser.get((try await browser.get(page.location)).location)
            #expect(done.location.hasPrefix("https://rp.example/cb?code="))
            #expect(world.core.grants.last?.methods == [.hpkiCard])
        }
    }

    @Test func `login_hint of somebody else than the session's holder needs a login`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            _ = try await browser.logIn()
            let own = try await browser.get(
                "/oauth2/authorize?" + PlatformWorld.parameters(["login_hint": "doctor-1"]))
            #expect(own.location.hasPrefix("https://rp.example/cb?code="))
            let other = try await browser.get(
                "/oauth2/authorize?" + PlatformWorld.parameters(["login_hint": "doctor-2"]))
            let page = try await browser.get(other.location)
            #expect(page.text.contains("doctor-2"))
        }
    }

    @Test func `core that wants a login gets one, and what core refuses is told`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            _ = try await browser.logIn()
            world.core.state.withLock { $0.grantRefusal = Failure(.loginRequired, "Too old.") }
            let again = try await browser.get("/oauth2/authorize?" + PlatformWorld.parameters())
            #expect(again.location.hasPrefix("/login?ceremony="))
            let silent = try await browser.get("/oauth2/authorize?" + PlatformWorld.parameters(["prompt": "none"]))
            #expect(silent.parameters["error"] == "login_required")
            world.core.state.withLock { $0.grantRefusal = Failure(.loginRefused, "No.", reasons: ["F4", "hpki"]) }
            let refused = try await browser.get("/oauth2/authorize?" + PlatformWorld.parameters())
            #expect(refused.status == .forbidden && refused.text.contains("F4"))
            world.core.state.withLock { $0.grantRefusal = Failure(.invalidScope, "No.") }
            let scope = try await browser.get("/oauth2/authorize?" + PlatformWorld.parameters())
            #expect(scope.parameters["error"] == "invalid_scope")
            world.core.state.withLock { $0.grantRefusal = Failure(.coreUnavailable, "Away.") }
            let away = try await browser.get("/oauth2/authorize?" + PlatformWorld.parameters())
            #expect(away.status == .serviceUnavailable && away.text.contains("S-unavailable"))
        }
    }
}
