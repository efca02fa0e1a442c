internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Host
internal import Hummingbird
internal import NIOCore
internal import Platform

/// What the platform's routes share, on all of its hosts.
struct PlatformFront: Sendable {
    let settings: WebSettings.Platform
    let core: any CoreCalling
    let admission: Admission
    let limits: WebSettings.Limits
    let clients: Clients
    let ceremonies: Ceremonies
    /// Requests that clients pushed, and those that came by a form and wait for the page that they lead to.
    let pushed: PushedRequests
    let posted: PushedRequests
    let rates: RateLimits
    private(set) var page: PlatformPage
    let random: Random
    let clock: WallClock

    init(
        settings: WebSettings.Platform, core: any CoreCalling, admission: Admission, limits: WebSettings.Limits,
        page: PlatformPage, random: Random, clock: WallClock
    ) {
        self.settings = settings
        self.core = core
        self.admission = admission
        self.limits = limits
        self.page = page
        self.random = random
        self.clock = clock
        let now: @Sendable () -> UInt64 = { Monotonic.now }
        clients = Clients(settings.clients)
        ceremonies = Ceremonies(seconds: settings.ceremonySeconds, random: random, clock: clock, now: now)
        pushed = PushedRequests(random: random, now: now)
        posted = PushedRequests(random: random, now: now)
        rates = RateLimits(now: now)
    }

    /// The same on a card host, whose help is at the issuer's.
    var onCardHost: PlatformFront {
        var front = self
        front.page = page.outside(settings.issuer)
        return front
    }

    /// Lets a request in that comes from a browser.
    func visited(
        _ request: Request, _ context: APIContext, _ body: (PlatformVisit) async throws(Failure) -> Response
    ) async throws(Failure) -> Response {
        try rates.take(.address(context.peer), settings.addressRate)
        return try await counted(context) { () async throws(Failure) in
            try await body(PlatformVisit(request, context))
        }
    }

    /// Lets a request in that comes from a program.
    func asked(
        _ context: APIContext, client: String?, _ body: () async throws(Failure) -> Response
    ) async throws(Failure) -> Response {
        try rates.take(.client((client ?? "") + "\n" + context.peer), settings.clientRate)
        return try await counted(context, body)
    }

    private func counted(
        _ context: APIContext, _ body: () async throws(Failure) -> Response
    ) async throws(Failure) -> Response {
        let key = ClientKey(address: context.peer, client: "platform")
        try admission.enter(key)
        defer { admission.leave(key) }
        return try await body()
    }

    /// What core does, or why it does not.
    ///
    /// Only here a place among the work in hand is taken: a form that is slow to come takes none from others.
    func ask(_ act: PlatformAct, _ requestID: String) async throws(Failure) -> PlatformReply {
        try admission.startWork()
        defer { admission.finishWork() }
        let command = PlatformCommand(requestID: requestID, act: act)
        let deadline = Monotonic.now + UInt64(limits.answerSeconds) * 1_000_000_000
        guard case .platform(let reply) = try await core.call(.platform(command), deadline: deadline) else {
            throw Self.unexpected
        }
        return reply
    }

    /// The session that the browser's cookie names; nil where there is none, or core knows of none any more.
    func session(_ visit: PlatformVisit) async throws(Failure) -> SessionFacts? {
        guard let secret = visit.secret else { return nil }
        do throws(Failure) {
            guard case .session(let facts) = try await ask(.session(secret: secret), visit.requestID) else {
                throw Self.unexpected
            }
            return facts
        } catch {
            // Whoever has no session, and whoever may not have one, is for core to tell apart when they log in.
            guard [401, 403, 404].contains(FailureTable.row(error.kind).status) else { throw error }
            return nil
        }
    }

    /// Ends a session by its secret, whether or not core can be reached for it.
    func end(secret: String, _ requestID: String) async {
        _ = try? await ask(.end(.own(secret: secret, session: nil)), requestID)
    }

    /// The body of a form, as text; throws `.malformedRequest` where it is none.
    func form(_ request: Request, _ context: APIContext) async throws(Failure) -> String {
        let types = request.headers[values: .contentType]
        guard types.count == 1,
            types[0].lowercased().prefix(while: { $0 != ";" && $0 != " " }) == "application/x-www-form-urlencoded"
        else { throw Failure(.malformedRequest, "The body is not a form's (application/x-www-form-urlencoded).") }
        let held = HeldBytes(admission, address: context.peer)
        defer { held.release() }
        var bounds = limits
        bounds.bodyBytes = min(bounds.bodyBytes, RequestParameters.byteLimit)
        let body = try await request.collectBody(bounds, held)
        guard let text = String(validating: body, as: UTF8.self) else {
            throw Failure(.malformedRequest, "The form is not UTF-8.")
        }
        return text
    }

    static let unexpected = Failure(
        .unexpected, "Core answered something else.", cause: "another reply to a platform command")
}

/// One request of a browser to the platform.
struct PlatformVisit {
    static let sessionCookie = "__Host-shirushi-session"
    static let loginCookie = "__Host-shirushi-login"
    private static let longestSession: Int64 = 64_800

    let request: Request
    let requestID: String
    let peer: String
    let page: PageVisit
    /// The value of the cookie that logins under way belong to.
    let browser: String?
    /// The secret of the session, as the browser has it.
    let secret: String?

    init(_ request: Request, _ context: APIContext, uiLocales: String? = nil) {
        self.request = request
        requestID = context.requestID
        peer = context.peer
        page = PageVisit(request, context.requestID, uiLocales: uiLocales)
        browser = page.cookies.token(Self.loginCookie)
        secret = page.cookies[Self.sessionCookie].flatMap(Self.plain)
    }

    /// The page in the language that the relying system wishes for, unless the person chose one.
    func page(_ uiLocales: String?) -> PageVisit {
        var visit = PageVisit(request, requestID, uiLocales: uiLocales)
        visit.languagePlace = page.languagePlace
        return visit
    }

    /// The name of a client in the language of the visit, or that the relying system wishes for.
    func name(_ client: OAuthClient?, _ uiLocales: String? = nil) -> String? {
        let language = uiLocales.map { page($0).language } ?? page.language
        return client.map { language == .japanese ? $0.japaneseName : $0.englishName }
    }

    /// Keeps the browser's name for logins under way.
    static func loginField(_ browser: String) -> String {
        PageCookies.field(loginCookie, browser, sameSite: .lax)
    }

    /// Keeps a session until it ends, 18 hours at most.
    static func sessionField(_ secret: String, _ facts: SessionFacts, now: Instant) -> String {
        let seconds = max(0, min(longestSession, facts.endsAt.seconds - now.seconds))
        return PageCookies.field(sessionCookie, secret, seconds: Int(seconds), sameSite: .lax)
    }

    /// Forgets the session.
    static let noSession = PageCookies.field(sessionCookie, "", seconds: 0, sameSite: .lax)

    /// What a form brings back to prove that it came from a page of this session's.
    static func formToken(_ secret: String) -> String { Digest(of: Array(("form\n" + secret).utf8)).hex }

    /// A secret of the characters that a cookie may have; anything else core never gave.
    private static func plain(_ text: String) -> String? {
        let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"\",;\\".utf8.contains($0) }
        return !text.isEmpty && text.utf8.count <= PlatformLimits.secret && isPlain ? text : nil
    }
}

extension PlatformFront {
    /// Throws unless a form came from a page of ours in this browser; digests, so that the comparison's time tells
    /// nothing.
    func check(_ form: RequestParameters, expected: String?, _ visit: PlatformVisit) throws(Failure) {
        let site = visit.request.headers[.secFetchSite]
        guard site == nil || site == "same-origin", let expected, let given = form["form"],
            Digest(of: Array(given.utf8)) == Digest(of: Array(expected.utf8))
        else {
            throw Failure(.malformedRequest, "The form did not come from this login's page.", reasons: ["form"])
        }
    }

    /// The parameters of a form; throws `.malformedRequest`.
    func parameters(_ text: some StringProtocol) throws(Failure) -> RequestParameters {
        do throws(OAuthError) { return try RequestParameters(text) } catch {
            throw Failure(.malformedRequest, error.description)
        }
    }

    /// An error page of the platform.
    func error(_ view: ErrorView, _ visit: PlatformVisit, cookies: [String] = []) -> Response {
        var response = page.error(view, visit.page)
        for cookie in cookies { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
        return response
    }

    /// An error page with one of the help's codes.
    func fault(_ code: String, _ visit: PlatformVisit, status: Int = 400, detail: String? = nil) -> Response {
        var view = ErrorView(code: code, requestID: visit.requestID, time: clock.now())
        view.status = status
        view.detail = detail
        return error(view, visit)
    }
}
