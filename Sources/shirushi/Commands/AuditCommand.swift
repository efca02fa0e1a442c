import ArgumentParser
import CoreProtocol
import Foundation
import HPKI

/// `shirushi audit`: what the log holds, and whether it holds together.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Verify or list the audit log of an instance.",
        discussion: """
            Both work while the instance serves and when it does not.

            EXAMPLES
              shirushi audit verify --home ./var/home
              shirushi audit list --home ./var/home --json
            """,
        subcommands: [Verify.self, List.self]
    )

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every record, the tree over them and its head; exit 0 only when everything holds.",
            discussion: """
                EXAMPLE
                  shirushi audit verify --home ./var/home
                """
        )

        @OptionGroup var home: HomeOption

        func run() async throws {
            guard case .auditReport(let report) = try await AdminCall(home: home.home)(.verifyAudit) else {
                throw CommandError("core gave another answer than was asked for")
            }
            for fault in report.faults { print("FAULT  \(fault)") }
            guard report.faults.isEmpty else { throw ExitCode(1) }
            print(
                """
                The audit log holds: \(report.leaves) records, \(report.openIntents) uses of a key under way.
                Tree root: \(Hex.encode(report.rootHash))
                """
            )
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the records, oldest first.",
            discussion: """
                EXAMPLE
                  shirushi audit list --home ./var/home --from 100 --json
                """
        )

        @OptionGroup var home: HomeOption
        @Option(name: .customLong("from"), help: "The first record's number.") var first: UInt64 = 0
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let call = AdminCall(home: home.home)
            var next = first
            while true {
                guard case .auditEntries(let entries) = try await call(.listAudit(from: next, limit: 200)) else {
                    throw CommandError("core gave another answer than was asked for")
                }
                for entry in entries { print(json ? try entry.json : entry.line) }
                guard let last = entries.last else { return }
                next = last.sequence + 1
            }
        }
    }
}

extension AuditEntryFacts {
    fileprivate var line: String {
        let shown = ["holder", "document", "decision", "closes", "note", "signature-value"]
        let facts = fields.filter { shown.contains($0.name) }.map { field in
            let value = field.value.count > 72 ? field.value.prefix(69) + "..." : field.value[...]
            return "\(field.name)=\(value)"
        }
        let number = String(repeating: " ", count: max(0, 6 - "\(sequence)".count)) + "\(sequence)"
        let kind = kind.padding(toLength: 14, withPad: " ", startingAt: 0)
        return "\(number)  \(time.rfc3339 ?? "")  \(kind) \(facts.joined(separator: " "))"
    }

    fileprivate var json: String {
        get throws {
            var object: [String: Any] = [
                "sequence": sequence, "time": time.rfc3339 ?? "", "timeMilliseconds": time.milliseconds, "kind": kind,
            ]
            for field in fields { object[field.name] = field.value }
            let data = try JSONSerialization.data(
                withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
            return String(decoding: data, as: UTF8.self)
        }
    }
}
