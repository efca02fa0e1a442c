import CoreProtocol
import Foundation
import HPKI
import HTTPTypes
import Host
import HummingbirdTesting
import Synchronization
import Testing
import Web

@Suite struct ConsoleSessionTests {
    @Test func `a stranger is led to the sign-in, and from there to where they meant to go`() async throws {
        try await ConsoleClient.run(signsIn: false) { browser, core in
            let response = try await browser.get("/console/search?kind=refusal&holder=doctor-1")
            #expect(response.status == .seeOther)
            let place = try #require(response.headers[.location])
            #expect(place == "/console/sign-in?to=%2Fconsole%2Fsearch%3Fkind%3Drefusal%26holder%3Ddoctor-1")
            let page = try await browser.get(place).page
            #expect(page.contains("value=\"/console/search?kind=refusal&amp;holder=doctor-1\""))
            let signed = try await browser.signIn(to: "/console/search?kind=refusal&holder=doctor-1")
            #expect(signed.headers[.location] == "/console/search?kind=refusal&holder=doctor-1")
            #expect(core.requests.count == 1)
        }
    }

    @Test(arguments: [
        "https://evil.example/", "//evil.example", "/\\evil.example", "/consoleevil", "/console/sign-out", "/v1",
        "/console\r\nx",
    ])
    func `a sign-in leads nowhere else`(place: String) async throws {
        try await ConsoleClient.run(signsIn: false) { browser, _ in
            let response = try await browser.signIn(to: place)
            #expect(response.headers[.location] == "/console" || response.status == .badRequest)
        }
    }

    @Test func `a session's cookie is for this host, no script and no other site`() async throws {
        try await ConsoleClient.run(signsIn: false) { browser, _ in
            let response = try await browser.signIn()
            let cookie = try #require(
                response.headers[values: .setCookie].first { $0.hasPrefix("__Host-shirushi-console=") })
            #expect(cookie.contains("; Path=/; Secure; HttpOnly; SameSite=Strict"))
            let name = try #require(browser.cookies["__Host-shirushi-console"])
            #expect(name.utf8.count == 64 && !cookie.contains(consoleToken()))
            #expect(try await browser.get("/console").status == .ok)
            let second = try await browser.signIn()
            #expect(second.status == .seeOther)
            #expect(browser.cookies["__Host-shirushi-console"] != name)
        }
    }

    @Test func `a token that core refuses gets no session and is told why`() async throws {
        let core = FakeCore { _ in .failed(Failure(.invalidToken, "The token's signature does not hold.")) }
        try await ConsoleClient.run(core: core, signsIn: false) { browser, _ in
            let response = try await browser.signIn()
            #expect(response.status == .unauthorized)
            #expect(response.page.contains("role=\"alert\"") && response.page.contains("signature does not hold"))
            #expect(browser.cookies["__Host-shirushi-console"] == nil)
        }
    }

    @Test func `a holder signs in and sees the uses of their own key alone`() async throws {
        try await ConsoleClient.run(ConsoleAnswers(role: nil)) { browser, _ in
            let home = try await browser.get("/console")
            #expect(home.headers[.location] == "/console/my-key")
            let page = try await browser.get("/console/my-key").page
            #expect(page.contains("href=\"/console/my-key\" aria-current=\"page\""))
            #expect(!page.contains("/console/search") && !page.contains("/console/records/"))
            for uri in consolePages.dropFirst() {
                #expect(try await browser.get(uri).status == .forbidden, "\(uri)")
            }
        }
    }

    @Test(arguments: ReviewerRole.allCases)
    func `a role sees the doors that open for it, and no others`(role: ReviewerRole) async throws {
        let doors: [(String, ReviewQuestion.Kind)] = [
            ("/console", .overview), ("/console/search", .search), ("/console/anomalies", .anomalies),
            ("/console/find", .key), ("/console/policies", .policies), ("/console/log", .head),
        ]
        try await ConsoleClient.run(ConsoleAnswers(role: role)) { browser, _ in
            let page = try await browser.get("/console").page
            for (path, kind) in doors {
                let isShown = page.contains("<li><a href=\"\(path)\"")
                #expect(isShown == role.mayAsk(kind), "\(role) \(path)")
                #expect(try await browser.get(path).status == (role.mayAsk(kind) ? .ok : .forbidden))
            }
            #expect(page.contains("/console/search?") == role.mayAsk(.search))
        }
    }

    @Test func `a form without its token, or from elsewhere, does nothing`() async throws {
        try await ConsoleClient.run { browser, core in
            let form = try await browser.get("/console").page.formToken
            #expect(form.utf8.count == 64)
            let asked = core.requests.count
            let site = try #require(HTTPField.Name("Sec-Fetch-Site"))
            for uri in ["/console/export", "/console/sign-out", "/console/sign-in"] {
                for fields in [[], [("form", "")], [("form", String(repeating: "0", count: 64))]] {
                    let response = try await browser.post(uri, fields)
                    #expect(response.status == .badRequest && response.page.contains("This form is out of date"))
                }
                let foreign = try await browser.post(uri, [("form", form)], headers: [site: "cross-site"])
                #expect(foreign.status == .badRequest)
            }
            #expect(core.requests.count == asked)
            #expect(try await browser.get("/console").status == .ok)
        }
    }

    @Test func `signing out ends the session`() async throws {
        try await ConsoleClient.run { browser, _ in
            let cookie = browser.cookies
            let form = try await browser.get("/console").page.formToken
            let out = try await browser.post("/console/sign-out", [("form", form)])
            #expect(out.headers[.location] == "/console/sign-in?out=1")
            #expect(browser.cookies["__Host-shirushi-console"] == nil)
            browser.cookies = cookie
            #expect(try await browser.get("/console").status == .seeOther)
        }
    }

    @Test func `a token that core no longer takes ends the session`() async throws {
        let isExpired = Mutex(false)
        let answers = ConsoleAnswers()
        let core = FakeCore { request in
            guard case .review(let command) = request, !isExpired.withLock({ $0 }) else {
                return .failed(Failure(.windowElapsed, "The authentication is too old."))
            }
            return answers.reply(command.question)
        }
        try await ConsoleClient.run(core: core) { browser, _ in
            isExpired.withLock { $0 = true }
            let response = try await browser.get("/console/policies")
            #expect(response.headers[.location] == "/console/sign-in?to=%2Fconsole%2Fpolicies&ended=1")
            #expect(browser.cookies["__Host-shirushi-console"] == nil)
            #expect(try await browser.get("/console/sign-in?ended=1").page.contains("Your session has ended"))
        }
    }

    @Test func `sessions end when idle, with their token, and when there are too many`() {
        let time = Mutex<UInt64>(0)
        let sessions = ConsoleSessions(limit: 12, idleSeconds: 60, random: .live) { time.withLock { $0 } }
        func pass(_ seconds: UInt64) { time.withLock { $0 += seconds * 1_000_000_000 } }
        let first = sessions.begin(token: "t", subject: "auditor-1", role: .auditor, seconds: 100)
        #expect(sessions.find(first)?.subject == "auditor-1" && sessions.find("other") == nil)
        pass(59)
        #expect(sessions.find(first) != nil)
        pass(41)
        #expect(sessions.find(first) == nil)
        let idle = sessions.begin(token: "t", subject: "auditor-1", role: .auditor, seconds: 1000)
        pass(60)
        #expect(sessions.find(idle) == nil)
        #expect(sessions.begin(token: "t", subject: "x", role: .auditor, seconds: -5).utf8.count == 64)
        let names = (0..<20).map { number in
            pass(1)
            return sessions.begin(token: "t", subject: "auditor-\(number % 2)", role: .auditor, seconds: 1000)
        }
        #expect(sessions.count == 12)
        #expect(
            names.map { sessions.find($0) != nil } == Array(repeating: false, count: 8)
                + Array(repeating: true, count: 12))
        let own = (0..<9).map { _ in
            pass(1)
            return sessions.begin(token: "t", subject: "one", role: nil, seconds: 1000)
        }
        #expect(sessions.find(own[0]) == nil && sessions.find(own[1]) != nil)
        // A namesake of another issuer pushes nobody out.
        for _ in 0..<8 {
            pass(1)
            _ = sessions.begin(token: "t", issuer: "other", subject: "one", role: nil, seconds: 1000)
        }
        #expect(sessions.find(own[8]) != nil)
    }
}

func consoleToken() -> String { token(client: "console") }
