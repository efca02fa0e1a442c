import CoreProtocol
import Foundation
import HPKI
import HTTPTypes
import Host
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing
import Web

/// What a record may hold of the worst: markup, an end of a section, marks of direction, a quotation mark that a
/// combining mark hides from whoever counts characters, and length.
let hostileTexts = [
    "<script>alert(1)</script>", "]]><img src=x onerror=alert(1)>", "\"\u{301} autofocus onfocus=alert(1) x=\"\u{301}",
    "'\u{301} onmouseover=alert(1)", "<\u{338}b>", "abc\u{202E}gpj.exe\u{202C}", "{{title}} {{{title}}} ${x}",
    "&lt;b&gt; &amp;", "=HYPERLINK(\"http://x\")", String(repeating: "長い", count: 1365),
]

/// Answers of a core whose every text is `text`.
struct ConsoleAnswers: Sendable {
    static let sequence: UInt64 = 1234
    static let now = Instant(seconds: 1_795_658_523)

    var text = "note"
    var role: ReviewerRole? = .auditor
    var evidence: [UInt8]?
    var isLastPage = false

    var core: FakeCore { FakeCore { answer($0) } }

    func answer(_ request: CoreRequest) -> CoreReply {
        guard case .review(let command) = request else { return .failed(Failure(.unexpected, "not asked")) }
        return reply(command.question)
    }

    func reply(_ question: ReviewQuestion) -> CoreReply {
        let denied = CoreReply.failed(Failure(.denied, "The role may not ask this.", rule: "reviewer-role"))
        guard let role else { return question.kind == .myUses ? .review(.page(page)) : denied }
        guard role.mayAsk(question.kind) else { return denied }
        switch question {
        case .me:
            return .review(
                .me(
                    ReviewerFacts(
                        issuer: "https://issuer", subject: "\(role.rawValue)-1", role: role,
                        until: Self.now.adding(seconds: 600))))
        case .head: return .review(.head(head))
        case .overview(let from, _, let step): return .review(.overview(overview(from, step)))
        case .search: return .review(.page(page))
        case .record(let sequence):
            guard sequence == Self.sequence else { return .failed(Failure(.notFound, "No record has this number.")) }
            return .review(.record(record))
        case .key(let id): return .review(.key(key(id)))
        case .holder(let id): return .review(.holder(holder(id)))
        case .policies: return .review(.policies(policies))
        case .anomalies: return .review(.anomalies(anomalies))
        case .myUses: return denied
        }
    }

    // MARK: The parts

    private static let index = IndexFacts(indexed: 1_999_990, size: 2_000_000, isRebuilding: false)
    static let holderID = [HolderID("doctor-1")].compactMap { $0 }[0]
    static let keyID = [CredentialID("doctor-1-a")].compactMap { $0 }[0]

    var row: RecordRow {
        var row = RecordRow(sequence: Self.sequence, time: Self.now, kind: .outcome)
        row.outcome = .signed
        row.form = .dispensing
        row.holder = Self.holderID
        row.holderName = text
        row.credential = Self.keyID
        row.client = ClientID("\"><b>client")
        row.facility = text
        row.rule = text
        row.note = text
        row.party = "issuer=x\nsubject=\(text)\nrole=auditor"
        row.counterpart = Self.sequence - 1
        return row
    }

    private var page: RecordPage {
        var refusal = RecordRow(sequence: 7, time: Self.now.adding(seconds: -90), kind: .refusal, isErased: true)
        refusal.failure = .windowElapsed
        return RecordPage(
            rows: [row, refusal], next: isLastPage ? nil : 7, count: 12_345, isCountExact: true, index: Self.index)
    }

    private var record: RecordFacts {
        RecordFacts(
            row: row, leaf: [1, 2, 3],
            openings: [
                .init(field: 1, name: "holder", salt: Array(0..<16), value: "doctor-1"),
                .init(field: 11, name: "note", salt: Array(0..<16), value: text),
                .init(field: 6, name: "activation", salt: Array(0..<16), value: "issuer=\(text)\nmethod=hpki-card"),
                .init(field: 99, name: text, salt: Array(0..<16), value: text),
            ],
            counterpart: row, evidence: evidence)
    }

    private func overview(_ from: Instant, _ step: OverviewStep) -> OverviewFacts {
        let buckets = 30
        func series(_ dimension: OverviewFacts.Dimension, _ name: String, _ each: UInt32) -> OverviewFacts.Series {
            .init(
                dimension: dimension, name: name, facility: dimension == .client ? text : nil,
                total: UInt64(each) * UInt64(buckets), counts: Array(repeating: each, count: buckets))
        }
        return OverviewFacts(
            from: from, step: step, buckets: UInt16(buckets), records: 4321,
            series: [
                series(.outcome, "signed", 40), series(.outcome, "failed", 2), series(.kind, "refusal", 3),
                series(.form, "prescription", 30), series(.failure, "denied", 3), series(.client, text, 40),
            ],
            otherClients: 2, otherClientUses: 17, anomalies: 5, index: Self.index)
    }

    private func key(_ id: CredentialID) -> KeyReview {
        KeyReview(
            id: id,
            facts: CredentialFacts(
                id: id, holder: Self.holderID, state: .active, keyType: .rsa2048, custody: text, publicKey: [1],
                certificate: [2], replaces: Self.keyID, takesOverAt: Self.now, reason: .keyCompromise,
                changedAt: Self.now),
            authority: AuthorityID("medis"), life: [row], uses: 99,
            days: [.init(start: OverviewStep.day.floor(Self.now), uses: 12)], lastUses: [row], index: Self.index)
    }

    private func holder(_ id: HolderID) -> HolderReview {
        HolderReview(
            id: id,
            record: HolderRecord(
                id: id, romajiName: text, japaneseName: text, roles: [HCRole(text)],
                registerNumbers: [.init(register: text, number: text)]),
            authority: AuthorityID("medis"), isEnabled: true, credentials: [key(Self.keyID).facts].compactMap { $0 },
            uses: 3, lastUse: row, index: Self.index)
    }

    private var policies: PolicyReview {
        PolicyReview(
            name: text, hash: Digest(of: [1]), rules: [text, "dispense"],
            changes: [.init(sequence: 2, time: Self.now, name: text, hash: Digest(of: [1]))])
    }

    private var anomalies: AnomalyPage {
        AnomalyPage(
            anomalies: AnomalyRule.allCases.enumerated().map { id, rule in
                Anomaly(
                    id: UInt64(id), rule: rule, from: Self.now, to: Self.now.adding(seconds: 60),
                    holder: Self.holderID, client: ClientID("clinic"), count: 30, limit: 20, records: [1, 2],
                    words: text)
            }, next: 1, index: Self.index)
    }

    private var head: LogHeadFacts {
        LogHeadFacts(
            origin: text, size: 2_000_000, root: Array(repeating: 7, count: 32), newest: Self.now, isRunning: true,
            checkpoint: text, witnesses: [.init(name: text, size: 5, cosignedAt: Self.now, fault: text)],
            index: Self.index)
    }
}

/// A browser's part of the tests: its cookies and forms.
struct ConsoleClient: Sendable {
    let client: any TestClientProtocol
    var cookies: [String: String] = [:]
    var language = "en"

    /// A client of a console before `answers`, signed in where there is a token.
    static func run(
        _ answers: ConsoleAnswers = ConsoleAnswers(), core: FakeCore? = nil, signsIn: Bool = true,
        _ body: @Sendable (inout ConsoleClient, FakeCore) async throws -> Void
    ) async throws {
        let core = core ?? answers.core
        let web = try WebServer.before(core, clock: .fixed(ConsoleAnswers.now))
        try await Application(router: web.router(groups: [.api, .health, .console])).test(.router) { client in
            var browser = ConsoleClient(client: client)
            if signsIn {
                let response = try await browser.signIn()
                try #require(response.status == .seeOther)
            }
            try await body(&browser, core)
        }
    }

    mutating func get(_ uri: String, headers: HTTPFields = [:]) async throws -> TestResponse {
        try await send(.get, uri, headers, nil)
    }

    mutating func post(
        _ uri: String, _ fields: [(String, String)], headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        let body = fields.map { "\(Self.encoded($0))=\(Self.encoded($1))" }.joined(separator: "&")
        var headers = headers
        headers[.contentType] = "application/x-www-form-urlencoded"
        return try await send(.post, uri, headers, ByteBuffer(string: body))
    }

    mutating func signIn(token: String = consoleToken(), to place: String = "") async throws -> TestResponse {
        // Whoever is signed in has the form to sign out before it.
        let page = try await get("/console/sign-in").page
        let form = (page.components(separatedBy: "action=\"/console/sign-in\"").last ?? "").formToken
        return try await post("/console/sign-in", [("form", form), ("to", place), ("token", token)])
    }

    private mutating func send(
        _ method: HTTPRequest.Method, _ uri: String, _ headers: HTTPFields, _ body: ByteBuffer?
    ) async throws -> TestResponse {
        var headers = headers
        if headers[.acceptLanguage] == nil { headers[.acceptLanguage] = language }
        if !cookies.isEmpty {
            headers[.cookie] = cookies.map { "\($0)=\($1)" }.sorted().joined(separator: "; ")
        }
        let response = try await client.execute(uri: uri, method: method, headers: headers, body: body)
        for field in response.headers[values: .setCookie] {
            let pair = field.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let (name, value) = (String(pair[0]), String(pair[1]))
            cookies[name] = value.isEmpty ? nil : value
        }
        return response
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}

extension TestResponse {
    var page: String { String(buffer: body) }
}

extension String {
    /// The token that stands in the page's first form.
    var formToken: String {
        guard let start = range(of: "name=\"form\" value=\"") else { return "" }
        return String(self[start.upperBound...].prefix { $0 != "\"" })
    }
}

/// Every page that an auditor sees.
let consolePages = [
    "/console", "/console/search", "/console/records/1234", "/console/keys/doctor-1-a", "/console/holders/doctor-1",
    "/console/find", "/console/anomalies", "/console/policies", "/console/log",
]
