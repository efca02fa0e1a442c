import Foundation
import HPKI
import HTTPTypes
import Hummingbird
import NIOCore
import Testing
import Web

/// Every page of the platform, with `text` wherever something stands that is not ours.
struct PlatformPages {
    static let time = Instant(seconds: 1_795_658_523)
    static let targets = ["https://rp.example/callback?x=1", "https://hpki.localhost:8447/login/card"]

    var text = "name"
    var language = "ja"
    var issuer: String?

    func all() async throws -> [(name: String, response: Response)] {
        var page = try PlatformPage()
        if let issuer { page = page.outside(issuer) }
        let visit = self.visit("/login?ceremony=1")
        return [
            ("login", page.login(login, visit)), ("error", page.error(error("F18"), visit)),
            ("other error", page.error(error("O-unheard-of"), visit)),
            ("different user", page.differentUser(differentUser, visit)),
            ("sessions", page.sessions(sessions, visit)), ("signed out", page.signedOut(signedOut, visit)),
            ("logout", page.logoutConfirm(logout, visit)), ("help", page.help(nil, visit)),
            ("search", page.help(text, visit)),
            ("entry", page.helpEntry(try #require(HelpCatalogue.japanese["e18"]), visit)),
        ]
    }

    func visit(_ path: String, method: HTTPRequest.Method = .get, headers: HTTPFields = [:]) -> PageVisit {
        var headers = headers
        if headers[.acceptLanguage] == nil { headers[.acceptLanguage] = language }
        let head = HTTPRequest(
            method: method, scheme: "https", authority: "localhost", path: path, headerFields: headers)
        return PageVisit(Request(head: head, body: .init(buffer: ByteBuffer())), "00112233445566778899aabbccddeeff")
    }

    private var fields: [(name: String, value: String)] { [("ceremony", text), ("form", text)] }

    var login: LoginView {
        var view = LoginView(relyingSystem: text)
        view.choices = LoginView.Choice.allCases
        view.notice = .again
        view.wanted = text
        view.fields = fields
        view.cancel = .form("/login", fields: fields)
        view.formTargets = Self.targets
        return view
    }

    func error(_ code: String, card: CardKind? = .hpki) -> ErrorView {
        var view = ErrorView(code: code, requestID: "00112233445566778899aabbccddeeff", time: Self.time)
        view.card = card
        view.arguments = ["user": text]
        view.source = text
        view.detail = text
        view.relyingSystem = text
        view.retry = .link("/login?ceremony=1")
        view.otherMethod = .form("/login", fields: fields)
        view.back = .form("/login", fields: fields)
        view.formTargets = Self.targets
        return view
    }

    var differentUser: DifferentUserView {
        var view = DifferentUserView(
            signedIn: text, requestID: "00112233445566778899aabbccddeeff", time: Self.time,
            switchUser: .form("/login", fields: fields))
        view.wanted = text
        view.relyingSystem = text
        view.stay = .form("/login", fields: fields)
        view.back = .link("/back")
        return view
    }

    var sessions: SessionsView {
        let sessions = AuthenticationMethod.allCases.enumerated().map { index, method in
            var session = SessionsView.Session(
                id: "s\(index)", method: method, since: Self.time, until: Self.time.adding(seconds: 64_800))
            session.relyingSystems = index == 0 ? [] : [text, text]
            session.isCurrent = index == 1
            return session
        }
        var view = SessionsView(subject: text, sessions: sessions)
        view.notice = .ended
        view.fields = fields
        return view
    }

    private var signedOut: SignedOutView {
        var view = SignedOutView()
        view.back = .link("https://rp.example/")
        view.relyingSystem = text
        view.untold = [text]
        return view
    }

    private var logout: LogoutConfirmView {
        var view = LogoutConfirmView(subject: text, logout: .form("/oauth2/logout", fields: fields))
        view.relyingSystem = text
        view.stay = .link("/sessions")
        return view
    }
}

extension Response {
    /// The body as text.
    func text() async throws -> String {
        let writer = TextWriter()
        try await body.write(writer)
        return writer.text
    }
}

/// Keeps what is written.
private final class TextWriter: ResponseBodyWriter {
    private(set) var text = ""

    func write(_ buffer: ByteBuffer) async throws { text += String(buffer: buffer) }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
