import Audit
import AuditIndex
import Foundation
import HPKI
import Host
import Identity
import Storage
import Transparency

/// An instance's log in a folder of its own, as `init` makes it, with keys that everybody knows.
struct BenchLog: Sendable {
    static let origin = "log.example/bench"
    static let pseudonyms = Pseudonyms(key: Array(0..<32))
    private static let key = LogKey(Array(32..<64))
    private static let parts = [HolderStore.part, AuditSchema.part, ErasureSchema.part]

    let folder: String

    init(in folder: String) { self.folder = folder }

    private var databasePath: String { folder + "/core.sqlite" }
    private var headPath: String { folder + "/audit.head" }
    var indexPath: String { folder + "/audit-index.sqlite" }

    var exists: Bool { Files.exists(databasePath) }

    func create(holders: Int) async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try AuditVerifier.create(headAt: headPath, key: Self.key)
        let database = try Database.create(at: databasePath, parts: Self.parts)
        try await database.write { connection in
            for number in 0..<holders { try HolderStore.insert(Traffic.holder(number), in: connection) }
        }
        try database.close()
    }

    func database() throws -> Database { try Database.open(at: databasePath, parts: Self.parts) }

    private func signers() throws -> LogSigners { try LogSigners(origin: Self.origin, seeds: Array(64..<96)) }

    private func verified(_ database: Database) throws -> VerifiedLog {
        try AuditVerifier.open(
            database, headAt: headPath, markAt: LogMarkFile(folder + "/audit.mark"), key: Self.key)
    }

    /// The log's writer; a failed write ends the program.
    func writer(_ database: Database, clock: WallClock) throws -> AuditLog {
        AuditLog(
            try verified(database), origin: Self.origin, key: Self.key, signers: try signers(),
            pseudonyms: Self.pseudonyms, clock: clock, random: .live,
            onStop: { reason in
                print("the log stopped: \(reason)")
                exit(1)
            })
    }

    /// A start's work on the log, as far as it is done before serving.
    func measureStart() async throws {
        let database = try database()
        let clock = ContinuousClock()
        let time = try clock.measure { _ = try verified(database) }
        figure("a start verifies the newest records from the mark on", Figures.ms(time))
        try database.close()
    }

    /// What `shirushi audit verify` does, with its progress.
    func measureVerification() async throws {
        let database = try database()
        var told: UInt64 = 0
        var report: LogReport?
        let measured = try await Figures.measure {
            report = try AuditVerifier.report(
                database, headAt: headPath, key: Self.key, keys: try signers().keys,
                progress: { done, all in
                    told += 1
                    // A line on standard error, as the command's bar.
                    let text = "\r\(done) of \(all) records verified"
                    FileHandle.standardError.write(Data(text.utf8))
                })
        }
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
        guard let report, report.faults.isEmpty else {
            print("the log does not hold: \(report?.faults.first ?? "no report")")
            exit(1)
        }
        figure(
            "full verification of \(report.size) records, \(report.checkpoints) checkpoints",
            "\(Figures.seconds(measured.time)), CPU \(Figures.seconds(measured.cpu)), progress told \(told) times")
        try database.close()
    }

    /// Each proof as a request has it made: the newest checkpoint is read anew for it.
    func measureProofs() async throws {
        let database = try database()
        let keys = try signers().keys
        let size = try await database.read { try LogEvidence(origin: Self.origin, keys: keys, in: $0)?.checkpoint.size }
        guard let size else {
            print("the log has no checkpoint")
            exit(1)
        }
        var draw = Draw(11)
        var times: [Duration] = []
        for _ in 0..<1000 {
            let sequence = UInt64.random(in: 0..<size, using: &draw)
            let clock = ContinuousClock()
            let begun = clock.now
            let record = try await database.read { connection in
                var evidence = try LogEvidence(origin: Self.origin, keys: keys, in: connection)
                return try evidence?.record(sequence)
            }
            times.append(clock.now - begun)
            guard let record, record.leaf.sequence == sequence, record.proof?.isEmpty == false else {
                print("record \(sequence) has no proof")
                exit(1)
            }
        }
        figure("a record with its inclusion proof, of 1,000 at random", Figures.spread(times))
        try database.close()
    }
}
