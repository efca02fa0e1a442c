import Audit
import AuditIndex
import CoreProtocol
import Foundation
import HPKI
import Storage

/// Seeded numbers (SplitMix64), so that every run sees the same records.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// The value of an identifier written in a test.
func made<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("a test's identifier is none") }
    return value
}

/// A log's tables with records that a test writes by the format alone, and an index of them; gone with it.
///
/// The commitments are not those of the openings: the index reads both halves and leaves proof to the log.
final class SyntheticLog: Sendable {
    static let parts = [AuditSchema.part, ErasureSchema.part]
    let folder: String
    let database: Database
    let index: AuditIndex

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "shirushi-index-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        database = try Database.create(at: folder + "/core.sqlite", parts: Self.parts)
        index = AuditIndex(at: folder + "/audit-index.sqlite", of: LogSource(database))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Another index over the same file, as a new start has it.
    func reopened() -> AuditIndex { AuditIndex(at: folder + "/audit-index.sqlite", of: LogSource(database)) }

    func append(_ records: [Synthetic]) async throws {
        try await database.write { connection in
            for record in records {
                try connection.execute(
                    "INSERT INTO audit_entry (sequence, leaf, detail) VALUES ($1, $2, $3)",
                    [
                        .integer(Int64(record.sequence)), .blob(record.leaf),
                        .blob(optional: record.isErased ? nil : record.detail),
                    ])
            }
        }
    }

    func erase(_ sequence: UInt64) async throws {
        try await database.write { connection in
            _ = try connection.execute(
                "UPDATE audit_entry SET detail = NULL WHERE sequence = $1", [.integer(Int64(sequence))])
        }
    }

    /// What stands in the index's file, as bytes.
    func indexBytes() throws -> [UInt8] {
        var bytes: [UInt8] = []
        for end in ["", "-wal"] {
            bytes += (try? Data(contentsOf: URL(filePath: folder + "/audit-index.sqlite" + end))).map(Array.init) ?? []
        }
        return bytes
    }

    /// Does to the index what no writer of ours does.
    func tamper(_ sql: String) async throws {
        let file = try Database.open(at: folder + "/audit-index.sqlite", parts: [])
        try await file.write { connection in _ = try connection.execute(sql) }
        try file.close()
    }
}

/// One record of a log that no instance ever wrote.
struct Synthetic: Sendable {
    var sequence: UInt64
    var time: Instant
    var kind: EntryKind
    var code: UInt16 = 0
    var intent: UInt64?
    var fields: [(DetailField, String)] = []
    var isErased = false

    var leaf: [UInt8] {
        var writer = WireWriter(capacity: 512)
        writer.uint8(1)
        writer.integer(sequence)
        writer.integer(time.milliseconds)
        writer.integer(kind.rawValue)
        writer.integer(code)
        writer.optional(intent) { $0.integer($1) }
        writer.raw(Array(repeating: 0, count: 16))
        writer.list(fields) {
            $0.uint8($1.0.rawValue)
            $0.raw(Array(repeating: 0, count: 32))
        }
        return writer.bytes
    }

    var detail: [UInt8] {
        var writer = WireWriter(capacity: 512)
        writer.list(fields) {
            $0.uint8($1.0.rawValue)
            $0.raw(Array(repeating: 7, count: 16))
            $0.text($1.1)
        }
        return writer.bytes
    }

    /// What the record tells, as a naive reader sees it.
    var record: IndexedRecord {
        get throws { IndexedRecord(try Leaf(leaf), isErased ? nil : try Detail(detail)) }
    }

    static let start = Instant(seconds: 1_767_312_000)
    static let hash = String(repeating: "ab", count: 32)

    static func intent(
        _ sequence: UInt64, at time: Instant, holder: String = "doctor-1", credential: String? = nil,
        client: String? = "clinic-1", form: DocumentForm = .prescription
    ) -> Synthetic {
        var fields: [(DetailField, String)] = [
            (.holder, holder), (.signature, signature(sequence)), (.document, "\(form.rawValue):SHA-256:\(hash)"),
            (.key, "\(credential ?? holder + "-a"):\(hash)"), (.decision, "prescribe:\(hash)"),
            (.request, "request-\(sequence)"),
        ]
        if let client { fields.append((.client, client)) }
        return Synthetic(sequence: sequence, time: time, kind: .intent, fields: fields)
    }

    static func outcome(_ sequence: UInt64, of intent: UInt64, at time: Instant, code: UInt16 = 1) -> Synthetic {
        Synthetic(
            sequence: sequence, time: time, kind: .outcome, code: code, intent: intent,
            fields: [(.signature, signature(intent)), code == 1 ? (.signatureValue, hash) : (.note, "it failed")])
    }

    static func refusal(
        _ sequence: UInt64, at time: Instant, holder: String = "doctor-1", client: String = "clinic-1",
        failure: Failure.Kind = .denied
    ) -> Synthetic {
        Synthetic(
            sequence: sequence, time: time, kind: .refusal,
            fields: [
                (.holder, holder), (.document, "prescription:none"), (.decision, "-"), (.note, failure.rawValue),
                (.request, "request-\(sequence)"), (.client, client),
            ])
    }

    static func event(_ sequence: UInt64, _ kind: EntryKind, at time: Instant, note: String = "core") -> Synthetic {
        Synthetic(sequence: sequence, time: time, kind: kind, fields: [(.note, note)])
    }

    /// The id of the use that the intent `sequence` begins.
    static func signature(_ sequence: UInt64) -> String {
        let digits = String(sequence, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }

    /// A log of `count` records with every kind, over some days, by seed.
    static func log(_ count: Int, seed: UInt64, from first: UInt64 = 0) -> [Synthetic] {
        var generator = Seeded(seed)
        var time = start.milliseconds
        var open: [UInt64] = []
        var records: [Synthetic] = []
        while records.count < count {
            let sequence = first + UInt64(records.count)
            time += Int64.random(in: 0..<60_000, using: &generator)
            let moment = Instant(milliseconds: time)
            let holder = "doctor-\(Int.random(in: 1...12, using: &generator))"
            let client = "clinic-\(Int.random(in: 1...5, using: &generator))"
            switch Int.random(in: 0..<20, using: &generator) {
            case 0..<8:
                open.append(sequence)
                records.append(
                    intent(
                        sequence, at: moment, holder: holder, client: client,
                        form: made(DocumentForm.allCases.randomElement(using: &generator))))
            case 8..<15 where !open.isEmpty:
                let intent = open.remove(at: Int.random(in: open.indices, using: &generator))
                let code = made([1, 1, 1, 1, 2, 3].randomElement(using: &generator)) as UInt16
                records.append(outcome(sequence, of: intent, at: moment, code: code))
            case 15..<18:
                records.append(
                    refusal(
                        sequence, at: moment, holder: holder, client: client,
                        failure: made([.denied, .windowElapsed, .noCredential].randomElement(using: &generator))))
            case 18:
                records.append(
                    Synthetic(
                        sequence: sequence, time: moment, kind: .administration,
                        fields: [
                            (.holder, holder), (.note, "take over"), (.authority, "authority=medis\nground=itself"),
                            (.request, "request-\(sequence)"),
                            (.registration, "credential:\(holder)-b:2:\(hash)"),
                            (.registration, "credential:\(holder)-a:3:\(hash)"), (.transition, "certified>active"),
                        ]))
            default:
                let kind = made([EntryKind.start, .stop, .configuration].randomElement(using: &generator))
                records.append(event(sequence, kind, at: moment))
            }
        }
        return records
    }
}
