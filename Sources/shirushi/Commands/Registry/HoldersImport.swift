import ArgumentParser
import CoreProtocol
import HPKI
import Host
import Web

/// `shirushi holders import`: holders and their keys in bulk.
struct HoldersImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Register many holders, and have a key made for each that orders one.",
        discussion: """
            FILE has one JSON object a line, as the rows of PUT /ra/v1/imports/{import}. This writes one such line:
              printf '%s' '{"holder": {"id": "doctor-7",' \\
                  ' "romajiName": "Hanako Suzuki", "japaneseName": "鈴木花子",' \\
                  ' "roles": ["Medical Doctor"], "registerNumbers": []},' \\
                  ' "credential": "doctor-7-a"}' > rows.jsonl

            More than 1000 rows become several imports, NAME-1, NAME-2 and so on. A command that was broken off goes on
            where it was when it is repeated with the same name and file. It exits with 1 when a row failed.

            EXAMPLE
              shirushi holders import rows.jsonl --name april --home ./var/home \\
                  --authority medis
            """
    )

    @Argument(help: "The file of rows.") var file: String
    @OptionGroup var registry: RegistryOptions
    @Option(help: "The import's name, of your choice.") var name: String

    func run() async throws {
        let rows = try Self.rows(try Files.read(Paths.absolute(file), atMost: 1 << 30))
        let call = try registry.connect()
        let parts = stride(from: 0, to: rows.count, by: RegistrationLimits.importRows).map { start in
            Array(rows[start..<min(start + RegistrationLimits.importRows, rows.count)])
        }
        var before = 0
        var failed = 0
        for (index, part) in parts.enumerated() {
            let name = parts.count == 1 ? name : "\(name)-\(index + 1)"
            guard CredentialID(name) != nil else {
                throw CommandError("--name: a name has 1 to 64 printable ASCII characters without white space")
            }
            var facts = try Self.job(try await call(.startImport(name: name, rows: part)))
            var shown: UInt32?
            while true {
                if shown != facts.done {
                    Progress.say("imported \(before + Int(facts.done)) of \(rows.count) rows")
                    shown = facts.done
                }
                if facts.isFinished { break }
                try await Task.sleep(for: .milliseconds(500))
                facts = try Self.job(try await call(.importJob(name: name)))
            }
            registry.show(.importJob(facts), .importJob(facts))
            if facts.failed > 0 { try await report(name, facts, call) }
            before += part.count
            failed += Int(facts.failed)
        }
        if failed > 0 { throw ExitCode(1) }
    }

    /// Prints the rows that failed.
    private func report(_ name: String, _ facts: ImportFacts, _ call: RegistryCall) async throws {
        var from: UInt32 = 0
        while from < facts.total {
            let limit = UInt16(clamping: RegistrationLimits.reportRows)
            guard case .importRows(let rows) = try await call(.importRows(name: name, from: from, limit: limit)),
                let last = rows.last, last.row >= from
            else { return }
            for row in rows where row.outcome != "done" { registry.show(.importRows([row]), .importRows([row])) }
            from = last.row + 1
        }
    }

    private static func job(_ reply: RegistrationReply) throws -> ImportFacts {
        guard case .importJob(let facts) = reply else { throw CommandError("core gave no import") }
        return facts
    }

    private static func rows(_ file: [UInt8]) throws -> [ImportRow] {
        var rows: [ImportRow] = []
        for (index, line) in file.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
        where line.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) {
            do { rows.append(try RegistrationFile.row(Array(line))) } catch {
                throw CommandError("line \(index + 1): \(error.detail)")
            }
        }
        guard !rows.isEmpty else { throw CommandError("the file has no rows") }
        return rows
    }
}
