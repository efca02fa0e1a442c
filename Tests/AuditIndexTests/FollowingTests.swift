import Audit
import AuditIndex
import CoreProtocol
import Foundation
import HPKI
import Storage
import Testing

@Suite struct FollowingTests {
    @Test func `an index that is opened anew goes on where it was, and finds what one made at once finds`() async throws
    {
        let log = try SyntheticLog()
        let records = Synthetic.log(5000, seed: 11)
        var last: AuditIndex?
        for piece in [0..<1, 1..<700, 700..<4999, 4999..<5000] {
            try await log.append(Array(records[piece]))
            let index = log.reopened()
            try index.catchUp()
            #expect(
                index.facts
                    == IndexFacts(
                        indexed: UInt64(piece.upperBound), size: UInt64(piece.upperBound), isRebuilding: false))
            await last?.stop()
            last = index
        }
        let other = try SyntheticLog()
        try await other.append(records)
        try other.index.catchUp()
        let index = try #require(last)
        for query in Self.queries {
            #expect(
                try await index.search(query, before: nil, limit: 5000)
                    == other.index.search(query, before: nil, limit: 5000))
        }
        let times = (Synthetic.start, Synthetic.start.adding(seconds: 30 * 86_400))
        #expect(
            try await index.overview(from: times.0, to: times.1, step: .hour)
                == other.index.overview(from: times.0, to: times.1, step: .hour))
        let anomalies = try await index.anomalies(from: times.0, to: times.1, before: nil, limit: 100)
        let others = try await other.index.anomalies(from: times.0, to: times.1, before: nil, limit: 100)
        #expect(anomalies.anomalies == others.anomalies && !anomalies.anomalies.isEmpty)
    }

    private static let queries: [IndexQuery] = {
        var queries = [IndexQuery(AuditFilter())]
        for change: (inout AuditFilter) -> Void in [
            { $0.holder = HolderID("doctor-3") }, { $0.outcome = .unknown },
            { $0.kinds = [.refusal, .administration] },
            { $0.credential = CredentialID("doctor-2-b") }, { $0.client = ClientID("clinic-4") },
        ] {
            var query = IndexQuery(AuditFilter())
            change(&query.filter)
            queries.append(query)
        }
        return queries
    }()

    @Test func `an index says how far it is behind from its opening on`() async throws {
        let log = try SyntheticLog()
        let records = Synthetic.log(20, seed: 14)
        try await log.append(Array(records[..<10]))
        try log.index.catchUp()
        await log.index.stop()
        // The first record that it has not yet is not there, so it cannot go on.
        try await log.append(Array(records[11...]))
        let index = log.reopened()
        #expect(throws: AuditIndexError.self) { try index.catchUp() }
        #expect(index.facts == IndexFacts(indexed: 10, size: 20, isRebuilding: false))
    }

    @Test func `the thread takes in what is committed, and can be stopped at any time`() async throws {
        let log = try SyntheticLog()
        try await log.append(Synthetic.log(3000, seed: 12))
        let index = log.reopened()
        index.start()
        try await eventually { index.facts.indexed == 3000 }
        try await log.append(Synthetic.log(10, seed: 13, from: 3000))
        index.nudge()
        try await eventually { index.facts.indexed == 3010 }
        await index.stop()
        await #expect(throws: AuditIndexError.away) {
            try await index.search(IndexQuery(AuditFilter()), before: nil, limit: 1)
        }
    }

    @Test func `an erased record is in no list, has no name, and leaves no bytes of its holder`() async throws {
        let log = try SyntheticLog()
        let time = Synthetic.start
        let secret = "holder-to-be-forgotten"
        try await log.append([
            .intent(0, at: time), .intent(1, at: time, holder: secret, client: "clinic-of-the-forgotten"),
            .outcome(2, of: 1, at: time, code: 2), .outcome(3, of: 0, at: time),
            .intent(4, at: time, holder: "doctor-2"),
        ])
        try log.index.catchUp()
        var query = IndexQuery(AuditFilter())
        query.filter.holder = HolderID(secret)
        #expect(try await log.index.search(query, before: nil, limit: 9).records.map(\.sequence) == [2, 1])
        #expect(try contains(log, secret))

        try await log.erase(1)
        try log.index.catchUp()
        #expect(try await log.index.search(query, before: nil, limit: 9).count == 0)
        for change: (inout AuditFilter) -> Void in [
            { $0.text = Synthetic.signature(1) }, { $0.text = "request-1" },
            { $0.client = ClientID("clinic-of-the-forgotten") }, { $0.credential = CredentialID(secret + "-a") },
        ] {
            var query = IndexQuery(AuditFilter())
            change(&query.filter)
            #expect(try await log.index.search(query, before: nil, limit: 9).count == 0)
        }
        let (from, to) = (time.adding(seconds: -1), time.adding(seconds: 9))
        let anomalies = try await log.index.anomalies(from: from, to: to, before: nil, limit: 9).anomalies
        #expect(anomalies.contains { $0.rule == .failedOutcome && $0.holder == nil })
        // What others have stays, and so do the bare facts of the leaf.
        query.filter = AuditFilter()
        query.filter.form = .prescription
        #expect(try await log.index.search(query, before: nil, limit: 9).records.map(\.sequence) == [4, 3, 0])
        query.filter = AuditFilter()
        query.filter.outcome = .failed
        #expect(try await log.index.search(query, before: nil, limit: 9).records.map(\.sequence) == [2])
        // Closing moves the write-ahead log into the file.
        await log.index.stop()
        #expect(try !contains(log, secret) && !contains(log, "clinic-of-the-forgotten"))
        #expect(try contains(log, "doctor-1"))
    }

    @Test func `an index made after an erasure finds what one that lived through it finds`() async throws {
        let log = try SyntheticLog()
        let records = Synthetic.log(2000, seed: 14)
        try await log.append(records)
        try log.index.catchUp()
        for sequence in stride(from: 3 as UInt64, to: 2000, by: 3) { try await log.erase(sequence) }
        try log.index.catchUp()
        let other = try SyntheticLog()
        try await other.append(
            records.map { record in
                var record = record
                record.isErased = record.sequence % 3 == 0 && record.sequence > 0
                return record
            })
        try other.index.catchUp()
        for query in Self.queries {
            #expect(
                try await log.index.search(query, before: nil, limit: 2000)
                    == other.index.search(query, before: nil, limit: 2000))
        }
    }

    @Test func `an index of another log, one that is longer than the log, and a damaged file are made anew`()
        async throws
    {
        let log = try SyntheticLog()
        try await log.append(Synthetic.log(300, seed: 15))
        try log.index.catchUp()
        await log.index.stop()
        // Another log of the same length, as after a restore of another backup.
        try await log.database.write { _ = try $0.execute("DELETE FROM audit_entry") }
        let others = Synthetic.log(300, seed: 16)
        try await log.append(others)
        var index = log.reopened()
        try index.catchUp()
        var query = IndexQuery(AuditFilter())
        query.filter.holder = HolderID("doctor-1")
        let expected = try others.filter { try $0.record.holder == query.filter.holder }.count
        query.filter.kinds = [.intent, .refusal, .administration]
        #expect(try await index.search(query, before: nil, limit: 1).count == UInt64(expected))
        await index.stop()

        // An older copy of the log.
        try await log.database.write { _ = try $0.execute("DELETE FROM audit_entry WHERE sequence >= 200") }
        index = log.reopened()
        try index.catchUp()
        #expect(index.facts.indexed == 200)
        await index.stop()

        let path = log.folder + "/audit-index.sqlite"
        try Data("no database".utf8).write(to: URL(filePath: path))
        index = log.reopened()
        try index.catchUp()
        #expect(try await index.search(IndexQuery(AuditFilter()), before: nil, limit: 1).count == 200)
        await index.stop()
    }

    @Test(
        arguments: [
            "UPDATE posting SET places = x'07'", "DELETE FROM entry WHERE sequence = 150",
            "UPDATE state SET version = 0", "DELETE FROM state", "DROP TABLE posting",
        ])
    func `an index that was tampered with says nothing false, and is made anew`(sql: String) async throws {
        let log = try SyntheticLog()
        let records = Synthetic.log(300, seed: 17)
        try await log.append(records)
        try log.index.catchUp()
        await log.index.stop()
        try await log.tamper(sql)
        let index = log.reopened()
        try index.catchUp()
        var query = IndexQuery(AuditFilter())
        query.filter.kinds = [.intent]
        let expected = records.filter { $0.kind == .intent }.map(\.sequence).reversed()
        if (try? await index.search(query, before: nil, limit: 300)) == nil {
            await #expect(throws: AuditIndexError.away) { try await index.search(query, before: nil, limit: 300) }
        }
        _ = try? await index.search(IndexQuery(AuditFilter()), before: nil, limit: 300)
        try index.catchUp()
        #expect(try await index.search(query, before: nil, limit: 300).records.map(\.sequence) == Array(expected))
        await index.stop()
    }

    @Test func `a gap in the log and a leaf that cannot be read stop the index there, and it says so`() async throws {
        let log = try SyntheticLog()
        try await log.append(Synthetic.log(100, seed: 18))
        try await log.database.write { _ = try $0.execute("DELETE FROM audit_entry WHERE sequence = 50") }
        #expect(throws: AuditIndexError.storage("record 50 is missing from the log")) { try log.index.catchUp() }
        let other = try SyntheticLog()
        try await other.append(Synthetic.log(100, seed: 18))
        try await other.database.write { _ = try $0.execute("UPDATE audit_entry SET leaf = x'00' WHERE sequence = 9") }
        #expect(throws: AuditIndexError.storage("record 9 of the log cannot be read")) { try other.index.catchUp() }
    }

    @Test func `the file is for its owner alone`() throws {
        let log = try SyntheticLog()
        try log.index.catchUp()
        for end in ["", "-wal"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: log.folder + "/audit-index.sqlite" + end)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    private func contains(_ log: SyntheticLog, _ text: String) throws -> Bool {
        Data(try log.indexBytes()).range(of: Data(text.utf8)) != nil
    }

    private func eventually(_ condition: () -> Bool) async throws {
        for _ in 0..<2000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
        #expect(condition())
    }
}
