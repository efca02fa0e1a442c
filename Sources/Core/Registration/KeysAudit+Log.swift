import Audit
import HPKI
import Identity
import Keys
import Storage

// The registry beside the log: every row is as its newest record tells, and every record has its row.
extension KeysAudit {
    /// Each record has its row, and no newer one than the row names: none was removed or rolled back behind the log.
    func checkLog(_ report: inout Findings) async throws(Failure) {
        var next: UInt64 = 0
        while true {
            let from = next
            let (entries, faults) = try await read { connection in
                let entries = try AuditReader.entries(from: from, limit: 1000, in: connection)
                var faults: [String] = []
                for entry in entries where entry.leaf.kind == .administration {
                    for opening in entry.detail?.openings ?? [] where opening.field == .registration {
                        if let fault = try Self.fault(opening.value, entry.leaf.sequence, connection) {
                            faults.append(fault)
                        }
                    }
                }
                return (entries.map(\.leaf.sequence), faults)
            }
            for fault in faults { report.fault(fault) }
            guard let last = entries.last else { return }
            report.records = last + 1
            next = last + 1
        }
    }

    private static func fault(
        _ registration: String, _ sequence: UInt64, _ connection: any SQLConnection
    ) throws -> String? {
        guard let told = ToldRow(registration) else { return "record \(sequence) cannot be understood" }
        // Whether the row can be read and is as its newest record says is asked of each row once, in `checkRows`.
        let held: ToldRow.Row.Held?
        do { held = try told.row.held(in: connection) } catch StorageError.unexpectedValue {
            return nil
        }
        guard let held else { return "\(told.row): its row is gone; record \(sequence) tells of it" }
        guard let entry = held.entry, entry >= sequence else {
            return "\(told.row): its row is older than record \(sequence); it was rolled back"
        }
        return nil
    }

    /// Each row is told of as it is by the record that it names: none was altered or put in behind the log.
    func checkRows(_ report: inout Findings) async throws(Failure) {
        for kind in [ToldRow.Kind.credential, .holder] {
            var after = ""
            while true {
                let from = after
                let (names, faults, erased) = try await read { connection in
                    let names = try kind.names(after: from, in: connection)
                    var erased: UInt64 = 0
                    let faults = try names.compactMap { name -> String? in
                        let row = ToldRow.Row(kind: kind, name: name)
                        let held: ToldRow.Row.Held?
                        do { held = try row.held(in: connection) } catch StorageError.unexpectedValue { held = nil }
                        guard let held else { return "\(row): its row cannot be read; it was altered" }
                        // Rows of the first release, of which no record tells.
                        guard let entry = held.entry else {
                            return held.version == 0 ? nil : "\(row): no record tells of its row"
                        }
                        guard let all = try ToldRow.all(in: entry, connection) else {
                            erased += 1
                            return nil
                        }
                        let told = all.last { $0.row == row }
                        return told?.digest == held.digest
                            ? nil : "\(row): its row is not as record \(entry) tells, which it names; it was altered"
                    }
                    return (names, faults, erased)
                }
                for fault in faults { report.fault(fault) }
                report.erased += erased
                guard let last = names.last else { break }
                after = last
            }
        }
    }
}

/// A row of the registry as a record of the log tells of it.
struct ToldRow: Sendable, Hashable {
    enum Kind: String, Sendable {
        case credential, holder
    }

    /// Which row.
    struct Row: Sendable, Hashable, CustomStringConvertible {
        let kind: Kind
        let name: String

        var description: String { "\(kind.rawValue) \(name)" }
    }

    let row: Row
    /// In hexadecimal.
    let digest: String

    /// Reads what `RegistryChange.registrations` holds; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, let kind = Kind(rawValue: parts[0]) else { return nil }
        // An identifier may have colons in it.
        row = Row(kind: kind, name: parts[1..<parts.count - 2].joined(separator: ":"))
        digest = parts[parts.count - 1]
    }

    /// What one record of the log tells of; nothing where there is no such record, nil where its detail was erased.
    static func all(in entry: UInt64, _ connection: any SQLConnection) throws -> [ToldRow]? {
        guard
            let entry = try AuditReader.entries(from: entry, limit: 1, in: connection).first(where: {
                $0.leaf.sequence == entry
            }),
            entry.leaf.kind == .administration
        else { return [] }
        guard let detail = entry.detail else { return nil }
        return detail.openings.filter { $0.field == .registration }.compactMap { ToldRow($0.value) }
    }
}

extension ToldRow.Row {
    /// A row as it is: the record that it names, its digest and its version.
    typealias Held = (entry: UInt64?, digest: String, version: Int64)

    /// The row, or nil where there is none; throws `.unexpectedValue` for one that cannot be read.
    func held(in connection: any SQLConnection) throws -> Held? {
        switch kind {
        case .credential:
            try CredentialID(name).flatMap { try CredentialStore.audited($0, in: connection) }
                .map { ($0.entry, $0.record.digest.hex, $0.record.version) }
        case .holder:
            try HolderID(name).flatMap { try HolderStore.audited($0, in: connection) }
                .map { ($0.record, $0.holder?.digest.hex ?? "", $0.holder?.version ?? 0) }
        }
    }
}

extension ToldRow.Kind {
    /// The next names of such rows behind `after`.
    func names(after: String, in connection: any SQLConnection) throws(StorageError) -> [String] {
        try connection.query(
            "SELECT id FROM \(rawValue) WHERE id > $1 ORDER BY id LIMIT 500", [.text(after)]
        ).map { row throws(StorageError) in try row.text("id") }
    }
}
