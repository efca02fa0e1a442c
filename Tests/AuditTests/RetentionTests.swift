import Audit
import Foundation
import HPKI
import Host
import Identity
import Storage
import Testing
import Transparency

@Suite struct RetentionTests {
    @Test func `a record's class follows from its leaf, and an outcome has its intent's`() async throws {
        let instance = try Instance()
        let doctor = try await Doctor.shared.value
        let log = try instance.log()
        let use = try await log.intent(doctor).begin()
        _ = try await log.conclude(use, .signed(Digest(of: [1])))
        try await log.recordRefusal(
            of: doctor.caller, action: .signDocument(.prescription), failure: Failure(.denied, "No."),
            occurrence: nil, requestID: "r")
        let party = AuthorityIdentification(certificates: [:], adminKey: Digest(of: []))
            .itself(for: made(AuthorityID("medis")))
        try await log.record(
            RegistryChange(
                note: "made", party: party, holder: Doctor.holder, registrations: ["holder:doctor-1:1:00"],
                requestID: "-"))
        try await log.recordRefusal(of: party, act: "put", failure: Failure(.denied, "No."), requestID: "r")
        for kind in [EntryKind.start, .configuration, .administration, .stop] {
            try await log.recordEvent(kind, note: "an event")
        }
        log.stop()
        let leaves = try await instance.entries().map(\.leaf)
        #expect(
            leaves.map { $0.retentionClass(closing: $0.intent.map { leaves[Int($0)] }) } == [
                .signatures, .signatures, .refusals, .registration, .refusals, .operations, .operations, .operations,
                .operations,
            ])
    }

    @Test func `retention is counted from the certificate's end, else from the record, by the calendar`() throws {
        let retention = Retention(years: [.signatures: 1, .refusals: 0])
        func at(_ text: String) throws -> Instant { try #require(Instant(rfc3339: text)) }
        let recorded = try at("2027-05-06T07:08:09.010Z")
        #expect(
            retention.end(of: .signatures, recorded: recorded, certificateEnd: nil)
                == (try at("2028-05-06T07:08:09.010Z")))
        #expect(
            retention.end(of: .signatures, recorded: recorded, certificateEnd: try at("2028-02-29T12:00:00Z"))
                == (try at("2029-03-01T12:00:00Z")))
        // A record behind its certificate's end is kept no shorter for that.
        #expect(
            retention.end(of: .registration, recorded: recorded, certificateEnd: try at("2020-01-01T00:00:00Z"))
                == (try at("2037-05-06T07:08:09.010Z")))
        #expect(retention.end(of: .refusals, recorded: recorded, certificateEnd: nil) == recorded)
        #expect(retention.unkept == [.refusals])
        #expect(
            Retention().keptFrom(try at("2037-03-01T00:00:00Z")) == (try at("2027-03-01T00:00:00Z")))
        let last = Retention().end(of: .signatures, recorded: try at("9999-01-01T00:00:00Z"), certificateEnd: nil)
        #expect(last.milliseconds == .max)
    }

    @Test func `ranges hold what is put in and not taken out`() throws {
        for round in 0..<200 as Range<UInt64> {
            // A number's digest decides, so that every run sees the same sets.
            func some(_ salt: UInt8) -> Set<UInt64> {
                Set((0..<40).filter { Digest(of: [salt, UInt8(round), UInt8($0)]).bytes[0] & 1 == 1 })
            }
            let (all, gone) = (some(1), some(2))
            var ranges = SequenceRanges(all)
            #expect(all.isEmpty || SequenceRanges(text: ranges.text) == ranges)
            ranges.subtract(SequenceRanges(gone))
            for number in 0..<42 as Range<UInt64> {
                #expect(ranges.contains(number) == all.subtracting(gone).contains(number))
            }
        }
        for text in ["", " ", "1-", "-1", "3-1", "1 1", "2 1", "1-2-3", "01", "1  2", "99999999999999999999", "x"] {
            #expect(SequenceRanges(text: text) == nil, "\(text)")
        }
        var most = try #require(SequenceRanges(text: "0-18446744073709551615"))
        most.subtract(try #require(SequenceRanges(text: "1 18446744073709551615")))
        #expect(most.text == "0 2-18446744073709551614")
    }

    @Test func `a ground is a code and no story`() {
        for text in ["request-2026-17", "a", String(repeating: "x", count: 64)] {
            #expect(ErasureRecord.isGround(text))
        }
        for text in ["", "Yamada", "a b", "a;b", "患者", String(repeating: "x", count: 65)] {
            #expect(!ErasureRecord.isGround(text))
        }
    }
}

/// What an erasure leaves behind.
@Suite struct ErasingTests {
    /// An instance with two signatures: records 0 to 3.
    private func signed() async throws -> Instance {
        let instance = try Instance()
        let doctor = try await Doctor.shared.value
        let log = try instance.log()
        for _ in 0..<2 {
            let use = try await log.intent(doctor).begin()
            _ = try await log.conclude(use, .signed(Digest(of: [1])))
        }
        log.stop()
        return instance
    }

    private func erase(_ numbers: [UInt64], _ instance: Instance) async throws {
        let log = try instance.log()
        defer { log.stop() }
        try await log.erase(
            ErasureRecord(numbers.map { ($0, .signatures) }, ground: "request-7", archived: 4), step: { _, _ in })
    }

    @Test func `an erasure is told of by a record and leaves a log that holds`() async throws {
        let instance = try await signed()
        try await erase([0, 1, 3], instance)
        let entries = try await instance.entries()
        #expect(entries.map { $0.detail == nil } == [true, true, false, true, false])
        let note = try #require(entries[4].detail?.openings.first?.value)
        #expect(note == "details erased: 3 of signatures; ground request-7; archive of 4 records; records 0-1 3")
        #expect(entries[4].isNeverErased && !entries[2].isNeverErased)
        let report = try instance.report()
        #expect(report.faults == [] && report.erased == 3)
        #expect(try instance.openingFault() == nil)
    }

    @Test func `a detail that is gone without a record is a fault, and so is an erasure's own`() async throws {
        let instance = try await signed()
        try await erase([0, 1], instance)
        try await instance.tamper("UPDATE audit_entry SET detail = NULL WHERE sequence = 2")
        #expect(try instance.faults() == ["the detail of record 2 is gone, and no record tells of its erasure"])
        try await instance.tamper("UPDATE audit_entry SET detail = NULL WHERE sequence = 4")
        #expect(
            try instance.faults() == [
                "the detail of records 0 to 2 is gone, and no record tells of its erasure",
                "the detail of record 4 is gone, and no record tells of its erasure",
            ])
    }

    @Test func `what was erased before is refused, with nothing erased and nothing recorded`() async throws {
        let instance = try await signed()
        try await erase([1], instance)
        await #expect(throws: AuditError.self) { try await erase([0, 1], instance) }
        let entries = try await instance.entries()
        #expect(entries.count == 5 && entries[0].detail != nil)
        #expect(try instance.faults() == [])
    }

    @Test func `an erasure whose commit fails erases nothing, and one that was committed is recorded`() async throws {
        for done in [false, true] {
            let instance = try await signed()
            let log = try instance.log(fault(at: 1, done: done))
            await #expect(throws: AuditError.stopped) {
                try await log.erase(
                    ErasureRecord([(0, .signatures)], ground: "request-7", archived: nil), step: { _, _ in })
            }
            #expect(try instance.openingFault() == nil)
            #expect(try instance.faults() == [])
            let entries = try await instance.entries()
            #expect((entries[0].detail == nil) == done && entries.count == (done ? 5 : 4))
        }
    }

    @Test func `the database's files keep no byte of what was erased`() async throws {
        let instance = try Instance()
        let secret = "a-word-that-nobody-else-would-write"
        let database = try instance.database()
        let log = AuditLog(
            try AuditVerifier.open(database, headAt: instance.headPath, key: instance.key), origin: "log.example",
            key: instance.key, signers: try instance.signers(), pseudonyms: Instance.pseudonyms,
            clock: .fixed(Instance.start), random: .live, onStop: { _ in })
        for number in 0..<400 {
            try await log.recordEvent(.configuration, note: "\(number) \(number % 2 == 0 ? secret : "kept")")
        }
        func isFound() throws -> Bool {
            let files = ["", "-wal"].map { URL(filePath: instance.databasePath + $0) }
            return try files.contains { try Data(contentsOf: $0).firstRange(of: Data(secret.utf8)) != nil }
        }
        #expect(try isFound())
        let numbers = (0..<400 as Range<UInt64>).filter { $0 % 2 == 0 }
        try await log.erase(
            ErasureRecord(numbers.map { ($0, .operations) }, ground: "request-7", archived: nil), step: { _, _ in })
        let mayEmpty = await database.emptyJournal()
        #expect(try mayEmpty && !isFound())
        log.stop()
        #expect(try instance.faults() == [])
    }

    @Test func `a reader keeps the write-ahead log, and it is emptied once the reader is done`() async throws {
        let instance = try await signed()
        let (database, other) = (try instance.database(), try instance.database())
        try await database.write { _ = try $0.execute("INSERT INTO mark (sequence) VALUES (1)") }
        try other.readBlocking { connection in
            _ = try connection.queryOne("SELECT sequence FROM mark")
            #expect(!database.emptyJournalBlocking())
        }
        let isEmpty = await database.emptyJournal()
        #expect(isEmpty)
        // The database is as good as before.
        try await database.write { _ = try $0.execute("INSERT INTO mark (sequence) VALUES (2)") }
    }
}
