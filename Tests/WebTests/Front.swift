import CoreProtocol
import Foundation
import HPKI
import HTTPTypes
import Host
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Signing
import Synchronization
import Testing
import Web

/// A core that answers as told, remembers what it was asked, and can hold its answers back.
final class FakeCore: CoreCalling {
    private struct State {
        var requests: [CoreRequest] = []
        var deadline: UInt64 = 0
        var isHolding = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let answer: @Sendable (CoreRequest) -> CoreReply

    init(_ answer: @escaping @Sendable (CoreRequest) -> CoreReply) {
        self.answer = answer
    }

    static func failing(_ failure: Failure) -> FakeCore { FakeCore { _ in .failed(failure) } }

    /// Knows every signature asked for.
    static var knowing: FakeCore {
        FakeCore { request in
            switch request {
            case .lookup(_, let signature): .signature(.sample(signature))
            case .refuse, .identify: .noted
            default: .failed(Failure(.denied, "The policy says no.", rule: "only-doctors"))
            }
        }
    }

    var requests: [CoreRequest] { state.withLock { $0.requests } }

    /// Of the last request.
    var deadline: UInt64 { state.withLock { $0.deadline } }

    /// The kinds of the refusals it was told of.
    var refusals: [Failure.Kind] {
        requests.compactMap { if case .refuse(let notice) = $0 { notice.kind } else { nil } }
    }

    func hold() { state.withLock { $0.isHolding = true } }

    func release() {
        let held = state.withLock { state in
            state.isHolding = false
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    func call(_ request: CoreRequest, deadline: UInt64) async throws(Failure) -> CoreReply {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isHeld = state.withLock { state in
                state.requests.append(request)
                state.deadline = deadline
                if state.isHolding { state.held.append(continuation) }
                return state.isHolding
            }
            if !isHeld { continuation.resume() }
        }
        let reply = answer(request)
        if case .failed(let failure) = reply { throw failure }
        return reply
    }
}

extension SignatureFacts {
    private static let doctor = [CredentialID("doctor-1")].compactMap { $0 }[0]

    static func sample(_ signature: SignatureID) -> SignatureFacts {
        SignatureFacts(
            signature: signature, state: .signed, form: .prescription, digest: Digest(of: [1, 2, 3]),
            signedAt: Instant(seconds: 1_800_000_000), credential: doctor, rule: "prescribe-doctor",
            intent: 7, outcome: 8
        )
    }
}

extension WebServer {
    /// Front before `core`, with metrics and limits as told; no listener is opened by making it.
    static func before(
        _ core: FakeCore, limits: WebSettings.Limits = .init(), health: HealthFacts? = .good,
        listeners: [WebSettings.Listener] = [], metrics: WebSettings.MetricsListener? = nil,
        log: LogMemory = LogMemory(), judges: Judges = Judges(), clock: WallClock = .live,
        platform: WebSettings.Platform? = .sample,
        onListening: @escaping @Sendable (String, Int) async -> Void = { _, _ in }
    ) throws -> WebServer {
        try WebServer(
            settings: WebSettings(
                listeners: listeners, publicOrigin: "https://localhost", limits: limits, metrics: metrics,
                platform: platform
            ),
            sign: SignDocument(core: core, judges: judges), core: core, health: { health }, random: .live, clock: clock,
            logger: Logger(label: "test") { _ in log },
            onListening: onListening
        )
    }

    /// The platform before `core`, without a listener.
    static func platform(
        _ core: any CoreCalling, _ platform: WebSettings.Platform, clock: WallClock
    ) throws -> WebServer {
        try WebServer(
            settings: WebSettings(listeners: [], publicOrigin: "https://id.example", platform: platform),
            sign: SignDocument(core: core), core: core, health: { .good }, random: .live, clock: clock,
            logger: Logger(label: "test") { _ in LogMemory() })
    }

    /// All routes, without a listener.
    var allRoutes: some ApplicationProtocol {
        Application(
            router: router(
                groups: Set(WebSettings.RouteGroup.allCases), tls: ConnectionFacts(clientCertificate: { _ in nil })))
    }

    /// The routes of the authorities, for one that showed `certificate`.
    func registration(_ certificate: [UInt8]?) -> some ApplicationProtocol {
        Application(router: router(groups: [.ra], tls: ConnectionFacts(clientCertificate: { _ in certificate })))
    }
}

extension HealthFacts {
    static let good = HealthFacts(
        hsm: true, audit: true, clock: true, alarms: [],
        metrics: [.init(name: "shirushi_core_signatures_total", value: 3)]
    )
}

/// Keeps what is logged.
struct LogMemory: LogHandler {
    final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    let lines = Lines()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
        lines.all.withLock { $0.append("\(event.message) \(fields)") }
    }

    var text: String { lines.all.withLock { $0.joined(separator: "\n") } }
}

/// A token of the client `name`; nothing in front verifies it.
func token(client name: String = "clinic") -> String {
    let payload = Base64URL.encode(Array("{\"iss\":\"https://issuer\",\"azp\":\"\(name)\"}".utf8))
    return "eyJhbGciOiJFUzI1NiJ9.\(payload).c2lnbmF0dXJl"
}

func bearer(_ client: String = "clinic") -> HTTPFields { [.authorization: "Bearer \(token(client: client))"] }

let jsonBearer: HTTPFields = [.authorization: "Bearer \(token())", .contentType: "application/json"]

/// What a problem document says.
struct ProblemDocument: Decodable {
    let type: String
    let title: String
    let status: Int
    let detail: String
    let requestId: String
    let rule: String?
    let reasons: [String]?
    let next: String
}

extension TestResponse {
    /// The problem in this answer, after checking all that is the same for every problem.
    func problem(_ kind: Failure.Kind, sourceLocation: SourceLocation = #_sourceLocation) throws -> ProblemDocument {
        let row = FailureTable.row(kind)
        #expect(status.code == row.status, sourceLocation: sourceLocation)
        #expect(headers[.contentType] == "application/problem+json", sourceLocation: sourceLocation)
        #expect(headers[.cacheControl] == "no-store", sourceLocation: sourceLocation)
        let problem = try JSONDecoder().decode(ProblemDocument.self, from: Data(Array(buffer: body)))
        #expect(problem.type == row.type, sourceLocation: sourceLocation)
        #expect(problem.status == row.status, sourceLocation: sourceLocation)
        #expect(problem.requestId.utf8.count == 32, sourceLocation: sourceLocation)
        #expect(
            headers[try #require(HTTPField.Name("X-Request-Id"))] == problem.requestId, sourceLocation: sourceLocation)
        #expect(!problem.detail.isEmpty && !problem.next.isEmpty, sourceLocation: sourceLocation)
        return problem
    }
}
