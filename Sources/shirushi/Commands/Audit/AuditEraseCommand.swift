import ArgumentParser
import Audit
import CoreProtocol
import HPKI
import Host
import Transparency

/// `shirushi audit erase`: details that have been kept for long enough, or that must go before.
struct AuditEraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Erase what identifies persons from records; the tree and every proof stay.",
        discussion: """
            Works while the instance serves and when it does not, in parts
            that do not hold up signatures; each part is a record of the log.
            Uses under way are never erased, nor the records of erasures.
            What is to be kept longer needs a ground: a code, and no name.
            Only what --archive has is erased, or all --without-archive.

            EXAMPLES
              shirushi audit erase --home ./var/home --expired --dry-run
              shirushi audit erase --home ./var/home --expired \\
                --archive ./archive-2026
              shirushi audit erase --home ./var/home --holder doctor-1 \\
                --ground request-2026-17 --archive ./archive-2026
              shirushi audit erase --home ./var/home --record 41 \\
                --ground court-order-12 --without-archive
            """
    )

    @OptionGroup var home: HomeOption
    @Flag(help: "All records whose retention has passed.") var expired = false
    @Option(help: "One record's number; of a use, intent and outcome.") var record: UInt64?
    @Option(help: "All records that name this holder.") var holder: String?
    @Option(help: "Why, where the retention has not passed: lower-case letters, digits, hyphens.") var ground: String?
    @Option(help: "The archive that has the records; it is verified first.") var archive: String?
    @Flag(help: "Erase although no archive has it.") var withoutArchive = false
    @Flag(help: "Count by class, and change nothing.") var dryRun = false
    @OptionGroup var further: FurtherKeys

    func validate() throws {
        guard [expired, record != nil, holder != nil].filter({ $0 }).count == 1 else {
            throw ValidationError("name one of --expired, --record and --holder")
        }
        guard !(archive != nil && withoutArchive), dryRun || archive != nil || withoutArchive else {
            throw ValidationError("name the archive that has the records with --archive, or say --without-archive")
        }
        if let ground, !ErasureRecord.isGround(ground) {
            throw ValidationError("--ground is a code of at most 64 lower-case letters, digits and hyphens")
        }
        if expired, ground != nil { throw ValidationError("--expired needs no --ground") }
        if holder != nil, ground == nil { throw ValidationError("--holder needs a --ground") }
    }

    func run() async throws {
        let scope = try scope()
        var archived: UInt64?
        if let archive { archived = try await LogFolder(home.home).verified(archive, further: try further.keys) }
        let call = AdminCall(home: home.home)
        var order = ErasureOrder(scope: scope, ground: ground, archived: archived, isDryRun: dryRun)
        var facts = ErasureFacts(next: 0, size: 0)
        let bar = ProgressBar("records looked at")
        while facts.next != nil {
            guard case .erasure(let part) = try await call(.erase(order)) else {
                throw CommandError("core gave another answer than was asked for")
            }
            facts.add(part)
            bar.show(part.next ?? part.size, of: part.size)
            order.from = part.next ?? 0
        }
        bar.end()
        let total = facts.counts.reduce(UInt64(0)) { $0 + $1.count }
        tell(facts, total)
        // Who named something takes its erasure for done.
        if scope != .expired, total == 0 || facts.unarchived + facts.open + facts.repeatable > 0 { throw ExitCode(1) }
    }

    private func scope() throws -> ErasureOrder.Scope {
        if let record { return .record(record) }
        guard let holder else { return .expired }
        guard let id = HolderID(holder) else { throw CommandError("\(holder) is no holder's id") }
        return .holder(id)
    }

    private func tell(_ facts: ErasureFacts, _ total: UInt64) {
        let classes = facts.counts.map { "\($0.count) of \($0.name)" }.joined(separator: ", ")
        print("\(dryRun ? "Would erase" : "Erased") \(total) details\(classes.isEmpty ? "" : ": " + classes)")
        for (count, why) in [
            (facts.unarchived, "the archive does not have them"),
            (facts.open, "their uses are under way"),
            (facts.repeatable, "repeated requests are answered from them for a day"),
        ] where count > 0 {
            print("Kept \(count): \(why)")
        }
        guard !dryRun, total > 0 else { return }
        if !facts.isJournalEmpty {
            print("A reader kept the database's journal; its pages go when the instance stops, or by erasing again.")
        }
        print("Backups made before have them until they are deleted.")
    }
}

extension LogFolder {
    /// How many records an archive of this log has with all the details that are left; throws for one that does not hold,
    /// is of another log, or lacks a detail that is still here.
    fileprivate func verified(_ path: String, further: [NoteKey]) async throws -> UInt64 {
        let keys = try keys + further
        let bar = ProgressBar("records of the archive verified")
        let contents: LogArchive.Contents
        do {
            contents = try LogArchive.verify(Paths.absolute(path), keys: keys) { bar.show($0, of: $1) }
        } catch { throw CommandError("\(path) does not hold: \(error); nothing was erased") }
        bar.end()
        let (size, root) = (contents.checkpoint.size, contents.checkpoint.root)
        return try await withEvidence { evidence, connection in
            guard size <= evidence.checkpoint.size, try evidence.root(size) == root else {
                throw CommandError("\(path) is not of this log; nothing was erased")
            }
            if let missing = try LogArchive.firstMissing(contents, in: connection) {
                throw CommandError("\(path) lacks the detail of record \(missing), which is here; nothing was erased")
            }
            return size
        }
    }
}
