import Audit
import HPKI
import Host
import Storage
import Synchronization
import Testing

/// Starts that hash the newest records before they serve and the others beside it.
@Suite(.timeLimit(.minutes(10))) struct LogMarkTests {
    /// A stopped log of eleven records, the last an open intent, with its mark behind the eighth.
    private func instance() async throws -> Instance {
        let instance = try Instance()
        let log = try instance.log(markAt: instance.mark)
        let doctor = try await Doctor.shared.value
        for _ in 0..<5 { _ = try await log.conclude(log.intent(doctor).begin(), .signed(Digest(of: [7]))) }
        _ = try await log.intent(doctor)
        log.stop()
        return instance
    }

    /// A stopped log with a full tile of records before the mark, which a start does not read.
    private func longInstance() async throws -> Instance {
        let instance = try Instance()
        let log = try instance.log(markAt: instance.mark)
        for number in 0..<261 { try await log.recordEvent(.administration, note: "act \(number)") }
        log.stop()
        return instance
    }

    private func edit(_ sequence: Int64, of instance: Instance) async throws {
        var leaf = try await instance.entries()[Int(sequence)].leaf.bytes
        leaf[leaf.count - 1] ^= 1
        try await instance.tamper(
            "UPDATE audit_entry SET leaf = $2 WHERE sequence = $1", [.integer(sequence), .blob(leaf)])
    }

    private func refusal(opening instance: Instance) -> AuditError? {
        do {
            _ = try instance.verified(markAt: instance.mark)
            return nil
        } catch { return error as? AuditError }
    }

    @Test func `a start from a mark is in the same state as one that hashed everything`() async throws {
        let instance = try await instance()
        let (whole, quick) = (try instance.verified(), try instance.verified(markAt: instance.mark))
        #expect(whole.recheck == nil)
        let recheck = try #require(quick.recheck)
        #expect(recheck.size == 8)
        #expect((quick.size, quick.root) == (whole.size, whole.root))
        #expect(quick.openIntents == [10] && whole.openIntents == [10])
        try await recheck.run()
        // And the log goes on from there.
        let log = try instance.log(markAt: instance.mark)
        try await log.closeAsUnknown(intent: 10) { _, _ in }
        log.stop()
        #expect(try instance.faults() == [])
        #expect(try instance.verified(markAt: instance.mark).recheck?.size == 12)
    }

    @Test func `a record behind the mark that was edited keeps the log from opening`() async throws {
        let instance = try await instance()
        try await edit(9, of: instance)
        #expect(
            refusal(opening: instance)
                == .broken("the commit of the records up to 10 does not hold: record 9, or the commit, was altered"))
    }

    @Test func `a record before the mark that was edited is found while serving, and the next start refuses`()
        async throws
    {
        let instance = try await longInstance()
        try await edit(2, of: instance)
        let fault = AuditError.broken(
            "the commit of the records up to 3 does not hold: record 2, or the commit, was altered")
        let recheck = try #require(try instance.verified(markAt: instance.mark).recheck)
        await #expect(throws: fault) { try await recheck.run() }
        let log = try instance.log(markAt: instance.mark)
        log.stop(for: fault)
        while instance.stops.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(1)) }
        #expect(refusal(opening: instance) == fault)
    }

    @Test func `a record before the mark that was deleted is found while serving`() async throws {
        let instance = try await longInstance()
        try await instance.tamper("DELETE FROM audit_entry WHERE sequence = 3")
        let recheck = try #require(try instance.verified(markAt: instance.mark).recheck)
        await #expect(throws: AuditError.broken("record 3 is missing")) { try await recheck.run() }
    }

    @Test func `the whole log rebuilt before the mark does not give the mark's root`() async throws {
        let (instance, other) = (try await instance(), try await instance())
        // The same key, the same number of records, other contents: only the roots differ.
        let mark = try Files.read(instance.mark.path, atMost: 1 << 20)
        try Files.write(mark, to: other.mark.path)
        #expect(refusal(opening: other) != nil)
    }

    @Test func `a mark that is altered, cut or of another key is not believed`() async throws {
        let instance = try await instance()
        let mark = try Files.read(instance.mark.path, atMost: 1 << 20)
        for at in mark.indices {
            var altered = mark
            altered[at] ^= 1
            try Files.write(altered, to: instance.mark.path)
            #expect(try instance.verified(markAt: LogMarkFile(instance.mark.path, every: 1000)).recheck == nil)
        }
        for count in [0, 1, 32, mark.count - 1] {
            try Files.write(Array(mark.prefix(count)), to: instance.mark.path)
            #expect(try instance.verified(markAt: LogMarkFile(instance.mark.path, every: 1000)).recheck == nil)
        }
    }

    @Test func `a head from before the mark is an earlier state put back`() async throws {
        let instance = try Instance()
        let early = try Files.read(instance.headPath, atMost: 1 << 16)
        let log = try instance.log(markAt: instance.mark)
        let doctor = try await Doctor.shared.value
        for _ in 0..<3 { _ = try await log.conclude(log.intent(doctor).begin(), .signed(Digest(of: [7]))) }
        log.stop()
        try Files.write(early, to: instance.headPath)
        #expect(
            refusal(opening: instance) == .broken("the head counts 0 records, and there were 4 before"))
    }

    @Test func `a failed write takes the mark away, so that the next start hashes everything`() async throws {
        let instance = try await instance()
        let log = try instance.log(fault(at: 1, done: false), markAt: instance.mark)
        let doctor = try await Doctor.shared.value
        await #expect(throws: AuditError.self) { _ = try await log.intent(doctor) }
        while instance.stops.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(1)) }
        #expect(!Files.exists(instance.mark.path))
        #expect(try instance.verified(markAt: instance.mark).recheck == nil)
    }
}
