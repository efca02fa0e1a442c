import Audit
import AuditIndex
import CoreProtocol
import HPKI
import Testing

@Suite struct AnomalyTests {
    /// 10 o'clock in Japan.
    private static let morning = Synthetic.start.adding(seconds: 3600)

    private func anomalies(_ records: [Synthetic]) async throws -> [Anomaly] {
        let log = try SyntheticLog()
        try await log.append(records)
        try log.index.catchUp()
        return try await log.index.anomalies(
            from: Synthetic.start.adding(seconds: -86_400), to: Synthetic.start.adding(seconds: 86_400 * 9),
            before: nil, limit: 100
        ).anomalies
    }

    private func intents(
        _ count: Int, every seconds: Int64, from start: Instant = morning, first: UInt64 = 0
    ) -> [Synthetic] {
        (0..<count).map { .intent(first + UInt64($0), at: start.adding(seconds: Int64($0) * seconds)) }
    }

    @Test func `thirty uses in ten minutes are work, one more is a burst, and it grows while it goes on`() async throws
    {
        #expect(try await anomalies(intents(30, every: 10)).isEmpty)
        // 20 s apart only 30 lie within any ten minutes.
        #expect(try await anomalies(intents(200, every: 20)).isEmpty)
        let burst = try await anomalies(intents(50, every: 10))
        #expect(burst.map(\.rule) == [.burst])
        let found = try #require(burst.first)
        #expect(found.count == 50 && found.limit == 30 && found.holder == HolderID("doctor-1"))
        #expect(found.records == Array(0..<20))
        #expect(found.from == Self.morning && found.to == Self.morning.adding(seconds: 490))
        let twice = try await anomalies(
            intents(40, every: 1) + intents(40, every: 1, from: Self.morning.adding(seconds: 7200), first: 40))
        #expect(twice.map(\.count) == [40, 40])
    }

    @Test func `a use at night is worth a look, once a night for each holder`() async throws {
        // Midnight in Japan is 15:00Z.
        let midnight = Synthetic.start.adding(seconds: 15 * 3600)
        let records: [Synthetic] = [
            .intent(0, at: midnight.adding(seconds: -1)), .intent(1, at: midnight),
            .intent(2, at: midnight.adding(seconds: 60), holder: "doctor-2"),
            .intent(3, at: midnight.adding(seconds: 5 * 3600 - 1)), .intent(4, at: midnight.adding(seconds: 5 * 3600)),
            .intent(5, at: midnight.adding(seconds: 86_400)),
        ]
        let found = try await anomalies(records)
        #expect(found.map(\.rule) == [.oddHours, .oddHours, .oddHours])
        #expect(found.map(\.records) == [[5], [2], [1, 3]])
    }

    @Test func `a client system is new to a holder who used others before, and only the first time`() async throws {
        let found = try await anomalies([
            .intent(0, at: Self.morning, client: "clinic-1"), .intent(1, at: Self.morning, client: "clinic-1"),
            .intent(2, at: Self.morning, client: "clinic-2"), .intent(3, at: Self.morning, client: "clinic-2"),
            .intent(4, at: Self.morning, holder: "doctor-2", client: "clinic-2"),
            .intent(5, at: Self.morning, client: nil),
        ])
        #expect(found.map(\.rule) == [.newClient])
        #expect(found.first?.records == [2] && found.first?.client == ClientID("clinic-2"))
    }

    @Test func `five refusals of one caller within an hour are worth a look, of an authority too`() async throws {
        func refusals(_ count: Int, every seconds: Int64) -> [Synthetic] {
            (0..<count).map { .refusal(UInt64($0), at: Self.morning.adding(seconds: Int64($0) * seconds)) }
        }
        #expect(try await anomalies(refusals(4, every: 1)).isEmpty)
        #expect(try await anomalies(refusals(20, every: 900)).isEmpty)
        let found = try await anomalies(refusals(7, every: 60))
        #expect(found.map(\.rule) == [.refusals] && found.first?.count == 7)
        let authority = try await anomalies(
            (0..<5).map { number in
                Synthetic(
                    sequence: UInt64(number), time: Self.morning, kind: .refusal,
                    fields: [
                        (.authority, "authority=medis\nground=operator"),
                        (.note, "deliver: certificateRefused: serial"), (.decision, "-"), (.request, "r"),
                    ])
            })
        #expect(authority.map(\.rule) == [.refusals] && authority.first?.holder == nil)
    }

    @Test func `uses that failed or ended unknown are worth a look`() async throws {
        let found = try await anomalies([
            .intent(0, at: Self.morning), .outcome(1, of: 0, at: Self.morning, code: 2), .intent(2, at: Self.morning),
            .outcome(3, of: 2, at: Self.morning, code: 3), .intent(4, at: Self.morning),
            .outcome(5, of: 4, at: Self.morning, code: 1), .intent(6, at: Self.morning),
            .outcome(7, of: 6, at: Self.morning, code: 2),
        ])
        #expect(found.map(\.rule) == [.unknownOutcome, .failedOutcome])
        #expect(found.map(\.records) == [[3], [1, 7]] && found.allSatisfy { $0.holder == HolderID("doctor-1") })
    }

    @Test func `a burst across a restart is one burst`() async throws {
        let log = try SyntheticLog()
        let records = intents(60, every: 5)
        for piece in [0..<25, 25..<40, 40..<60] {
            try await log.append(Array(records[piece]))
            let index = log.reopened()
            try index.catchUp()
            await index.stop()
        }
        let index = log.reopened()
        try index.catchUp()
        let (from, to) = (Self.morning, Self.morning.adding(seconds: 1))
        let found = try await index.anomalies(from: from, to: to, before: nil, limit: 10)
        #expect(found.anomalies.map(\.count) == [60])
        await index.stop()
    }

    @Test func `anomalies come in pages, newest first`() async throws {
        let log = try SyntheticLog()
        var records: [Synthetic] = []
        for day in 0..<7 as Range<Int64> {
            records.append(
                .intent(UInt64(day), at: Synthetic.start.adding(seconds: 15 * 3600 + day * 86_400)))
        }
        try await log.append(records)
        try log.index.catchUp()
        let (from, to) = (Synthetic.start, Synthetic.start.adding(seconds: 30 * 86_400))
        let first = try await log.index.anomalies(from: from, to: to, before: nil, limit: 4)
        let second = try await log.index.anomalies(from: from, to: to, before: first.anomalies.last?.id, limit: 4)
        #expect(first.hasMore && !second.hasMore)
        #expect((first.anomalies + second.anomalies).flatMap(\.records) == (0..<7).reversed())
    }
}
