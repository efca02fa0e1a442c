import Audit
import Foundation
import HPKI
import Host
import Storage
import Synchronization
import Testing
import Transparency

/// Seeded numbers (SplitMix64): a run that failed can be had again.
struct DrillDraw: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// `bytes` with one bit of one byte the other way.
    mutating func flipped(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes[Int.random(in: bytes.indices, using: &self)] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        return bytes
    }
}

/// Where a tampering was seen.
struct Seen {
    /// What a start refused for.
    var refusal: String?
    /// What a start from a mark found while it served.
    var found: String?
    var isVerified = false
}

/// One log of the drill: its files, how long it is, and whether its starts go from a mark.
struct Drilled {
    let instance: Instance
    let size: UInt64
    let mark: LogMarkFile?

    /// A stopped log of some records up to some hundred, in commits of one to a dozen.
    ///
    /// Every second one has a mark; some end with a full tile and the mark at once, where a start reads least.
    init(_ draw: inout DrillDraw, key: LogKey = LogKey(Array(32..<64)), hasTiles: Bool = false) async throws {
        let instance = try Instance(key: key)
        let hasMark = Bool.random(using: &draw)
        let lengths = hasTiles ? [256...256, 257...600] : [4...40, 4...40, 41...200, 256...256, 257...600]
        let length = Int.random(in: lengths[Int.random(in: lengths.indices, using: &draw)], using: &draw)
        let mark = hasMark ? LogMarkFile(instance.folder + "/audit.mark", every: 64) : nil
        self.init(instance: instance, size: UInt64(length), mark: mark)
        try await grow(by: length, &draw)
    }

    private init(instance: Instance, size: UInt64, mark: LogMarkFile?) {
        self.instance = instance
        self.size = size
        self.mark = mark
    }

    /// The same files elsewhere, which from then on go their own way.
    func copy() async throws -> Drilled {
        try await instance.closed()
        let copied = try Instance(copyOf: instance)
        let mark = mark.map { _ in LogMarkFile(copied.folder + "/audit.mark", every: 64) }
        return Drilled(instance: copied, size: size, mark: mark)
    }

    /// The same log, longer.
    func grown(by count: Int, _ draw: inout DrillDraw) async throws -> Drilled {
        try await grow(by: count, &draw)
        return Drilled(instance: instance, size: size + UInt64(count), mark: mark)
    }

    private func grow(by count: Int, _ draw: inout DrillDraw) async throws {
        let log = try instance.log(markAt: mark)
        defer { log.stop() }
        let doctor = try await Doctor.shared.value
        var left = count
        while left > 0 {
            instance.clock.withLock { [seconds = Int64.random(in: 1...90, using: &draw)] in
                $0 = $0.adding(seconds: seconds)
            }
            // Uses of keys take two records; what waits together shares a commit.
            let uses = left >= 2 ? Int.random(in: 0...min(3, left / 2), using: &draw) : 0
            let acts = Int.random(in: 0...min(12, left - 2 * uses), using: &draw)
            let salt = UInt64.random(in: 0...UInt64.max, using: &draw)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for use in 0..<uses {
                    group.addTask {
                        _ = try await log.conclude(
                            log.intent(doctor).begin(), .signed(Digest(of: [UInt8(use), UInt8(salt & 255)])))
                    }
                }
                for act in 0..<acts {
                    group.addTask { try await log.recordEvent(.administration, note: "act \(act) of \(salt)") }
                }
                try await group.waitForAll()
            }
            left -= 2 * uses + acts
        }
    }

    // MARK: What tells of it

    /// What a start says and refuses for; where it goes from a mark and serves, what it finds while serving.
    func start() async throws -> Seen {
        let verified: VerifiedLog
        do { verified = try instance.verified(markAt: mark) } catch AuditError.broken(let fault) {
            return Seen(refusal: fault)
        }
        do { try await verified.recheck?.run() } catch AuditError.broken(let fault) { return Seen(found: fault) }
        return Seen()
    }

    /// What `audit verify` says.
    func verification(since saved: [Checkpoint] = []) throws -> [String] {
        do { return try instance.report(saved: saved).faults } catch AuditError.broken(let fault) { return [fault] }
    }

    /// The newest checkpoint that the log signed.
    func checkpoint() async throws -> Checkpoint {
        let keys = try instance.signers().keys
        let checkpoint = try await instance.database().read { connection in
            try LogEvidence(origin: "log.example", keys: keys, in: connection)?.checkpoint
        }
        return try #require(checkpoint)
    }

    /// A blob of the row that `condition` picks.
    func blob(_ column: String, _ table: String, where condition: String) async throws -> [UInt8] {
        let sql = "SELECT \(column) AS value FROM \(table) WHERE \(condition)"
        return try #require(try await instance.database().read { try $0.queryOne(sql)?.optionalBlob("value") })
    }

    /// The numbers of a table's rows, of those that `condition` picks.
    func numbers(_ column: String, _ table: String, where condition: String = "1") async throws -> [Int64] {
        let sql = "SELECT \(column) AS value FROM \(table) WHERE \(condition) ORDER BY \(column)"
        return try await instance.database().read { try $0.query(sql).map { try $0.integer("value") } }
    }
}

/// What a fault's sentence names.
struct Naming {
    let fault: String

    init(_ fault: String) { self.fault = fault }

    /// Whether the record is named, or stands in a range that is.
    func names(record: UInt64) -> Bool {
        let ranges = fault.matches(of: /records (\d+) to (\d+)/).compactMap { match in
            UInt64(match.1).flatMap { low in UInt64(match.2).map { low...max(low, $0) } }
        }
        let tails = fault.matches(of: /record (\d+) and later/).compactMap { UInt64($0.1) }
        let single = fault.matches(of: /record (\d+)\b(?! and later)/).compactMap { UInt64($0.1) }
        return single.contains(record) || ranges.contains { $0.contains(record) } || tails.contains { $0 <= record }
    }

    /// Whether the commit of so many records is named, by its size or by what lies between it and the one before.
    func names(commit size: Int64) -> Bool {
        fault.contains("the records up to \(size) ") || fault.contains("a commit counts \(size) records")
            || fault.contains(": \(size) records were committed")
            || (size > 0 && names(record: UInt64(size - 1)))
    }
}
