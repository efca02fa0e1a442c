import ArgumentParser
import Audit
import HPKI
import Host
import Transparency

/// `shirushi audit archive`: the log with its details as files that outlive the instance.
struct AuditArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Write the log with all its details into a folder that verifies by itself.",
        discussion: """
            The folder has log/ (checkpoint, tiles and entry bundles) and
            records.jsonl (every record with its details, a complete export).
            It is read back and checked before it gets its name. It names
            persons: keep it as the database is kept. Each archive is whole;
            none continues an earlier one.

            With --until it ends with the newest checkpoint before that time.
            If that one is signed by a key that has been retired since, name
            the key with --key.

            EXAMPLES
              shirushi audit archive --home ./var/home --to ./archive-2026
              shirushi audit archive --home ./var/home --to ./archive-2026 \\
                --until 2027-01-01T00:00:00+09:00
            """
    )

    @OptionGroup var home: HomeOption
    @Option(help: "The folder to make.") var to: String
    @Option(help: "Archive the records before this time; all of them without it.") var until: String?
    @OptionGroup var checkpoint: CosignedOption
    @OptionGroup var further: FurtherKeys

    func run() async throws {
        let isCosigned = checkpoint.cosigned
        let until = try until.map(RecordFilter.instant)
        let target = Paths.absolute(to)
        guard !Files.exists(target) else { throw CommandError("\(to) exists already; nothing was changed") }
        let staging = target + ".writing"
        guard !Files.exists(staging) else {
            throw CommandError("\(staging) is left of an earlier try; remove it first")
        }
        let folder = LogFolder(home.home)
        let own = try folder.keys
        let keys = own + (try further.keys)
        let origin = try Configuration.read(home.home).origin
        let contents = try await folder.blocking { database, _ in
            guard
                let end = try LogArchive.end(database, origin: origin, keys: own, until: until, isCosigned: isCosigned)
            else {
                throw CommandError(
                    "the log has no such signed checkpoint of records before that time; nothing was written")
            }
            do {
                let writing = ProgressBar("records written")
                try LogArchive.write(end, of: database, to: staging) { writing.show($0, of: $1) }
                writing.end()
                let reading = ProgressBar("records read back")
                defer { reading.end() }
                let contents = try LogArchive.verify(staging, keys: keys) { reading.show($0, of: $1) }
                try Files.move(staging, to: target)
                return contents
            } catch {
                try? RestoreCommand.remove(staging)
                throw (error as? EvidenceFault).map { CommandError("what was written does not hold: \($0)") } ?? error
            }
        }
        print("\(contents.words) are in \(to)")
    }
}

/// `shirushi audit verify-archive`: an archive without its instance.
struct AuditVerifyArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-archive",
        abstract: "Check every record, detail, tile and the checkpoint of an archive; exit 0 only when all holds.",
        discussion: """
            Needs no instance. The keys are those that audit keys printed;
            have them from elsewhere than the archive.
            scripts/verify-audit archive does the same without us.

            EXAMPLE
              shirushi audit verify-archive ./archive-2026 --key "$KEY"
            """
    )

    @Argument(help: "The archive's folder.") var folder: String
    @OptionGroup var keys: FurtherKeys

    func run() async throws {
        let keys = try keys.keys
        guard !keys.isEmpty else { throw CommandError("name the log's key: --key NAME+ID+KEY") }
        let bar = ProgressBar("records verified")
        do {
            let contents = try LogArchive.verify(Paths.absolute(folder), keys: keys) { bar.show($0, of: $1) }
            bar.end()
            print("The archive holds: \(contents.words), tree root \(Hex.encode(contents.checkpoint.root))")
        } catch {
            bar.end()
            print("FAULT  \(error)")
            throw ExitCode(1)
        }
    }
}

/// Keys under checkpoints besides those that the instance signs with now.
struct FurtherKeys: ParsableArguments {
    @Option(
        name: .customLong("key"), help: "A key that signed the checkpoint, NAME+ID+KEY; may be given several times.")
    var texts: [String] = []

    var keys: [NoteKey] {
        get throws {
            try texts.map { text in
                do { return try NoteKey(text) } catch { throw CommandError("\(text) is no key: \(error)") }
            }
        }
    }
}

extension LogArchive.Contents {
    fileprivate var words: String {
        let gone = erased.ranges.reduce(UInt64(0)) { $0 + ($1.upperBound - $1.lowerBound + 1) }
        return "\(checkpoint.size) records" + (gone > 0 ? " (\(gone) without detail)" : "")
    }
}
