import CoreProtocol
import Foundation
import HPKI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Platform
import Synchronization
import Testing
import Web

func made<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("a test's identifier is none") }
    return value
}

extension WebSettings.Platform {
    static let sample: WebSettings.Platform = {
        var platform = WebSettings.Platform(
            issuer: "https://id.example", hpkiOrigin: "https://hpki.id.example", jpkiOrigin: "https://jpki.id.example",
            clients: [.plain, .strict, .cardOnly])
        platform.addressRate = .init(perSecond: 0, burst: 0)
        platform.clientRate = .init(perSecond: 0, burst: 0)
        platform.accountRate = .init(perSecond: 0, burst: 0)
        return platform
    }()
}

extension OAuthClient {
    private static func sample(_ id: String, _ profile: Profile) -> OAuthClient {
        OAuthClient(
            id: made(ClientID(id)), japaneseName: "診療所\(id)", englishName: "Clinic \(id)", profile: profile,
            authentication: .none, redirectURIs: ["https://rp.example/cb", "https://rp.example/cb?tenant=1"],
            postLogoutRedirectURIs: ["https://rp.example/bye"], backchannelLogoutURI: "https://rp.example/out",
            audiences: ["https://sign.example"], scopes: ["openid", "sign"],
            authorizationDetailTypes: profile == .strict ? ["credential"] : [])
    }

    static let plain = sample("plain", .plain)
    static let strict = sample("strict", .strict)
    static let cardOnly: OAuthClient = {
        var client = sample("card-only", .plain)
        client.methods = [.hpkiCard]
        return client
    }()
}

/// A core that knows sessions, as far as front can see; cards are certificates of one byte, the holder's number.
final class PlatformCore: CoreCalling {
    struct State {
        var sessions: [String: SessionFacts] = [:]
        var opened = 0
        var acts: [PlatformAct] = []
        var refusal: Failure?
        var grantRefusal: Failure?
    }

    /// The thumbprint of whatever key a request proves.
    static let proven = Base64URL.encode(Digest(of: Array("key".utf8)).bytes)

    let state = Mutex(State())
    private let now: @Sendable () -> Instant

    init(now: @escaping @Sendable () -> Instant) {
        self.now = now
    }

    var acts: [PlatformAct] { state.withLock { $0.acts } }
    var sessions: [String: SessionFacts] { state.withLock { $0.sessions } }
    var grants: [GrantOrder] { acts.compactMap { if case .grant(let order) = $0 { order } else { nil } } }

    func refuseLogins(_ reasons: [String]) {
        state.withLock { $0.refusal = Failure(.loginRefused, "No.", reasons: reasons) }
    }

    func call(_ request: CoreRequest, deadline: UInt64) async throws(Failure) -> CoreReply {
        guard case .platform(let command) = request else {
            if case .identify = request { return .noted }
            throw Failure(.denied, "not asked here")
        }
        let moment = now()
        let result: Result<PlatformReply, Failure> = state.withLock { state in
            state.acts.append(command.act)
            return Self.answer(command.act, &state, moment)
        }
        return .platform(try result.get())
    }

    private static func answer(
        _ act: PlatformAct, _ state: inout State, _ now: Instant
    ) -> Result<PlatformReply, Failure> {
        switch act {
        case .logIn(let evidence):
            if let refusal = state.refusal { return .failure(refusal) }
            state.opened += 1
            let facts = SessionFacts(
                id: "sid-\(state.opened)", holder: made(HolderID("doctor-\(evidence.certificate.first ?? 0)")),
                method: evidence.kind == .hpki ? .hpkiCard : .jpkiCard, authenticatedAt: now,
                endsAt: now.adding(seconds: 64_800), clients: [], isCurrent: true)
            state.sessions["secret-\(state.opened)"] = facts
            return .success(.opened(facts, secret: "secret-\(state.opened)"))
        case .session(let secret): return found(secret, state).map { .session($0) }
        case .sessions(let secret): return found(secret, state).map { .sessions([$0]) }
        case .grant(let order):
            if let refusal = state.grantRefusal { return .failure(refusal) }
            return found(order.secret, state).map { _ in .code("code-\(state.acts.count)") }
        case .end(.own(let secret, _)), .end(.all(let secret)):
            state.sessions[secret] = nil
            return .success(.ended(client: nil))
        case .end(.relyingSystem(let token)):
            guard token == "id.of.plain" else { return .failure(Failure(.invalidToken, "No ID token.")) }
            state.sessions = [:]
            return .success(.ended(client: OAuthClient.plain.id))
        case .authenticate(let proof, let possession):
            guard let client = proof.client.flatMap({ ClientID($0) }) else {
                return .failure(Failure(.invalidClient, "Unknown."))
            }
            return .success(.client(client, thumbprint: possession.map { _ in Self.proven }))
        case .token(let order):
            if order.proof == nil, order.client.client == "strict" {
                return .failure(Failure(.dpopNonceNeeded, "A nonce.", reasons: ["n-1"]))
            }
            return .success(
                .tokens(
                    TokenAnswer(
                        accessToken: "a.t.s", isDPoP: order.proof != nil, expiresIn: 600, idToken: "i.d.t",
                        refreshToken: nil, scopes: ["openid"],
                        authorizationDetails: order.authorizationDetails, nonce: order.proof == nil ? nil : "n-2")))
        case .introspect: return .success(.claims(Array("{\"active\":false}".utf8)))
        case .userInfo: return .success(.claims(Array("{\"sub\":\"doctor-1\"}".utf8)))
        case .keys: return .success(.claims(Array("{\"keys\":[]}".utf8)))
        case .logouts: return .success(.logouts([]))
        case .logoutToken(let token):
            return token == "good.logout.token" ? .success(.noted) : .failure(Failure(.invalidToken, "No."))
        case .revoke, .told: return .success(.noted)
        }
    }

    private static func found(_ secret: String, _ state: State) -> Result<SessionFacts, Failure> {
        state.sessions[secret].map { .success($0) } ?? .failure(Failure(.loginRequired, "Nobody is signed in."))
    }
}

/// A front with its three hosts before one core, and the cards and times that TLS would see.
struct PlatformWorld {
    static let challenge = Base64URL.encode(Digest(of: Array("verifier".utf8)).bytes)

    final class Reader: Sendable {
        let certificate = Mutex<[UInt8]?>([1])
        let seconds = Mutex<Double>(3)
        let now = Mutex(Instant(seconds: 1_795_658_523))
    }

    let core: PlatformCore
    let reader: Reader
    let issuer: any TestClientProtocol
    let hpki: any TestClientProtocol
    let jpki: any TestClientProtocol

    /// Runs `body` in such a world; a browser is what keeps the cookies.
    static func run(
        platform: WebSettings.Platform = .sample, _ body: @Sendable (PlatformWorld) async throws -> Void
    ) async throws {
        let reader = Reader()
        let core = PlatformCore { reader.now.withLock { $0 } }
        let web = try WebServer.platform(core, platform, clock: WallClock { reader.now.withLock { $0 } })
        let tls = ConnectionFacts(
            clientCertificate: { _ in reader.certificate.withLock { $0 } },
            handshakeSeconds: { _ in reader.seconds.withLock { $0 } })
        let none = ConnectionFacts { _ in nil }
        try await Application(router: web.router(groups: [.platform, .api], tls: none)).test(.router) { issuer in
            try await Application(router: web.router(groups: [.cardHPKI], tls: tls)).test(.router) { hpki in
                try await Application(router: web.router(groups: [.cardJPKI], tls: tls)).test(.router) { jpki in
                    try await body(
                        PlatformWorld(core: core, reader: reader, issuer: issuer, hpki: hpki, jpki: jpki))
                }
            }
        }
    }

    /// The parameters of an authorization request of the plain client, changed by `changes`; nil takes one away.
    static func parameters(_ changes: [String: String?] = [:]) -> String {
        var all: [String: String?] = [
            "response_type": "code", "client_id": "plain", "redirect_uri": "https://rp.example/cb", "scope": "openid",
            "state": "s-1", "nonce": "n-1", "code_challenge": challenge, "code_challenge_method": "S256",
        ]
        for (name, value) in changes { all[name] = .some(value) }
        return PercentEncoding.query(all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
}

/// One browser: its cookies, by the host that set them, and where it was led last.
struct Browser {
    let world: PlatformWorld
    var cookies: [String: String] = [:]

    init(_ world: PlatformWorld) {
        self.world = world
    }

    /// Gets an address of any of the hosts, without following where it leads.
    mutating func get(_ address: String, language: String = "en") async throws -> TestResponse {
        try await send(.get, address, nil, language)
    }

    /// Posts a form to the issuer.
    mutating func post(
        _ address: String, _ form: String, headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        try await send(.post, address, form, "en", headers)
    }

    private mutating func send(
        _ method: HTTPRequest.Method, _ address: String, _ form: String?, _ language: String, _ more: HTTPFields = [:]
    ) async throws -> TestResponse {
        let hosts: [(String, any TestClientProtocol)] = [
            ("https://hpki.id.example", world.hpki), ("https://jpki.id.example", world.jpki),
            ("https://id.example", world.issuer),
        ]
        let host = hosts.first { address.hasPrefix($0.0 + "/") }
        let isIssuer = host == nil || host?.0 == "https://id.example"
        var headers = more
        headers[.acceptLanguage] = language
        if isIssuer, !cookies.isEmpty {
            headers[.cookie] = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                separator: "; ")
        }
        var body: ByteBuffer?
        if let form {
            headers[.contentType] = "application/x-www-form-urlencoded"
            body = ByteBuffer(string: form)
        }
        let response = try await (host?.1 ?? world.issuer).execute(
            uri: host.map { String(address.dropFirst($0.0.count)) } ?? address, method: method, headers: headers,
            body: body)
        for field in response.headers[values: .setCookie] {
            #expect(isIssuer, "a card host sets no cookie")
            let pair = field.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            cookies[String(pair[0])] = field.contains("Max-Age=0") ? nil : String(pair[1])
        }
        return response
    }

    /// Chooses a card at a login's page, and follows to what the card host says.
    mutating func present(_ method: String, at page: TestResponse) async throws -> TestResponse {
        let chosen = try await post("/login", page.form + "&method=\(method)")
        return try await get(chosen.location)
    }

    /// The whole login up to the code; gives the last answer.
    mutating func logIn(
        _ changes: [String: String?] = [:], by method: String = "hpki-card"
    ) async throws -> TestResponse {
        let first = try await get("/oauth2/authorize?" + PlatformWorld.parameters(changes))
        let page = try await get(first.location)
        let card = try await present(method, at: page)
        return try await get(card.location)
    }
}

extension TestResponse {
    var location: String { headers[.location] ?? "" }
    var text: String { String(buffer: body) }

    /// The hidden fields of the page's first form, as they would be posted.
    var form: String {
        let pairs = text.matches(of: /<input type="hidden" name="(ceremony|form)" value="([0-9a-f]+)"/)
        var found: [String: String] = [:]
        for pair in pairs where found[String(pair.1)] == nil { found[String(pair.1)] = String(pair.2) }
        return PercentEncoding.query(found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }

    /// The parameters of the address that this leads to.
    var parameters: [String: String] {
        let query = location.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        return Dictionary(
            query.split(separator: "&").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1)
                return (String(parts[0]), PercentEncoding.decode(parts.count == 2 ? parts[1] : "", plus: " ") ?? "")
            }
        ) { $1 }
    }

    func json() throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(Array(buffer: body))) as? [String: Any])
    }
}
