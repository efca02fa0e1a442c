import Audit
import Foundation
import HPKI
import Host
import Identity
import JOSE
import Policies
import Storage
import Synchronization

/// What the main job has recorded, without keys and documents: intents, outcomes, refusals and acts of administration
/// that look like a year of prescribing for each ten million.
///
/// So many connections wait for their commits at once; a commit takes all that wait, as in core.
struct Traffic: Sendable {
    static let holders = 20_000
    static let clients = 3000
    /// The records of one figure.
    static let window: UInt64 = 10_000
    /// 2026-01-01T00:00 in Japan.
    static let start = Instant(milliseconds: 1_767_193_200_000)
    private static let day: UInt64 = 86_400_000

    private let bench: BenchLog
    private let records: UInt64
    private let connections: Int
    private let policies: PolicySet
    private let digest = Digest(of: Array("a document".utf8))

    init(_ bench: BenchLog, records: UInt64, connections: Int) throws {
        self.bench = bench
        self.records = records
        self.connections = connections
        policies = try PolicySet(reading: PolicySet.shippedFile)
    }

    /// When the nth record is made: in office hours.
    static func moment(of record: UInt64, in records: UInt64) -> Instant {
        let span = max(day, records * 365 / 10_000_000 * day)
        let (days, share) = (record * (span / 1000) / records * 1000).quotientAndRemainder(dividingBy: day)
        return Instant(milliseconds: start.milliseconds + Int64(days * day + day / 3 + share / 2))
    }

    static func holder(_ number: Int) -> HolderID { named(HolderID("holder-" + padded(number, 6))) }
    static func client(_ number: Int) -> ClientID { named(ClientID("client-" + padded(number, 5))) }
    static func credential(_ number: Int) -> CredentialID { named(CredentialID("key-" + padded(number, 6))) }
    static func request(_ number: UInt64) -> String { "r-" + padded(Int(number), 12) }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private static func named<Value>(_ value: Value?) -> Value {
        guard let value else { preconditionFailure("an identifier is none") }
        return value
    }

    /// Writes the records and tells the rate of the first window, and of those before each power of ten.
    func run() async throws {
        let database = try bench.database()
        let (written, acts) = (Count(), Count())
        let callers = try await callers(database)
        let clock = WallClock { Self.moment(of: written.value, in: records) }
        let log = try bench.writer(database, clock: clock)
        var windows: [(rate: Double, cpu: Double)] = []
        var done: UInt64 = 0
        let begun = ContinuousClock().now
        while done < records {
            // A round ends a little behind its number, since all connections finish what they began.
            let end = min(records, UInt64(windows.count + 1) * Self.window)
            let measured = try await Figures.measure {
                try await withThrowingTaskGroup { group in
                    for _ in 0..<connections {
                        group.addTask {
                            while written.value < end {
                                try await act(acts.next(), by: callers, in: log, written)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let count = Double(written.value - done)
            done = written.value
            windows.append(
                (count / (measured.time / .seconds(1)), measured.cpu / .microseconds(1) / count))
            tell(windows, end)
        }
        log.stop()
        let size = try await database.read { connection in
            try connection.queryOne("SELECT COUNT(*) AS n FROM audit_commit")?.integer("n") ?? 0
        }
        try database.close()
        figure(
            "writing \(done) records by \(connections) connections",
            "\(Figures.seconds(ContinuousClock().now - begun)), \(size) commits, so \(done / UInt64(max(1, size))) each"
        )
    }

    /// The first window, those before each power of ten, and the last; beside each the median of the ten there.
    private func tell(_ windows: [(rate: Double, cpu: Double)], _ end: UInt64) {
        guard let last = windows.last else { return }
        var power = Self.window
        while power < end { power *= 10 }
        if end % 100_000 == 0 { FileHandle.standardError.write(Data("\r\(end) records written".utf8)) }
        guard power == end || end == records else { return }
        let ten = windows.suffix(10)
        let rate = ten.map(\.rate).sorted()[ten.count / 2]
        let cpu = ten.map(\.cpu).sorted()[ten.count / 2]
        figure(
            "append rate of the last \(Self.window) before \(end)",
            "\(Int(last.rate)) records/s, CPU \(Int(last.cpu)) µs each; "
                + "median of \(ten.count) such: \(Int(rate))/s, CPU \(Int(cpu)) µs")
    }

    private struct Asker: Sendable {
        let caller: Caller
        let activation: Activation
        let client: ClientID
    }

    /// Every holder with a token of their own, identified as core does it.
    private func callers(_ database: Database) async throws -> [Asker] {
        let signer = try await TokenSigner.generate(keyID: "k", random: .live)
        let keys = signer.publicJWKSet
        let now = Self.start
        let identification = TokenIdentification(
            issuers: [
                IssuerSettings(
                    issuer: "https://id.example", audience: "shirushi", jwks: "https://id.example/jwks",
                    speaksForRegistered: true)
            ],
            window: ActivationWindow(), database: database, clock: .fixed(now),
            possession: PossessionGate(clock: .fixed(now), random: .live), ended: EndedLogins(), fetch: { _ in keys })
        var askers: [Asker] = []
        for number in 0..<Self.holders {
            let client = Self.client(number * 7 % Self.clients)
            let token = try signer.sign([
                "iss": "https://id.example", "aud": "shirushi", "sub": .string(Self.holder(number).description),
                "exp": .number("\(now.seconds + 600)"), "auth_time": .number("\(now.seconds)"), "acr": "hpki-card",
                "amr": ["hwk"], "client_id": .string(client.description),
            ])
            let caller = try await identification.identify(PresentedToken(token))
            askers.append(
                Asker(caller: caller, activation: try identification.activate(caller), client: client))
        }
        return askers
    }

    private func act(
        _ number: UInt64, by askers: [Asker], in log: AuditLog, _ written: Count
    ) async throws {
        var draw = Draw(number)
        let who = Int.random(in: 0..<Self.holders, using: &draw)
        let asker = askers[who]
        let form = DocumentForm.allCases[[0, 0, 0, 0, 0, 0, 1, 1, 1, 2][Int.random(in: 0..<10, using: &draw)]]
        switch Int.random(in: 0..<1000, using: &draw) {
        case 0..<60:
            let kind = [Failure.Kind.denied, .windowElapsed, .noCredential, .invalidXML].randomElement(using: &draw)
            try await log.recordRefusal(
                of: asker.caller, action: .signDocument(form), failure: Failure(kind ?? .denied, "No."),
                occurrence: nil, requestID: Self.request(number))
            _ = written.next()
        case 60..<80:
            try await log.recordEvent(.administration, note: "suspend", holder: asker.caller.holder)
            _ = written.next()
        default:
            let use = KeyUse(
                signature: SignatureID(random: .live), credential: Self.credential(who), certificate: digest,
                bytesToSign: Array("<SignedInfo>\(number)</SignedInfo>".utf8), custody: "hsm",
                requestID: Self.request(number), prescription: form == .dispensing ? "passed" : nil)
            let intent = try await log.recordIntent(try permit(form, asker, number), use: use, step: { _, _ in })
            _ = written.next()
            let failed = Int.random(in: 0..<500, using: &draw) == 0
            let outcome: Outcome =
                failed ? .failed("the module gave no value") : .signed(Digest(of: Array("\(number)".utf8)))
            _ = try await log.conclude(intent.begin(), outcome)
            _ = written.next()
        }
    }

    private func permit(_ form: DocumentForm, _ asker: Asker, _ number: UInt64) throws -> Permit {
        let isDispensing = form == .dispensing
        return try policies.permit(
            .signDocument(form), on: Digest(of: Array("document \(number)".utf8)), by: asker.caller,
            with: asker.activation,
            facts: PolicyFacts(
                certificateRoles: [isDispensing ? .pharmacist : .medicalDoctor],
                client: ClientRegistration(
                    id: asker.client, facility: "1310000001", kind: isDispensing ? .pharmacy : .medical),
                prescription: isDispensing ? .passed : .none, authenticationAge: 0))
    }
}

/// A number that every connection counts on.
private final class Count: Sendable {
    private let count = Mutex<UInt64>(0)

    var value: UInt64 { count.withLock { $0 } }

    /// The number, which is then one more.
    func next() -> UInt64 {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}
