import CoreProtocol
import HPKI
import HTTPTypes
import HummingbirdTesting
import Testing
import Web

@Suite struct LogoutTests {
    private static let bye = "post_logout_redirect_uri=https%3A%2F%2Frp.example%2Fbye&state=s-9"

    @Test func `O1 a relying system's logout by its ID token ends the session and leads back`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            _ = try await browser.logIn()
            let out = try await browser.get("/oauth2/logout?id_token_hint=id.of.plain&" + Self.bye)
            #expect(out.location == "https://rp.example/bye?state=s-9")
            #expect(world.core.sessions.isEmpty && browser.cookies["__Host-shirushi-session"] == nil)
            let next = try await browser.get("/oauth2/authorize?" + PlatformWorld.parameters())
            #expect(next.location.hasPrefix("/login?"), "the next login needs a card")
        }
    }

    @Test(arguments: ["https://rp.example/bye/", "https://evil.example/", "https://rp.example/cb"])
    func `an address that is not registered for it is not led to`(uri: String) async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            _ = try await browser.logIn()
            let query = PercentEncoding.query([("post_logout_redirect_uri", uri), ("client_id", "plain")])
            for hint in ["", "&id_token_hint=id.of.plain"] {
                let out = try await browser.get("/oauth2/logout?\(query)\(hint)")
                #expect(out.status == .badRequest && out.location.isEmpty)
            }
        }
    }

    @Test func `without an ID token the person is asked`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            _ = try await browser.logIn()
            for hint in ["", "&id_token_hint=expired"] {
                let asked = try await browser.get("/oauth2/logout?client_id=plain&\(Self.bye)\(hint)")
                #expect(asked.status == .ok && asked.text.contains("doctor-1") && asked.text.contains("Clinic plain"))
                #expect(world.core.sessions.count == 1)
            }
            let asked = try await browser.get("/oauth2/logout?client_id=plain&\(Self.bye)")
            let forged = try await browser.post("/oauth2/logout", "form=00&client_id=plain&" + Self.bye)
            #expect(forged.status == .badRequest && world.core.sessions.count == 1)
            let out = try await browser.post("/oauth2/logout", asked.form + "&client_id=plain&" + Self.bye)
            #expect(out.location == "https://rp.example/bye?state=s-9" && world.core.sessions.isEmpty)
            #expect(browser.cookies["__Host-shirushi-session"] == nil)
            #expect(try await browser.get("/oauth2/logout").status == .ok, "there is nobody to log out any more")
        }
    }

    @Test func `a logout that another site posts is read where the cookies come along`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let led = try await browser.post("/oauth2/logout", "client_id=plain&" + Self.bye)
            #expect(led.status == .seeOther && led.location.hasPrefix("/oauth2/logout?client_id=plain&"))
        }
    }

    @Test func `one's own sessions are listed and ended`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            #expect(try await browser.get("/sessions").status == .ok)
            _ = try await browser.logIn()
            let page = try await browser.get("/sessions")
            #expect(page.text.contains("doctor-1") && page.text.contains("sid-1"))
            let forged = try await browser.post("/sessions/end", "session=sid-1&form=00")
            #expect(forged.status == .badRequest && world.core.sessions.count == 1)
            let ended = try await browser.post("/sessions/end", page.form + "&session=sid-1")
            #expect(ended.location == "/sessions?done=ended")
            #expect(world.core.acts.contains(.end(.own(secret: "secret-1", session: "sid-1"))))
            _ = try await browser.logIn()
            let again = try await browser.get("/sessions")
            let all = try await browser.post("/sessions/end", again.form + "&all=1")
            #expect(all.location == "/sessions?done=endedAll" && world.core.sessions.isEmpty)
            #expect(browser.cookies["__Host-shirushi-session"] == nil)
        }
    }
}
