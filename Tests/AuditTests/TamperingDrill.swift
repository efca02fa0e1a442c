import Audit
import Foundation
import HPKI
import Host
import Storage
import Synchronization
import Testing
import Transparency

/// Every kind of tampering at random places of random logs: 10 times each, 100 with `SHIRUSHI_LONG`.
///
/// Each run has its own seed, which a failure tells; `SHIRUSHI_DRILL_SEED` has that run alone again.
@Suite(.timeLimit(.minutes(60))) struct TamperingDrill {
    /// Where a tampering is seen, by kind.
    private struct Tally {
        var runs = 0
        var refused = 0
        var foundServing = 0
        var verified = 0
    }

    private func drill(
        _ name: String, _ run: (inout DrillDraw) async throws -> Seen
    ) async throws {
        let environment = ProcessInfo.processInfo.environment
        let one = environment["SHIRUSHI_DRILL_SEED"].flatMap(UInt64.init)
        let first = name.utf8.reduce(5381) { $0 &* 33 &+ UInt64($1) } & 0xFFFF_0000
        let seeds = one.map { $0...$0 } ?? first...first + (environment["SHIRUSHI_LONG"] == nil ? 9 : 99)
        var tally = Tally()
        for seed in seeds {
            var draw = DrillDraw(seed)
            do {
                let seen = try await run(&draw)
                tally.runs += 1
                tally.refused += seen.refusal == nil ? 0 : 1
                tally.foundServing += seen.found == nil ? 0 : 1
                tally.verified += seen.isVerified ? 1 : 0
            } catch {
                Issue.record("\(name), SHIRUSHI_DRILL_SEED=\(seed): \(error)")
            }
        }
        print(
            "DRILL \(name): \(tally.runs) runs from seed \(seeds.lowerBound), refused at the start \(tally.refused), "
                + "found while serving \(tally.foundServing), told by the verification \(tally.verified)")
    }

    /// A tampering that was not seen, or not by the name of what was touched.
    private struct Unseen: Error { let what: String }

    /// Looks at a tampered log in both ways; every sentence that a start refuses with, and one of the verification's,
    /// must name what was touched.
    private func seen(
        _ log: Drilled, _ what: String, byStart: Bool, since saved: [Checkpoint] = [], _ names: (Naming) -> Bool
    ) async throws -> Seen {
        let told = try log.verification(since: saved)
        guard told.contains(where: { names(Naming($0)) }) else {
            throw Unseen(what: "\(what) of \(log.size): the verification tells \(told.prefix(5))")
        }
        var seen = try await log.start()
        seen.isVerified = true
        guard let fault = seen.refusal ?? seen.found else {
            guard !byStart else { throw Unseen(what: "\(what) of \(log.size): the log opens; verify tells \(told)") }
            return seen
        }
        guard names(Naming(fault)) else { throw Unseen(what: "\(what) of \(log.size): the start tells \(fault)") }
        return seen
    }

    // MARK: One byte

    @Test func `one bit of a leaf`() async throws {
        try await drill("leaf") { draw in
            let log = try await Drilled(&draw)
            let sequence = UInt64.random(in: 0..<log.size, using: &draw)
            let leaf = draw.flipped(try await log.blob("leaf", "audit_entry", where: "sequence = \(sequence)"))
            try await log.instance.tamper(
                "UPDATE audit_entry SET leaf = $1 WHERE sequence = \(sequence)", [.blob(leaf)])
            return try await seen(log, "leaf \(sequence)", byStart: true) { $0.names(record: sequence) }
        }
    }

    @Test func `one bit of a detail, which a start does not read`() async throws {
        try await drill("detail") { draw in
            let log = try await Drilled(&draw)
            let sequence = UInt64.random(in: 0..<log.size, using: &draw)
            let detail = draw.flipped(try await log.blob("detail", "audit_entry", where: "sequence = \(sequence)"))
            try await log.instance.tamper(
                "UPDATE audit_entry SET detail = $1 WHERE sequence = \(sequence)", [.blob(detail)])
            let seen = try await seen(log, "detail \(sequence)", byStart: false) {
                $0.fault.contains("the detail of record \(sequence) ")
            }
            #expect(seen.refusal == nil && seen.found == nil)
            return seen
        }
    }

    @Test(arguments: ["root", "seal"]) func `one bit of a commit`(column: String) async throws {
        try await drill("commit's \(column)") { draw in
            let log = try await Drilled(&draw)
            let size = try #require(try await log.numbers("size", "audit_commit").randomElement(using: &draw))
            let value = draw.flipped(try await log.blob(column, "audit_commit", where: "size = \(size)"))
            try await log.instance.tamper("UPDATE audit_commit SET \(column) = $1 WHERE size = \(size)", [.blob(value)])
            return try await seen(log, "commit \(size)", byStart: true) { $0.names(commit: size) }
        }
    }

    @Test func `one bit of a commit's size`() async throws {
        try await drill("commit's size") { draw in
            let log = try await Drilled(&draw)
            let sizes = try await log.numbers("size", "audit_commit")
            let size = try #require(sizes.randomElement(using: &draw))
            var other = size
            repeat { other = size ^ 1 << Int64.random(in: 0..<64, using: &draw) } while sizes.contains(other)
            try await log.instance.tamper("UPDATE audit_commit SET size = \(other) WHERE size = \(size)")
            return try await seen(log, "commit \(size) as \(other)", byStart: true) {
                $0.names(commit: other) || $0.names(commit: size)
            }
        }
    }

    @Test func `one bit of a checkpoint's signatures, which a start does not check`() async throws {
        try await drill("commit's signatures") { draw in
            let log = try await Drilled(&draw)
            let size = try #require(try await log.numbers("size", "audit_commit").randomElement(using: &draw))
            let value = draw.flipped(try await log.blob("signatures", "audit_commit", where: "size = \(size)"))
            try await log.instance.tamper(
                "UPDATE audit_commit SET signatures = $1 WHERE size = \(size)", [.blob(value)])
            let seen = try await seen(log, "signatures \(size)", byStart: false) { $0.names(commit: size) }
            #expect(seen.refusal == nil && seen.found == nil)
            return seen
        }
    }

    @Test(arguments: ["hashes", "level", "number"]) func `one bit of a tile`(column: String) async throws {
        try await drill("tile's \(column)") { draw in
            let log = try await Drilled(&draw, hasTiles: true)
            let rows = try await log.numbers("level << 32 | number", "audit_tile")
            let row = try #require(rows.randomElement(using: &draw))
            let (level, number) = (row >> 32, row & 0xFFFF_FFFF)
            let place = "level = \(level) AND number = \(number)"
            // The width that the log's size gives the tile.
            let width = min(256, Int(log.size >> (8 * UInt64(level))) - Int(number) * 256)
            let path = Tile(level: Int(level), number: UInt64(number), width: width).path
            if column == "hashes" {
                let hashes = draw.flipped(try await log.blob(column, "audit_tile", where: place))
                try await log.instance.tamper("UPDATE audit_tile SET hashes = $1 WHERE \(place)", [.blob(hashes)])
            } else {
                let old = column == "level" ? level : number
                var other = row
                repeat {
                    let bit: Int64 = 1 << Int64.random(in: 0..<31, using: &draw)
                    other = column == "level" ? (level ^ bit) << 32 | number : level << 32 | number ^ bit
                } while rows.contains(other)
                let new = column == "level" ? other >> 32 : other & 0xFFFF_FFFF
                #expect(new != old)
                try await log.instance.tamper("UPDATE audit_tile SET \(column) = \(new) WHERE \(place)")
            }
            return try await seen(log, "\(column) of \(path)", byStart: false) { naming in
                naming.fault.contains(path) || naming.fault.hasPrefix("the tiles end at record")
            }
        }
    }

    @Test func `one bit of a cosignature is nobody's fault here, and does not hold for who trusts the witness`()
        async throws
    {
        try await drill("cosignature") { draw in
            let log = try await Drilled(&draw)
            let made = NoteSigner(name: "witness.example", kind: .cosignature, seed: Array(0..<32))
            let witness = try #require(made)
            let checkpoint = try await log.checkpoint()
            let signature = try #require(checkpoint.signed(by: [witness], at: Instance.start)?.signatures.first)
            try await log.instance.database().write {
                try CosignatureTable.put(signature, size: checkpoint.size, in: $0)
            }
            let value = draw.flipped(signature.value)
            try await log.instance.tamper("UPDATE audit_cosignature SET value = $1", [.blob(value)])
            let start = try await log.start()
            #expect(try log.verification() == [] && start.refusal == nil && start.found == nil)
            #expect(witness.key.holds(signature.value, over: checkpoint.text))
            #expect(!witness.key.holds(value, over: checkpoint.text))
            return start
        }
    }

    // MARK: Rows

    @Test(arguments: [false, true]) func `the newest record deleted`(withCommit: Bool) async throws {
        try await drill(withCommit ? "newest row with its commit" : "newest row") { draw in
            let log = try await Drilled(&draw)
            let newest = log.size - 1
            try await log.instance.tamper("DELETE FROM audit_entry WHERE sequence = \(newest)")
            if withCommit { try await log.instance.tamper("DELETE FROM audit_commit WHERE size = \(log.size)") }
            return try await seen(log, "newest", byStart: true) { $0.names(record: newest) }
        }
    }

    @Test func `a record deleted from the middle`() async throws {
        try await drill("middle row") { draw in
            let log = try await Drilled(&draw)
            let sequence = UInt64.random(in: 0..<log.size - 1, using: &draw)
            try await log.instance.tamper("DELETE FROM audit_entry WHERE sequence = \(sequence)")
            return try await seen(log, "middle \(sequence)", byStart: true) { $0.names(record: sequence) }
        }
    }

    @Test(arguments: [false, true]) func `two records that changed places`(renumbered: Bool) async throws {
        try await drill(renumbered ? "reorder, with new numbers in the leaves" : "reorder") { draw in
            let log = try await Drilled(&draw)
            let one = UInt64.random(in: 0..<log.size - 1, using: &draw)
            let two = UInt64.random(in: one + 1..<log.size, using: &draw)
            for (from, to) in [(Int64(one), -1), (Int64(two), Int64(one)), (-1, Int64(two))] as [(Int64, Int64)] {
                try await log.instance.tamper("UPDATE audit_entry SET sequence = \(to) WHERE sequence = \(from)")
            }
            for sequence in renumbered ? [one, two] : [] {
                var leaf = try await log.blob("leaf", "audit_entry", where: "sequence = \(sequence)")
                leaf.replaceSubrange(1..<9, with: (0..<8).map { UInt8(truncatingIfNeeded: sequence >> (56 - 8 * $0)) })
                try await log.instance.tamper(
                    "UPDATE audit_entry SET leaf = $1 WHERE sequence = \(sequence)", [.blob(leaf)])
            }
            return try await seen(log, "\(one) and \(two)", byStart: true) {
                $0.names(record: one) || $0.names(record: two)
            }
        }
    }

    // MARK: Databases

    @Test func `yesterday's database under today's head`() async throws {
        try await drill("database rolled back") { draw in
            let yesterday = try await Drilled(&draw)
            let backup = try await yesterday.copy()
            let today = try await yesterday.grown(by: Int.random(in: 1...80, using: &draw), &draw)
            try await backup.instance.giveDatabase(to: today.instance)
            return try await seen(today, "from \(yesterday.size)", byStart: true) { $0.names(record: yesterday.size) }
        }
    }

    @Test func `the whole instance of yesterday is told by a saved checkpoint alone`() async throws {
        try await drill("instance rolled back") { draw in
            let instance = try await Drilled(&draw)
            let yesterday = try await instance.copy()
            let today = try await instance.grown(by: Int.random(in: 1...80, using: &draw), &draw)
            let saved = try await today.checkpoint()
            #expect(try today.verification(since: [saved]) == [])
            #expect(try yesterday.verification() == [])
            return try await seen(yesterday, "to \(yesterday.size)", byStart: false, since: [saved]) {
                $0.fault == "the saved checkpoint counts \(today.size) records, and the log has \(yesterday.size): "
                    + "it was rolled back"
            }
        }
    }

    @Test(arguments: [false, true]) func `the database of another log`(sameKeys: Bool) async throws {
        try await drill(sameKeys ? "swapped database, same keys" : "swapped database") { draw in
            let log = try await Drilled(&draw)
            let other = try await Drilled(&draw, key: sameKeys ? log.instance.key : LogKey(Array(96..<128)))
            try await other.instance.giveDatabase(to: log.instance)
            return try await seen(log, "of \(other.size) records", byStart: true) { naming in
                naming.names(record: 0) || naming.names(record: other.size)
                    || naming.fault == "the records up to \(log.size) do not give the root that the head holds"
            }
        }
    }

    // MARK: Forks

    @Test func `a second writer ends with its next record instead of forking`() async throws {
        try await drill("fork by a second writer") { draw in
            let log = try await Drilled(&draw)
            let second = try log.instance.log(markAt: log.mark)
            let more = try await log.grown(by: Int.random(in: 1...20, using: &draw), &draw)
            await #expect(throws: AuditError.stopped) { try await second.recordEvent(.administration, note: "fork") }
            while log.instance.stops.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(1)) }
            let told = "another process has written: it has \(more.size) records, and here are \(log.size)"
            let said = try #require(log.instance.stops.withLock { $0.first })
            #expect(said.contains(told))
            // Nothing was forked, and the first goes on.
            #expect(try more.verification() == [])
            _ = try await more.grown(by: 1, &draw)
            return Seen(refusal: said)
        }
    }

    @Test func `two copies that both go on are told by a checkpoint of the other branch`() async throws {
        try await drill("fork by a copy") { draw in
            let common = try await Drilled(&draw)
            let copied = try await common.copy()
            let one = try await common.grown(by: Int.random(in: 1...40, using: &draw), &draw)
            let two = try await copied.grown(by: Int.random(in: 1...40, using: &draw), &draw)
            let saved = try await two.checkpoint()
            #expect(try two.verification(since: [saved]) == [] && one.verification() == [])
            return try await seen(one, "at \(common.size)", byStart: false, since: [saved]) { naming in
                naming.fault
                    == (saved.size > one.size
                        ? "the saved checkpoint counts \(saved.size) records, and the log has \(one.size): "
                            + "it was rolled back"
                        : "the records up to \(saved.size) do not give the root of the saved checkpoint: "
                            + "this log is not the one that was checkpointed")
            }
        }
    }
}
