import ArgumentParser
import Audit
import Foundation
import HPKI
import Host
import JOSE
import Policies
import Storage
import Transparency

/// `shirushi audit export`: records for others, by what they are about.
struct AuditExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write records with their evidence as JSON Lines, or as CSV for reading.",
        discussion: """
            Without a filter the export is complete, and its tree is built
            anew by whoever checks it; with one, each record has its proof.
            CSV has no proofs: it is for reading. Times are RFC 3339. Who and
            what an outcome is about its intent says, so both are exported.
            scripts/verify-audit export checks JSON Lines.

            EXAMPLES
              shirushi audit export --home ./var/home --out log.jsonl
              shirushi audit export --home ./var/home --holder doctor-1 \\
                --since 2026-11-01T00:00:00+09:00 --format csv
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable { case jsonl, csv }

    @OptionGroup var home: HomeOption
    @OptionGroup var filter: RecordFilter
    @OptionGroup var checkpoint: CosignedOption
    @Option(help: "jsonl or csv.") var format: Format = .jsonl
    @Option(help: "A file to write; standard output without it.") var out: String?

    func run() async throws {
        let folder = LogFolder(home.home)
        let filter = try filter.checked(clients: try Configuration.read(home.home).clients)
        let output = try ExportOutput(out)
        let bar = ProgressBar("records read")
        try await folder.withEvidence(checkpoint.choice) { [format] evidence, connection in
            var filter = filter
            let isComplete = filter.isEmpty
            switch format {
            case .jsonl: try output.line(evidence.fileHeader(isComplete: isComplete).bytes)
            case .csv: try output.line(RecordTable.header)
            }
            var next: UInt64 = 0
            let size = evidence.checkpoint.size
            while next < size {
                let entries = try AuditReader.entries(from: next, limit: Int(min(1000, size - next)), in: connection)
                guard let last = entries.last else { break }
                for entry in entries where filter.matches(entry) {
                    switch format {
                    case .csv: try output.line(RecordTable.row(entry))
                    case .jsonl:
                        let record =
                            isComplete
                            ? EvidenceRecord(leaf: entry.leaf, openings: entry.detail?.openings ?? [], proof: nil)
                            : try evidence.record(entry.leaf.sequence)
                        if let record { try output.line(record.json.bytes) }
                    }
                }
                next = last.leaf.sequence + 1
                bar.show(next, of: size)
            }
        }
        bar.end()
        try output.end()
    }
}

/// What an export is about.
struct RecordFilter: ParsableArguments {
    @Option(help: "From this time on.") var since: String?
    @Option(help: "Before this time.") var until: String?
    @Option(help: "One holder's id.") var holder: String?
    @Option(help: "One credential's id.") var credential: String?
    @Option(help: "One client system's id.") var client: String?
    @Option(help: "One facility: its client systems of the configuration.") var facility: String?
    @Option(help: "One kind: \(EntryKind.allCases.map(\.name).joined(separator: ", ")).") var kind: String?
    @Option(help: "How uses ended: signed, failed or unknown.") var outcome: String?

    /// A filter whose words were understood.
    struct Checked: Sendable {
        var since: Instant?
        var until: Instant?
        var kind: EntryKind?
        var outcome: UInt16?
        var holder: String?
        /// The client systems of which a record must name one.
        var clients: Set<String>?
        var credential: String?
        /// Intents that are asked for and whose outcomes have not come: these have no holder, key or client themselves.
        private var intents: Set<UInt64> = []

        init(holder: String?, clients: Set<String>?, credential: String?) {
            self.holder = holder
            self.clients = clients
            self.credential = credential
        }

        var isEmpty: Bool { since == nil && until == nil && kind == nil && outcome == nil && isAboutAnybody }

        private var isAboutAnybody: Bool { holder == nil && clients == nil && credential == nil }

        /// Whether a record is asked for; records must come in the log's order.
        mutating func matches(_ entry: AuditReader.Entry) -> Bool {
            let leaf = entry.leaf
            guard isAboutAnybody || isAbout(entry) else { return false }
            if let since, leaf.time < since { return false }
            if let until, leaf.time >= until { return false }
            if let kind, leaf.kind != kind { return false }
            if let outcome, leaf.kind != .outcome || leaf.code != outcome { return false }
            return true
        }

        private mutating func isAbout(_ entry: AuditReader.Entry) -> Bool {
            if entry.leaf.kind == .outcome, let intent = entry.leaf.intent { return intents.remove(intent) != nil }
            func value(_ field: DetailField) -> String? { entry.detail?.openings.first { $0.field == field }?.value }
            if let holder, value(.holder) != holder { return false }
            if let clients, !clients.contains(value(.client) ?? "") { return false }
            if let credential, value(.key)?.hasPrefix(credential + ":") != true { return false }
            if entry.leaf.kind == .intent { intents.insert(entry.leaf.sequence) }
            return true
        }
    }

    func checked(clients known: [ClientRegistration]) throws -> Checked {
        var clients = client.map { Set([$0]) }
        if let facility {
            let ofFacility = Set(known.filter { $0.facility == facility }.map { "\($0.id)" })
            guard !ofFacility.isEmpty else {
                throw CommandError("the configuration has no client system of the facility \(facility)")
            }
            clients = clients.map { $0.intersection(ofFacility) } ?? ofFacility
        }
        var checked = Checked(holder: holder, clients: clients, credential: credential)
        checked.since = try since.map(Self.instant)
        checked.until = try until.map(Self.instant)
        if let kind {
            guard let found = EntryKind.allCases.first(where: { $0.name == kind }) else {
                throw CommandError("there is no kind \(kind)")
            }
            checked.kind = found
        }
        if let outcome {
            guard let index = ["signed", "failed", "unknown"].firstIndex(of: outcome) else {
                throw CommandError("a use ends as signed, failed or unknown, not as \(outcome)")
            }
            checked.outcome = UInt16(index + 1)
        }
        return checked
    }

    /// A time of RFC 3339; throws for anything else.
    static func instant(_ text: String) throws -> Instant {
        guard let instant = Instant(rfc3339: text) else {
            throw CommandError("\(text) is no time such as 2026-11-01T00:00:00+09:00")
        }
        return instant
    }
}

/// Records as a table for people.
enum RecordTable {
    private static let fields: [DetailField] = [
        .holder, .signature, .document, .key, .decision, .client, .request, .note, .prescription, .custody, .authority,
        .transition,
    ]

    static var header: [UInt8] {
        CSVField.line(["sequence", "time", "kind", "code", "closes"] + fields.map(\.name))
    }

    static func row(_ entry: AuditReader.Entry) -> [UInt8] {
        let leaf = entry.leaf
        let head = [
            "\(leaf.sequence)", leaf.time.rfc3339 ?? "", leaf.kind.name, "\(leaf.code)",
            leaf.intent.map { "\($0)" } ?? "",
        ]
        let values = fields.map { field in entry.detail?.openings.first { $0.field == field }?.value ?? "" }
        return CSVField.line(head + values)
    }
}

/// Where an export goes: a new file of its owner's, or standard output.
final class ExportOutput: Sendable {
    private let file: FileHandle

    init(_ path: String?) throws {
        guard let path else {
            file = .standardOutput
            return
        }
        let whole = Paths.absolute(path)
        do { try Files.write([], to: whole, replacing: false) } catch {
            throw CommandError("\(path) cannot be made: \(error)")
        }
        guard let opened = FileHandle(forWritingAtPath: whole) else { throw CommandError("\(path) cannot be written") }
        file = opened
    }

    func line(_ bytes: [UInt8]) throws { try file.write(contentsOf: Data(bytes + [0x0A])) }

    func end() throws { if file !== FileHandle.standardOutput { try file.close() } }
}
