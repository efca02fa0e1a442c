import CoreProtocol
import HPKI
import HTTPTypes
import HummingbirdTesting
import Platform
import Synchronization
import Testing
import Web

@Suite struct LoginTests {
    /// The page of a login under way in a new browser.
    private static func begun(
        _ browser: inout Browser, _ changes: [String: String?] = [:]
    ) async throws -> (address: String, page: TestResponse) {
        let first = try await browser.get("/oauth2/authorize?" + PlatformWorld.parameters(changes))
        return (first.location, try await browser.get(first.location))
    }

    @Test func `a login belongs to the browser that began it`() async throws {
        try await PlatformWorld.run { world in
            var victim = Browser(world)
            var attacker = Browser(world)
            let (address, page) = try await Self.begun(&attacker)
            let stranger = try await victim.get(address)
            #expect(stranger.status == .badRequest && stranger.text.contains("F6"))
            // The attacker's own card, its way back opened in the victim's browser: login CSRF.
            let card = try await attacker.present("hpki-card", at: page)
            _ = try await Self.begun(&victim)
            let forced = try await victim.get(card.location)
            #expect(forced.status == .badRequest && forced.text.contains("F6"))
            #expect(victim.cookies["__Host-shirushi-session"] == nil)
            #expect(world.core.sessions.isEmpty, "the session that was to be forced has ended")
            let late = try await attacker.get(card.location)
            #expect(late.location == address, "the ticket was used up")
        }
    }

    @Test func `a form of another site or another login is refused`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let (_, page) = try await Self.begun(&browser)
            let (_, other) = try await Self.begun(&browser)
            let ceremony = page.form.split(separator: "&").first { $0.hasPrefix("ceremony=") } ?? ""
            let token = other.form.split(separator: "&").first { $0.hasPrefix("form=") } ?? ""
            for form in ["\(ceremony)&method=hpki-card", "\(ceremony)&\(token)&method=hpki-card"] {
                let answer = try await browser.post("/login", form)
                #expect(answer.status == .badRequest && answer.location.isEmpty)
            }
            let site = try #require(HTTPField.Name("Sec-Fetch-Site"))
            let foreign = try await browser.post(
                "/login", page.form + "&method=hpki-card", headers: [site: "cross-site"])
            #expect(foreign.status == .badRequest)
        }
    }

    @Test func `reload and back are safe at every step`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let (address, page) = try await Self.begun(&browser)
            #expect(try await browser.get(address).form == page.form)
            let chosen = try await browser.post("/login", page.form + "&method=hpki-card")
            let card = try await browser.get(chosen.location)
            let cardAgain = try await browser.get(chosen.location)
            #expect(cardAgain.location == "https://id.example" + address, "one card makes one session")
            #expect(world.core.state.withLock { $0.opened } == 1)
            let done = try await browser.get(card.location)
            let repeated = try await browser.get(card.location)
            #expect(repeated.location == address)
            let again = try await browser.get(address)
            #expect(again.location.hasPrefix("https://rp.example/cb?code="))
            #expect(again.parameters["code"] != done.parameters["code"], "a code is given once")
            #expect(browser.cookies["__Host-shirushi-session"] == "secret-1")
        }
    }

    @Test func `E20 a page that is posted to cannot be got, and says so`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let answer = try await browser.get("/sessions/end")
            #expect(answer.status == .methodNotAllowed && answer.text.contains("E20"))
        }
    }

    @Test func `E18 somebody else's card is told, and the switch ends the old session first`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            _ = try await browser.logIn()
            world.reader.certificate.withLock { $0 = [2] }
            let told = try await browser.logIn(["prompt": "login"])
            #expect(
                told.location.hasPrefix("/login?ceremony=") && browser.cookies["__Host-shirushi-session"] == "secret-1")
            let page = try await browser.get(told.location)
            #expect(page.status == .conflict)
            for word in ["E18", "doctor-1", "doctor-2"] { #expect(page.text.contains(word)) }
            let switched = try await browser.post("/login", page.form + "&action=switch")
            #expect(world.core.acts.contains(.end(.own(secret: "secret-1", session: nil))))
            #expect(browser.cookies["__Host-shirushi-session"] == "secret-2")
            let done = try await browser.get(switched.location)
            #expect(done.location.hasPrefix("https://rp.example/cb?code="))
            #expect(world.core.grants.last?.secret == "secret-2")
        }
    }

    @Test func `E18 whoever was signed in may stay, and the other's session ends`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            _ = try await browser.logIn()
            world.reader.certificate.withLock { $0 = [2] }
            let told = try await browser.logIn(["login_hint": "doctor-2"])
            let page = try await browser.get(told.location)
            let kept = try await browser.post("/login", page.form + "&action=keep")
            #expect(world.core.sessions.keys.sorted() == ["secret-1"])
            #expect(browser.cookies["__Host-shirushi-session"] == "secret-1")
            let next = try await browser.get(kept.location)
            #expect(next.status == .conflict && next.text.contains("E18"), "the request is for the other still")
        }
    }

    @Test func `a login may be given up`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let (_, page) = try await Self.begun(&browser)
            let answer = try await browser.post("/login", page.form + "&action=cancel")
            #expect(answer.location.hasPrefix("https://rp.example/cb?error=access_denied"))
            #expect(answer.parameters["state"] == "s-1")
        }
    }

    @Test func `F1 no certificate gets our page, after which the browser connects anew`() async throws {
        try await PlatformWorld.run { world in
            world.reader.certificate.withLock { $0 = nil }
            var browser = Browser(world)
            let (_, page) = try await Self.begun(&browser)
            let answer = try await browser.present("hpki-card", at: page)
            #expect(answer.status == .forbidden && answer.text.contains(">F1<"))
            #expect(answer.headers[.connection] == "close")
            #expect(world.core.state.withLock { $0.opened } == 0)
            // The card is put in, and the page loaded again.
            world.reader.certificate.withLock { $0 = [1] }
            let chosen = try await browser.post("/login", page.form + "&method=hpki-card")
            let opened = try await browser.get(chosen.location)
            // Whoever used the connection next would have the card without its PIN.
            #expect(opened.status == .seeOther && opened.headers[.connection] == "close")
        }
    }

    @Test func `F17 a minute between the certificate and its PIN is the longest`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let (_, page) = try await Self.begun(&browser)
            world.reader.seconds.withLock { $0 = 60.5 }
            let chosen = try await browser.post("/login", page.form + "&method=jpki-card")
            let slow = try await browser.get(chosen.location)
            #expect(slow.status == .forbidden && slow.text.contains(">F17<"))
            world.reader.seconds.withLock { $0 = 59.5 }
            #expect(try await browser.get(chosen.location).status == .seeOther, "a page of a fault can be loaded again")
        }
    }

    @Test(arguments: ["F4", "F11", "F18", "F19", "F20"], CardEvidence.Kind.allCases)
    func `what core refuses has its row's page`(row: String, kind: CardEvidence.Kind) async throws {
        try await PlatformWorld.run { world in
            world.core.refuseLogins([row, kind.rawValue])
            var browser = Browser(world)
            let (_, page) = try await Self.begun(&browser)
            let answer = try await browser.present("\(kind.rawValue)-card", at: page)
            #expect(answer.status == .forbidden && answer.text.contains(">\(row)<"))
            #expect(answer.text.contains("https://id.example/help/\(row)"))
            #expect(answer.text.contains("error=access_denied"), "the way back to the client")
            let id = try #require(HTTPField.Name("X-Request-Id"))
            #expect(answer.text.contains(try #require(answer.headers[id])))
        }
    }

    @Test func `F19 a ticket for one kind of card opens nothing at the host of the other`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let (_, page) = try await Self.begun(&browser)
            let chosen = try await browser.post("/login", page.form + "&method=hpki-card")
            let wrong = try await browser.get(chosen.location.replacing("hpki.id", with: "jpki.id"))
            #expect(wrong.status == .badRequest && wrong.text.contains("E19"))
            #expect(world.core.state.withLock { $0.opened } == 0)
        }
    }

    @Test func `F5 a login by one card leaves nothing for a login by the other`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            _ = try await browser.logIn(by: "hpki-card")
            let done = try await browser.logIn(["prompt": "login"], by: "jpki-card")
            #expect(done.location.hasPrefix("https://rp.example/cb?code="))
            let kinds = world.core.acts.compactMap { act in
                if case .logIn(let evidence) = act { evidence.kind } else { nil }
            }
            #expect(kinds == [.hpki, .jpki])
        }
    }

    @Test func `a method that the client may not use is not offered and not taken`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let (_, page) = try await Self.begun(&browser, ["client_id": "card-only"])
            #expect(page.location.hasPrefix("https://hpki.id.example/"), "there is nothing to choose")
        }
    }

    @Test func `pages cannot be framed, and their forms lead to the card hosts and the client alone`() async throws {
        try await PlatformWorld.run { world in
            var browser = Browser(world)
            let (_, page) = try await Self.begun(&browser)
            let policy = try #require(page.headers[.contentSecurityPolicy])
            #expect(policy.contains("frame-ancestors 'none'"))
            #expect(
                policy.contains(
                    "form-action 'self' https://hpki.id.example https://jpki.id.example https://rp.example;"))
        }
    }

    @Test func `too many attempts from one address are refused with a time to wait`() async throws {
        var platform = WebSettings.Platform.sample
        platform.addressRate = .init(perSecond: 0.001, burst: 2)
        try await PlatformWorld.run(platform: platform) { world in
            var browser = Browser(world)
            _ = try await Self.begun(&browser)
            let refused = try await browser.get("/oauth2/authorize?" + PlatformWorld.parameters())
            #expect(refused.status == .tooManyRequests && refused.headers[.retryAfter] != nil)
            #expect(refused.text.contains("S-too-many-requests"))
        }
    }
}
