import Audit
import Foundation
import HPKI
import Host
import Identity
import JOSE
import Policies
import Storage
import Synchronization
import Transparency

/// An instance's log with its files, in a folder that goes with it.
final class Instance: Sendable {
    static let start = Instant(milliseconds: 1_767_323_045_678)
    static let pseudonyms = Pseudonyms(key: Array(0..<32))
    static let marks = SchemaPart("marks", versions: ["CREATE TABLE mark (sequence BIGINT PRIMARY KEY);"])
    static let parts = [HolderStore.part, AuditSchema.part, marks]

    let folder: String
    let key: LogKey
    let clock = Mutex(start)
    let stops = Mutex<[String]>([])

    init(key: LogKey = LogKey(Array(32..<64))) throws {
        self.key = key
        folder = FileManager.default.temporaryDirectory.appending(path: "shirushi-audit-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try AuditVerifier.create(headAt: headPath, key: key)
        try Database.create(at: databasePath, parts: Self.parts).close()
    }

    /// Another folder with the same files, as a backup of everything leaves it; the database is closed.
    init(copyOf other: Instance) throws {
        key = other.key
        folder = FileManager.default.temporaryDirectory.appending(path: "shirushi-audit-\(UUID())").path()
        clock.withLock { [now = other.clock.withLock { $0 }] in $0 = now }
        try FileManager.default.copyItem(atPath: other.folder, toPath: folder)
    }

    /// Waits until nobody has the database open, and all of it is in its one file.
    func closed() async throws {
        while Files.exists(databasePath + "-shm") || Files.exists(databasePath + "-wal") {
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Puts this log's database in the place of another's; both are closed.
    func giveDatabase(to other: Instance) async throws {
        try await closed()
        try await other.closed()
        try FileManager.default.removeItem(atPath: other.databasePath)
        try FileManager.default.copyItem(atPath: databasePath, toPath: other.databasePath)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var headPath: String { folder + "/audit.head" }
    var databasePath: String { folder + "/core.sqlite" }

    func database(_ faults: DatabaseFaults? = nil) throws -> Database {
        try Database.open(at: databasePath, parts: Self.parts, faults: faults)
    }

    /// One mark for each four records.
    var mark: LogMarkFile { LogMarkFile(folder + "/audit.mark", every: 4) }

    func verified(_ faults: DatabaseFaults? = nil, markAt mark: LogMarkFile? = nil) throws -> VerifiedLog {
        try AuditVerifier.open(try database(faults), headAt: headPath, markAt: mark, key: key)
    }

    /// A running log; stop it.
    func log(
        _ faults: DatabaseFaults? = nil, markAt mark: LogMarkFile? = nil, random: Random = .live
    ) throws -> AuditLog {
        AuditLog(
            try verified(faults, markAt: mark), origin: "log.example", key: key, signers: try signers(),
            pseudonyms: Self.pseudonyms, clock: WallClock { self.clock.withLock { $0 } }, random: random,
            onStop: { reason in self.stops.withLock { $0.append(reason) } }
        )
    }

    func signers() throws -> LogSigners { try LogSigners(origin: "log.example", seeds: Array(64..<96)) }

    func faults() throws -> [String] {
        try AuditVerifier.report(try database(), headAt: headPath, key: key).faults
    }

    func report(saved: [Checkpoint] = []) throws -> LogReport {
        try AuditVerifier.report(
            try database(), headAt: headPath, key: key, saved: saved, keys: try signers().keys)
    }

    /// Why the log does not open for its writer; nil when it does.
    func openingFault() throws -> AuditError? {
        let database = try database()
        do throws(AuditError) {
            _ = try AuditVerifier.open(database, headAt: headPath, key: key)
            return nil
        } catch { return error }
    }

    func entries() async throws -> [AuditReader.Entry] {
        try await AuditReader.entries(try database(), from: 0, limit: 10_000)
    }

    /// Does to the database what no writer of ours does.
    func tamper(_ sql: String, _ arguments: [SQLValue] = []) async throws {
        try await database().write { _ = try $0.execute(sql, arguments) }
    }

    func count(_ table: String) async throws -> Int64 {
        try await database().read { try $0.queryOne("SELECT COUNT(*) AS n FROM \(table)")?.integer("n") ?? -1 }
    }
}

/// A permitted caller: the first three tickets, made the way the product makes them.
struct Doctor: Sendable {
    static let holder = made(HolderID("doctor-1"))
    let caller: Caller
    let activation: Activation
    let policies: PolicySet

    static let shared = Task { try await Doctor() }

    private init() async throws {
        let instance = try Instance()
        let signer = try await TokenSigner.generate(keyID: "k", random: .live)
        let keys = signer.publicJWKSet
        let now = Instance.start
        let database = try instance.database()
        try await database.write { try HolderStore.insert(Self.holder, in: $0) }
        let identification = TokenIdentification(
            issuers: [IssuerSettings(issuer: "i", audience: "a", jwks: "https://i/jwks", holders: [Self.holder])],
            window: ActivationWindow(), database: database, clock: .fixed(now),
            possession: PossessionGate(clock: .fixed(now), random: .live), ended: EndedLogins(), fetch: { _ in keys }
        )
        let token = try signer.sign([
            "iss": "i", "aud": "a", "sub": "doctor-1", "exp": .number("\(now.seconds + 600)"),
            "auth_time": .number("\(now.seconds)"), "acr": "hpki-card", "amr": ["hwk"], "client_id": "clinic-1",
        ])
        caller = try await identification.identify(PresentedToken(token))
        activation = try identification.activate(caller)
        policies = try PolicySet(reading: PolicySet.shippedFile)
    }

    static let document = Digest(of: Array("a prescription".utf8))

    /// A permit for one prescription.
    func permit() throws -> Permit {
        try policies.permit(
            .signDocument(.prescription), on: Self.document, by: caller, with: activation,
            facts: PolicyFacts(
                certificateRoles: [.medicalDoctor],
                client: ClientRegistration(id: made(ClientID("clinic-1")), facility: "1310000001", kind: .medical),
                prescription: .none, authenticationAge: 0
            )
        )
    }

    func use() -> KeyUse {
        KeyUse(
            signature: SignatureID(random: .live), credential: made(CredentialID("doctor-1-a")),
            certificate: Digest(of: [1]), bytesToSign: Array("<SignedInfo/>".utf8), custody: "software token",
            requestID: "request-1", prescription: nil
        )
    }
}

extension AuditLog {
    /// An intent of the doctor's.
    func intent(_ doctor: Doctor, step: @escaping Step = { _, _ in }) async throws -> Intent {
        try await recordIntent(doctor.permit(), use: doctor.use(), step: step)
    }
}

/// A disk that says no once, at the n-th commit: before it is done, or after.
func fault(at number: Int, done: Bool) -> DatabaseFaults {
    let commits = Mutex(0)
    let say: @Sendable () throws -> Void = {
        let isIt = commits.withLock { count in
            count += 1
            return count == number
        }
        if isIt { throw CocoaError(.fileWriteUnknown) }
    }
    return done ? DatabaseFaults(afterCommit: say) : DatabaseFaults(beforeCommit: say)
}

/// The numbers 0, 1, 2, … as random bytes.
func counting() -> Random {
    let next = Mutex<UInt8>(0)
    return Random { count in
        next.withLock { next in
            (0..<count).map { _ in
                defer { next &+= 1 }
                return next
            }
        }
    }
}

/// The value of an identifier written in a test.
func made<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("a test's identifier is none") }
    return value
}
