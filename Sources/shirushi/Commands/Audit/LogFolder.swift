import ArgumentParser
import Audit
import Core
import Foundation
import HPKI
import Host
import Storage
import Transparency

/// An instance's log as its operator reads it: from the database, beside a core that serves.
struct LogFolder {
    let home: Home

    init(_ home: Home) {
        self.home = home
    }

    /// The keys that sign the log's checkpoints now.
    var keys: [NoteKey] {
        get throws {
            try home.mustExist()
            guard Files.exists(home.core.checkpointKey) else {
                throw CommandError(
                    "this instance has no checkpoint key yet; its first start with this release makes one")
            }
            return try LogSecrets.checkpointKeys(home.core, origin: try Configuration.read(home).origin)
        }
    }

    /// Runs work that takes long on a thread of its own.
    func blocking<Value: Sendable>(
        _ work: @escaping @Sendable (Database, CoreSettings.Paths) throws -> Value
    ) async throws -> Value {
        try await AdminCall(home: home).withDatabase(readOnly: true) { database in
            let result: Result<Value, any Error> = await withCheckedContinuation { answer in
                HostThread.start("audit-command") {
                    answer.resume(returning: Result { try work(database, home.core) })
                }
            }
            return try result.get()
        }
    }

    /// Runs `work` on the evidence of one signed checkpoint, within one snapshot of the database.
    func withEvidence<Value: Sendable>(
        _ choice: LogEvidence.Choice = .newest,
        _ work: @escaping @Sendable (inout LogEvidence, any SQLConnection) throws -> Value
    ) async throws -> Value {
        let (origin, keys) = (try Configuration.read(home).origin, try keys)
        return try await blocking { database, _ in
            try database.readBlocking { connection in
                // What is said to a person goes out as it is, and not as the transaction's fault.
                Result<Value, any Error> {
                    guard var evidence = try LogEvidence(origin: origin, keys: keys, choice, in: connection) else {
                        throw CommandError(
                            "the log has no such signed checkpoint yet; start the instance, or wait for its witnesses")
                    }
                    return try work(&evidence, connection)
                }
            }.get()
        }
    }

    /// Prints the next records from `sequence` on; the last one's number, or nil where there are no more.
    func list(from sequence: UInt64, asJSON: Bool) async throws -> UInt64? {
        let entries = try await AdminCall(home: home).withDatabase(readOnly: true) { database in
            try await AuditReader.entries(database, from: sequence, limit: 200)
        }
        for entry in entries { print(asJSON ? try entry.json : entry.line) }
        return entries.last?.leaf.sequence
    }
}

extension AuditReader.Entry {
    private var fields: [(name: String, value: String)] {
        (detail?.openings ?? []).map { ($0.field.name, $0.value) } + (leaf.intent.map { [("closes", "\($0)")] } ?? [])
    }

    fileprivate var line: String {
        let shown = ["holder", "document", "decision", "closes", "note", "signature-value"]
        let facts = fields.filter { shown.contains($0.name) }.map { field in
            let value = field.value.count > 72 ? field.value.prefix(69) + "..." : field.value[...]
            return "\(field.name)=\(value)"
        }
        let number = String(repeating: " ", count: max(0, 6 - "\(leaf.sequence)".count)) + "\(leaf.sequence)"
        let kind = leaf.kind.name.padding(toLength: 14, withPad: " ", startingAt: 0)
        return "\(number)  \(leaf.time.rfc3339 ?? "")  \(kind) \(facts.joined(separator: " "))"
    }

    fileprivate var json: String {
        get throws {
            var object: [String: Any] = [
                "sequence": leaf.sequence, "time": leaf.time.rfc3339 ?? "", "timeMilliseconds": leaf.time.milliseconds,
                "kind": leaf.kind.name,
            ]
            for field in fields { object[field.name] = field.value }
            let data = try JSONSerialization.data(
                withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
            return String(decoding: data, as: UTF8.self)
        }
    }
}

/// Which checkpoint evidence is under.
struct CosignedOption: ParsableArguments {
    @Flag(help: "Up to the newest checkpoint that a witness cosigned.") var cosigned = false

    var choice: LogEvidence.Choice { cosigned ? .before(.max, isCosigned: true) : .newest }
}

/// One line on the terminal that says how far a long work is; nothing where the errors go to a file.
final class ProgressBar: Sendable {
    private let words: String
    private let isShown: Bool

    init(_ words: String) {
        self.words = words
        isShown = isatty(STDERR_FILENO) == 1
    }

    func show(_ done: UInt64, of all: UInt64) {
        guard isShown, all > 0 else { return }
        let width = Int(done * 30 / all)
        let bar = String(repeating: "#", count: width) + String(repeating: ".", count: 30 - width)
        FileHandle.standardError.write(Data("\r[\(bar)] \(done) of \(all) \(words)".utf8))
    }

    func end() {
        guard isShown else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    }
}
