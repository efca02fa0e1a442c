import ArgumentParser
import Audit
import Core
import HPKI
import Host
import Storage
import Transparency

/// `shirushi audit`: what the log holds, whether it holds together, and the evidence that leaves it.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Verify, list, prove and export the audit log of an instance.",
        discussion: """
            All of them work while the instance serves and when it does not.
            What prove, disclose, export and tiles write is checked without
            us by scripts/verify-audit.

            EXAMPLES
              shirushi audit verify --home ./var/home
              shirushi audit list --home ./var/home --json
              shirushi audit checkpoint --home ./var/home > kept-elsewhere
              shirushi audit export --home ./var/home > log.jsonl
            """,
        subcommands: [
            Verify.self, List.self, AuditWatchCommand.self, AuditCheckpointCommand.self, AuditKeysCommand.self,
            AuditProveCommand.self, AuditDiscloseCommand.self, AuditExportCommand.self, AuditTilesCommand.self,
            AuditArchiveCommand.self, AuditVerifyArchiveCommand.self, AuditEraseCommand.self,
        ]
    )

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every record, tile and checkpoint; exit 0 only when everything holds.",
            discussion: """
                --since takes checkpoints that were kept elsewhere: the log must
                begin with each, so a rollback of the whole instance is seen.

                EXAMPLES
                  shirushi audit verify --home ./var/home
                  shirushi audit verify --home ./var/home --since kept-elsewhere
                """
        )

        @OptionGroup var home: HomeOption
        @Option(help: "A saved checkpoint's file; may be given several times.") var since: [String] = []

        func run() async throws {
            let folder = LogFolder(home.home)
            let keys = try folder.keys
            let saved = try since.map { path in
                let note: SignedNote
                do {
                    note = try SignedNote(try Files.read(Paths.absolute(path), atMost: SignedNote.longest))
                } catch { throw CommandError("\(path) is no checkpoint: \(error)") }
                do { return try Checkpoint(note, signedBy: keys) } catch {
                    throw CommandError(
                        "\(path) is not signed by a key of this log: \(error). A retired key's checkpoints are checked "
                            + "by scripts/verify-audit export --key OLD --key NEW --previous \(path)")
                }
            }
            let witnesses = try Configuration.read(home.home).witnesses.servers.map(\.key)
            let bar = ProgressBar("records verified")
            let report: LogReport
            let contradiction: String?
            do {
                (report, contradiction) = try await folder.blocking { database, paths in
                    let key = LogKey(try SecretFile.read(paths.logKey, atMost: 4096).copiedBytes)
                    let contradiction = try database.readBlocking {
                        try Contradiction.fault(at: paths.contradiction, keys: keys, in: $0)
                    }
                    let report = try AuditVerifier.report(
                        database, headAt: paths.auditHead, key: key, saved: saved, keys: keys,
                        witnesses: witnesses,
                        progress: { bar.show($0, of: $1) })
                    return (report, contradiction)
                }
            } catch AuditError.broken(let fault) {
                bar.end()
                print("FAULT  \(fault)")
                throw ExitCode(1)
            }
            bar.end()
            let faults = report.faults + [contradiction].compactMap(\.self)
            for fault in faults { print("FAULT  \(fault)") }
            guard faults.isEmpty else { throw ExitCode(1) }
            print(
                """
                The audit log holds: \(report.size) records, \(report.openIntents) uses of a key under way, \
                \(report.checkpoints) signed checkpoints.
                Tree root: \(Hex.encode(report.root))
                """
            )
            if report.erased > 0 { print("\(report.erased) details are erased, each as a record of the log tells.") }
            for checkpoint in saved { print("It begins with the \(checkpoint.size) records of the saved checkpoint.") }
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
            var next = first
            while let last = try await LogFolder(home.home).list(from: next, asJSON: json) { next = last + 1 }
        }
    }
}

/// `shirushi audit watch`: records as they come.
struct AuditWatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "List new records as they are written, until interrupted.",
        discussion: """
            EXAMPLE
              shirushi audit watch --home ./var/home
            """
    )

    @OptionGroup var home: HomeOption
    @Flag(help: "One JSON object a line.") var json = false

    func run() async throws {
        let folder = LogFolder(home.home)
        var next = try await folder.withEvidence { evidence, _ in evidence.checkpoint.size }
        while true {
            while let last = try await folder.list(from: next, asJSON: json) { next = last + 1 }
            try await Task.sleep(for: .seconds(1))
        }
    }
}
