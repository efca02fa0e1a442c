import Audit
import AuditIndex
import CoreProtocol
import HPKI
import Testing

@Suite struct OverviewTests {
    @Test(arguments: OverviewStep.allCases)
    func `the charts count what counting every record counts`(step: OverviewStep) async throws {
        let log = try SyntheticLog()
        let records = Synthetic.log(6000, seed: 21)
        try await log.append(records)
        try log.index.catchUp()
        let end = try #require(records.last).time
        for (from, to) in [
            (Synthetic.start, end.adding(seconds: 1)),
            (Synthetic.start.adding(seconds: 20_000), Synthetic.start.adding(seconds: 90_000)),
            (Synthetic.start.adding(seconds: -900_000), Synthetic.start.adding(seconds: -100)),
        ] {
            let found = try await log.index.overview(from: from, to: to, step: step)
            let start = step.floor(from)
            #expect(found.from == start)
            let stop = start.adding(seconds: Int64(found.buckets) * step.seconds)
            #expect(stop >= to && stop < to.adding(seconds: step.seconds))
            let within = records.filter { $0.time >= start && $0.time < stop }
            #expect(found.records == UInt64(within.count))
            var expected: [String: [UInt32]] = [:]
            for record in try within.map({ try $0.record }) {
                let bucket = Int((record.time.seconds - start.seconds) / step.seconds)
                for name in Self.counted(record) {
                    expected[name, default: Array(repeating: 0, count: found.buckets)][bucket] += 1
                }
            }
            let series = Dictionary(
                uniqueKeysWithValues: found.series.map { ("\($0.dimension) \($0.name)", $0.counts) })
            #expect(series == expected)
            #expect(found.series.allSatisfy { $0.total == $0.counts.reduce(0) { $0 + UInt64($1) } })
        }
    }

    private static func counted(_ record: IndexedRecord) -> [String] {
        var names = record.kind.map { ["kind \($0.name)"] } ?? []
        if let outcome = record.outcome { names.append("outcome \(outcome.name)") }
        if record.kind == .intent {
            names += record.form.map { ["form \($0.rawValue)"] } ?? []
            names += record.client.map { ["client \($0)"] } ?? []
        }
        if record.kind == .refusal { names += record.failure.map { ["failure \($0.rawValue)"] } ?? [] }
        return names
    }

    @Test func `only the client systems with the most uses have a series, and the rest is one number`() async throws {
        let log = try SyntheticLog()
        var records: [Synthetic] = []
        for client in 1...20 {
            for _ in 0..<client {
                records.append(
                    .intent(UInt64(records.count), at: Synthetic.start, client: "clinic-\(client)"))
            }
        }
        try await log.append(records)
        try log.index.catchUp()
        let found = try await log.index.overview(
            from: Synthetic.start, to: Synthetic.start.adding(seconds: 1), step: .hour)
        let clients = found.series.filter { $0.dimension == .client }
        #expect(clients.map(\.name) == (9...20).reversed().map { "clinic-\($0)" })
        #expect(found.otherClients == 8 && found.otherClientUses == 36)
    }

    @Test func `a key's uses are counted for each day of Japan`() async throws {
        let log = try SyntheticLog()
        // 2026-01-02T00:00:00Z is 9 o'clock in Japan; 15 hours later the next day begins there.
        let times = [0, 100, 53_999, 54_000, 54_001, 54_000 + 3 * 86_400] as [Int64]
        try await log.append(
            times.enumerated().map { .intent(UInt64($0.offset), at: Synthetic.start.adding(seconds: $0.element)) })
        try log.index.catchUp()
        var query = IndexQuery(AuditFilter())
        query.filter.credential = CredentialID("doctor-1-a")
        let days = try await log.index.days(
            query, from: Synthetic.start, to: Synthetic.start.adding(seconds: 10 * 86_400))
        #expect(days.map(\.uses) == [3, 2, 1])
        #expect(days[0].start == Synthetic.start.adding(seconds: -9 * 3600))
        #expect(days[1].start == Synthetic.start.adding(seconds: 15 * 3600))
    }
}
