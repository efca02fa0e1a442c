import Audit
import Foundation
import HPKI
import Host
import Storage
import Testing
import Transparency

@Suite(.timeLimit(.minutes(10))) struct TamperingTests {
    /// A stopped log of ten records, in three commits at least.
    private func instance() async throws -> Instance {
        let instance = try Instance()
        let log = try instance.log()
        let doctor = try await Doctor.shared.value
        for _ in 0..<5 { _ = try await log.conclude(log.intent(doctor).begin(), .signed(Digest(of: [7]))) }
        log.stop()
        #expect(try instance.faults() == [])
        #expect(try instance.openingFault() == nil)
        return instance
    }

    private func expect(_ fault: String, of instance: Instance) throws {
        #expect(try instance.openingFault() == .broken(fault))
        #expect(try instance.faults().contains(fault))
    }

    @Test func `an edited leaf is detected, whichever it is`() async throws {
        for sequence in [0, 4, 9] as [Int64] {
            let instance = try await instance()
            let leaf = try await instance.entries()[Int(sequence)].leaf.bytes
            var edited = leaf
            edited[edited.count - 1] ^= 1
            try await instance.tamper(
                "UPDATE audit_entry SET leaf = $2 WHERE sequence = $1", [.integer(sequence), .blob(edited)])
            #expect(
                try instance.faults().contains("the records up to 10 do not give the root that the head holds"))
            let told = try instance.faults().first { $0.contains("up to \(sequence + 1) does not hold") }
            #expect(told?.contains("record \(sequence), or the commit, was altered") == true)
            guard case .broken? = try instance.openingFault() else {
                Issue.record("a log with an edited leaf opened")
                return
            }
        }
    }

    @Test func `a leaf that cannot be read is named`() async throws {
        let instance = try await instance()
        try await instance.tamper("UPDATE audit_entry SET leaf = $1 WHERE sequence = 3", [.blob([1, 2, 3])])
        try expect("record 3 cannot be read", of: instance)
    }

    @Test func `the newest record deleted is named`() async throws {
        let instance = try await instance()
        try await instance.tamper("DELETE FROM audit_entry WHERE sequence = 9")
        try expect("record 9 and later are missing: 10 records were committed", of: instance)
    }

    @Test func `the newest records deleted with their commits are named`() async throws {
        let instance = try await instance()
        try await instance.tamper("DELETE FROM audit_entry WHERE sequence >= 6")
        try await instance.tamper("DELETE FROM audit_commit WHERE size > 6")
        try expect("record 6 and later are missing: 10 records were committed", of: instance)
    }

    @Test func `all records deleted are named`() async throws {
        let instance = try await instance()
        try await instance.tamper("DELETE FROM audit_entry")
        try await instance.tamper("DELETE FROM audit_commit")
        try expect("record 0 and later are missing: 10 records were committed", of: instance)
    }

    @Test func `a record deleted from the middle is named`() async throws {
        let instance = try await instance()
        try await instance.tamper("DELETE FROM audit_entry WHERE sequence = 4")
        try expect("record 4 is missing", of: instance)
    }

    @Test func `two records that changed places are named`() async throws {
        let instance = try await instance()
        try await instance.tamper("UPDATE audit_entry SET sequence = -1 WHERE sequence = 2")
        try await instance.tamper("UPDATE audit_entry SET sequence = 2 WHERE sequence = 5")
        try await instance.tamper("UPDATE audit_entry SET sequence = 5 WHERE sequence = -1")
        try expect("record 2 calls itself 5", of: instance)
    }

    @Test func `rows that no reader comes past are named`() async throws {
        let records = try await instance()
        try await records.tamper("INSERT INTO audit_entry (sequence, leaf) VALUES (-1, $1)", [.blob([1])])
        try expect("a record has a number below 0", of: records)
        let commits = try await instance()
        try await commits.tamper(
            "INSERT INTO audit_commit (size, root, seal) VALUES (0, $1, $1)", [.blob([1])])
        try expect("a commit counts 0 records", of: commits)
    }

    @Test func `an outcome that closes no open intent is named`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        try await log.recordEvent(.start, note: "one")
        try await log.closeAsUnknown(intent: 0)
        log.stop()
        try expect("record 1 closes 0, which is no open intent", of: instance)
    }

    @Test func `a database rolled back under a newer head is detected`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        try await log.recordEvent(.start, note: "one")
        log.stop()
        // A copy of the file alone would lack what SQLite still has in its log.
        let copy = instance.folder + "/copy.sqlite"
        try await instance.tamper("UPDATE audit_entry SET sequence = 0 WHERE sequence = 0")
        try instance.database().close()
        try FileManager.default.copyItem(atPath: instance.databasePath, toPath: copy)
        let again = try instance.log()
        try await again.recordEvent(.administration, note: "two")
        again.stop()
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: instance.databasePath + suffix)
        }
        try FileManager.default.moveItem(atPath: copy, toPath: instance.databasePath)
        try expect("record 1 and later are missing: 2 records were committed", of: instance)
    }

    @Test func `the head of another instance is detected`() async throws {
        let instance = try await instance()
        let other = try Instance(key: LogKey([UInt8](repeating: 9, count: 32)))
        try FileManager.default.removeItem(atPath: instance.headPath)
        try FileManager.default.copyItem(atPath: other.headPath, toPath: instance.headPath)
        #expect(try instance.openingFault() == .broken("the head file was not sealed by this instance"))
        #expect(throws: AuditError.broken("the head file was not sealed by this instance")) { try instance.faults() }
    }

    @Test func `an older head of the same instance is taken: the records behind it are sealed`() async throws {
        let instance = try await instance()
        let empty = try Instance()
        try FileManager.default.removeItem(atPath: instance.headPath)
        try FileManager.default.copyItem(atPath: empty.headPath, toPath: instance.headPath)
        #expect(try instance.openingFault() == nil)
    }

    @Test func `a missing head is told`() async throws {
        let instance = try await instance()
        try FileManager.default.removeItem(atPath: instance.headPath)
        guard case .unreadable? = try instance.openingFault() else {
            Issue.record("a log without its head opened")
            return
        }
    }

    @Test func `records that somebody without the log key put behind the head are detected`() async throws {
        let instance = try await instance()
        let entries = try await instance.entries()
        var leaf = try #require(entries.last).leaf.bytes
        leaf[8] = 10
        // A start, so that the forged record itself is plausible.
        leaf.replaceSubrange(17...20, with: [0, 4, 0, 0])
        leaf.replaceSubrange(21...29, with: [0])
        try await instance.tamper("INSERT INTO audit_entry (sequence, leaf) VALUES (10, $1)", [.blob(leaf)])
        try expect("record 10 and later belong to no commit", of: instance)
        var tree = MerkleTree()
        for bytes in entries.map(\.leaf.bytes) + [leaf] { tree.append(bytes) }
        try await instance.tamper(
            "INSERT INTO audit_commit (size, root, seal) VALUES (11, $1, $2)",
            [.blob(tree.root), .blob([UInt8](repeating: 0, count: 32))])
        try expect(
            "the commit of the records up to 11 does not hold: record 10, or the commit, was altered", of: instance)
    }

    @Test func `an edited commit is detected`() async throws {
        let instance = try await instance()
        try await instance.tamper(
            "UPDATE audit_commit SET root = $1 WHERE size = 10", [.blob([UInt8](repeating: 1, count: 32))])
        try expect(
            "the commit of the records up to 10 does not hold: record 9, or the commit, was altered", of: instance)
    }

    @Test func `an edited detail is named by a full report`() async throws {
        let instance = try await instance()
        var detail = try #require(try await instance.entries()[6].detail).bytes
        detail[detail.count - 1] ^= 1
        try await instance.tamper("UPDATE audit_entry SET detail = $1 WHERE sequence = 6", [.blob(detail)])
        #expect(try instance.faults() == ["the detail of record 6 does not open the leaf's commitments"])
        try await instance.tamper("UPDATE audit_entry SET detail = $1 WHERE sequence = 6", [.blob([0])])
        #expect(try instance.faults() == ["the detail of record 6 cannot be read"])
    }

    @Test func `a detail that was taken away is named by a full report, and the leaf stays`() async throws {
        let instance = try await instance()
        try await instance.tamper("UPDATE audit_entry SET detail = NULL WHERE sequence IN (0, 6)")
        #expect(
            try instance.faults() == [
                "the detail of record 0 is gone, and no record tells of its erasure",
                "the detail of record 6 is gone, and no record tells of its erasure",
            ])
        #expect(try instance.openingFault() == nil)
        let entries = try await instance.entries()
        #expect(entries.count == 10 && entries[0].detail == nil && entries[1].detail != nil)
    }

    @Test func `a log with nothing right in it gives a report of bounded length`() async throws {
        let instance = try await instance()
        let rows = 3000
        try await instance.database().write { connection in
            try connection.execute("DELETE FROM audit_entry")
            for sequence in 0..<rows {
                try connection.execute(
                    "INSERT INTO audit_entry (sequence, leaf) VALUES ($1, $2)",
                    [.integer(Int64(sequence)), .blob([0])])
            }
            try connection.execute(
                "INSERT INTO audit_commit (size, root, seal) VALUES ($1, $2, $2)", [.integer(Int64(rows)), .blob([0])])
        }
        let faults = try instance.faults()
        #expect((100...110).contains(faults.count))
    }
}
