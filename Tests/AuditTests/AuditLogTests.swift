import Audit
import Foundation
import Glibc
import HPKI
import Host
import Policies
import Storage
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct AuditLogTests {
    @Test func `200 tasks at once share commits, and their sequences have no gap`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        defer { log.stop() }
        let doctor = try await Doctor.shared.value
        // The first commit takes its time, so that the others wait together whatever the machine is doing.
        let sequences = try await withThrowingTaskGroup(of: UInt64.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await log.intent(doctor) { _, _ in if number == 0 { usleep(50_000) } }.sequence
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sequences.sorted() == Array(0..<200))
        let commits = try await instance.count("audit_commit")
        #expect(commits < 100)
        #expect(try instance.faults() == [])
    }

    @Test func `each entry of a shared commit is found again with the tree of that commit`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        defer { log.stop() }
        let doctor = try await Doctor.shared.value
        let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    try await log.conclude(log.intent(doctor).begin(), .signed(Digest(of: [1])))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(receipts.count == 40)
        for receipt in receipts {
            let found = try await instance.database().read {
                try AuditReader.appended(at: receipt.entry.sequence, in: $0)
            }
            #expect(found == receipt.entry)
            #expect(receipt.origin == "log.example")
            #expect(receipt.entry.treeSize > receipt.entry.sequence)
            let leaf = try Leaf(receipt.entry.leaf)
            #expect(leaf.kind == .outcome && leaf.code == 1)
            #expect(try #require(leaf.intent) < leaf.sequence)
        }
    }

    @Test func `a step that throws a failure refuses its own entry alone, and what it wrote is undone`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        defer { log.stop() }
        let doctor = try await Doctor.shared.value
        let no = Failure(.credentialUnusable, "No.")
        let results = await withTaskGroup(of: Result<UInt64, any Error>.self) { group in
            for number in 0..<30 {
                group.addTask {
                    do {
                        let intent = try await log.intent(doctor) { connection, sequence in
                            if number == 0 { usleep(30_000) }
                            try connection.execute("INSERT INTO mark VALUES ($1)", [.integer(Int64(sequence))])
                            if number % 3 == 0 { throw no }
                        }
                        return .success(intent.sequence)
                    } catch { return .failure(error) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let sequences = results.compactMap { try? $0.get() }
        #expect(sequences.sorted() == Array(0..<20))
        for case .failure(let error) in results { #expect(error as? AuditError == .refused(no)) }
        #expect(try await instance.count("mark") == 20)
        #expect(try await instance.entries().count == 20)
        #expect(try instance.faults() == [])
        #expect(log.isRunning)
    }

    @Test func `after a refusal no intent is left that could be used`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        let doctor = try await Doctor.shared.value
        await #expect(throws: AuditError.self) {
            _ = try await log.intent(doctor) { _, _ in throw Failure(.denied, "No.") }.sequence
        }
        log.stop()
        #expect(try await instance.entries().isEmpty)
        #expect(try instance.verified().openIntents == [])
    }

    @Test func `a step that fails otherwise stops the log: nobody knows what it left`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        let doctor = try await Doctor.shared.value
        await #expect(throws: AuditError.stopped) {
            _ = try await log.intent(doctor) { connection, _ in try connection.execute("NOT SQL") }.sequence
        }
        #expect(!log.isRunning)
        #expect(instance.stops.withLock { $0.count } == 1)
        #expect(try instance.openingFault() == nil)
    }

    @Test(arguments: 1...6, [false, true])
    func `a commit that fails stops the log, is told once, and the next start finds all that was answered`(
        number: Int, done: Bool
    ) async throws {
        let instance = try Instance()
        let log = try instance.log(fault(at: number, done: done))
        var answered = 0
        for note in 0..<6 {
            do {
                try await log.recordEvent(.administration, note: "note \(note)")
                answered += 1
            } catch { #expect(error == .stopped) }
        }
        #expect(answered == number - 1)
        #expect(!log.isRunning)
        #expect(instance.stops.withLock { $0.count } == 1)
        let again = try instance.log()
        defer { again.stop() }
        let kept = try await instance.entries().count
        #expect(kept == answered + (done ? 1 : 0))
        try await again.recordEvent(.start, note: "again")
        #expect(try await instance.entries().last?.leaf.sequence == UInt64(kept))
        #expect(try instance.faults() == [])
    }

    @Test(arguments: [false, true])
    func `everybody who waits when a commit fails is told that the log has stopped`(done: Bool) async throws {
        let instance = try Instance()
        let log = try instance.log(fault(at: 1, done: done))
        let doctor = try await Doctor.shared.value
        // While the first commit goes on, the others come to wait for the next.
        let answered = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    do {
                        _ = try await log.intent(doctor) { _, _ in usleep(2000) }.sequence
                        return true
                    } catch {
                        #expect(error as? AuditError == .stopped)
                        return false
                    }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(answered == 0)
        #expect(instance.stops.withLock { $0.count } == 1)
        let kept = try await instance.entries().count
        #expect(done ? kept > 0 : kept == 0)
        #expect(try instance.verified().openIntents.count == kept)
    }

    @Test func `a head that cannot be stored stops the log, and the next start moves it on`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        try await log.recordEvent(.start, note: "one")
        try breakFile(instance.headPath)
        await #expect(throws: AuditError.stopped) { try await log.recordEvent(.administration, note: "two") }
        #expect(!log.isRunning)
        #expect(instance.stops.withLock { $0.count } == 1)
        let again = try instance.log()
        defer { again.stop() }
        try await again.recordEvent(.administration, note: "three")
        #expect(try await instance.entries().count == 3)
        #expect(try instance.faults() == [])
    }

    @Test func `a stopped log takes nothing and tells nobody to end`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        log.stop()
        await #expect(throws: AuditError.stopped) { try await log.recordEvent(.stop, note: "late") }
        #expect(instance.stops.withLock { $0 } == [])
    }

    @Test func `a clock that goes back does not make the records look disordered`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        try await log.recordEvent(.start, note: "one")
        instance.clock.withLock { $0 = $0.adding(seconds: -3600) }
        try await log.recordEvent(.stop, note: "two")
        log.stop()
        let again = try instance.log()
        defer { again.stop() }
        try await again.recordEvent(.start, note: "three")
        #expect(Set(try await instance.entries().map(\.leaf.time)) == [Instance.start])
        #expect(try instance.faults() == [])
    }

    @Test func `an intent records who, what, which key, which rule and when, and its leaf names none of it`()
        async throws
    {
        let instance = try Instance()
        let log = try instance.log()
        defer { log.stop() }
        let doctor = try await Doctor.shared.value
        _ = try await log.intent(doctor).sequence
        let entry = try #require(try await instance.entries().first)
        let detail = try #require(entry.detail)
        let values = Dictionary(uniqueKeysWithValues: detail.openings.map { ($0.field, $0.value) })
        #expect(values[.holder] == "doctor-1")
        #expect(values[.document] == "prescription:sha256:\(Doctor.document.hex)")
        #expect(values[.key] == "doctor-1-a:\(Digest(of: [1]).hex)")
        #expect(values[.bytesToSign] == Digest(of: Array("<SignedInfo/>".utf8)).hex)
        #expect(values[.decision] == "prescribe:\(doctor.policies.hash.hex)")
        #expect(values[.client] == "clinic-1")
        #expect(values[.request] == "request-1")
        #expect(values[.custody] == "software token")
        #expect(try #require(values[.activation]).contains("auth_time=\(Instance.start.seconds)"))
        #expect(entry.leaf.time == Instance.start)
        #expect(detail.openings.map(\.commitment) == entry.leaf.commitments)
        #expect(Set(detail.openings.map(\.salt)).count == detail.openings.count)
        let leaf = String(decoding: entry.leaf.bytes, as: UTF8.self)
        for value in values.values { #expect(!leaf.contains(value)) }
        #expect(!Hex.encode(entry.leaf.bytes).contains(Doctor.document.hex))
    }

    @Test func `intents left open are found, and closed as unknown`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        let doctor = try await Doctor.shared.value
        _ = try await log.intent(doctor).sequence
        let closed = try await log.intent(doctor)
        _ = try await log.conclude(closed.begin(), .failed("the key was not used"))
        _ = try await log.intent(doctor).sequence
        log.stop()
        #expect(try instance.verified().openIntents == [0, 3])
        let again = try instance.log()
        try await again.closeAsUnknown(intent: 0)
        try await again.closeAsUnknown(intent: 3)
        again.stop()
        #expect(try instance.verified().openIntents == [])
        #expect(try await instance.entries().suffix(2).map(\.leaf.code) == [3, 3])
    }

    /// Puts a device that is always full in the place of this process's open file.
    private func breakFile(_ path: String) throws {
        let real = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(Int32.init).filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path
        }
        #expect(!real.isEmpty)
        let full = unsafe open("/dev/full", O_WRONLY)
        for number in real { #expect(dup2(full, number) == number) }
        close(full)
    }
}
