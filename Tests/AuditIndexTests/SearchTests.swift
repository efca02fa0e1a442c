import AuditIndex
import CoreProtocol
import HPKI
import Testing

@Suite struct SearchTests {
    /// What a search must give, found by reading everything.
    private struct Naive {
        let records: [IndexedRecord]
        let intents: [UInt64: IndexedRecord]

        init(_ log: [Synthetic]) throws {
            records = try log.map { try $0.record }
            intents = Dictionary(uniqueKeysWithValues: records.filter { $0.kind == .intent }.map { ($0.sequence, $0) })
        }

        func search(_ query: IndexQuery) -> [UInt64] {
            let filter = query.filter
            return records.reversed().filter { record in
                let use = record.isErased ? nil : record.intent.flatMap { intents[$0] }
                let client = record.client ?? use?.client
                if let from = filter.from, record.time < from { return false }
                if let to = filter.to, record.time >= to { return false }
                if let holder = filter.holder, (record.holder ?? use?.holder) != holder { return false }
                if let id = filter.credential, !(record.credentials + (use?.credentials ?? [])).contains(id) {
                    return false
                }
                if let wanted = filter.client, client != wanted { return false }
                if let clients = query.clients, !clients.contains(where: { $0 == client }) { return false }
                if !filter.kinds.isEmpty, !filter.kinds.contains(where: { $0 == record.kind }) { return false }
                if let outcome = filter.outcome, record.outcome != outcome { return false }
                if let form = filter.form, (record.form ?? use?.form) != form { return false }
                if let failure = filter.failure, record.failure != failure { return false }
                if let text = filter.text, record.request != text, record.signature?.description != text {
                    return record.intent.flatMap { intents[$0] }?.request == text
                }
                return !query.hidden.contains { $0 == record.kind }
            }.map(\.sequence)
        }
    }

    @Test func `every filter and every pair of filters finds what reading everything finds`() async throws {
        let log = try SyntheticLog()
        let records = Synthetic.log(3000, seed: 1)
        try await log.append(records)
        try log.index.catchUp()
        let naive = try Naive(records)
        var generator = Seeded(2)
        let single = conditions(records, &generator)
        for (index, first) in single.enumerated() {
            for second in single[index...] {
                var query = IndexQuery(AuditFilter())
                first(&query)
                second(&query)
                let expected = naive.search(query)
                try await expect(log.index, query, expected, pageSize: 97)
            }
        }
    }

    @Test func `random filters over more than one chunk find what reading everything finds`() async throws {
        let log = try SyntheticLog()
        let records = Synthetic.log(70_000, seed: 3)
        try await log.append(records)
        try log.index.catchUp()
        let naive = try Naive(records)
        var generator = Seeded(4)
        for _ in 0..<60 {
            let single = conditions(records, &generator)
            var query = IndexQuery(AuditFilter())
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                made(single.randomElement(using: &generator))(&query)
            }
            let expected = naive.search(query)
            let found = try await log.index.search(query, before: nil, limit: 100)
            #expect(found.count == UInt64(expected.count))
            #expect(found.records.map(\.sequence) == Array(expected.prefix(100)))
            let middle = UInt64.random(in: 0..<70_000, using: &generator)
            let later = try await log.index.search(query, before: middle, limit: 50)
            #expect(later.records.map(\.sequence) == Array(expected.filter { $0 < middle }.prefix(50)))
            #expect(later.count == found.count)
        }
    }

    @Test func `an id finds its use, with the outcome beside it`() async throws {
        let log = try SyntheticLog()
        let time = Synthetic.start
        try await log.append([
            .intent(0, at: time), .intent(1, at: time), .outcome(2, of: 0, at: time, code: 2),
            .refusal(3, at: time), .outcome(4, of: 1, at: time),
        ])
        try log.index.catchUp()
        var query = IndexQuery(AuditFilter())
        query.filter.text = Synthetic.signature(0)
        let found = try await log.index.search(query, before: nil, limit: 10)
        #expect(found.records.map(\.sequence) == [2, 0])
        #expect(found.records.map(\.counterpart) == [0, 2])
        #expect(found.records.map(\.outcome) == [.failed, .failed])
        query.filter.text = "request-3"
        #expect(try await log.index.search(query, before: nil, limit: 10).records.map(\.sequence) == [3])
        query.filter.text = "request-99"
        #expect(try await log.index.search(query, before: nil, limit: 10).count == 0)
    }

    @Test func `words that no record has, empty times and far cursors find nothing and cost nothing`() async throws {
        let log = try SyntheticLog()
        try await log.append(Synthetic.log(500, seed: 5))
        try log.index.catchUp()
        var hostile: [IndexQuery] = []
        for change: (inout AuditFilter) -> Void in [
            { $0.holder = HolderID("nobody") }, { $0.text = "' OR 1=1 --" },
            { $0.from = Instant(milliseconds: .max) }, { $0.to = Instant(milliseconds: .min) },
            { $0.client = ClientID("%") },
        ] {
            var query = IndexQuery(AuditFilter())
            change(&query.filter)
            hostile.append(query)
        }
        hostile.append(IndexQuery(AuditFilter(), clients: []))
        hostile.append(IndexQuery(AuditFilter(), hidden: RecordKind.allCases))
        for query in hostile {
            let found = try await log.index.search(query, before: nil, limit: 100)
            #expect(found.count == 0 && found.records.isEmpty && !found.hasMore)
        }
        let all = IndexQuery(AuditFilter())
        #expect(try await log.index.search(all, before: 0, limit: 100).records.isEmpty)
        #expect(try await log.index.search(all, before: .max, limit: 100).records.count == 100)
        #expect(try await log.index.search(all, before: nil, limit: 100).count == 500)
        var everything = IndexQuery(AuditFilter())
        everything.filter.from = Instant(milliseconds: .min)
        everything.filter.to = Instant(milliseconds: .max)
        everything.filter.kinds = RecordKind.allCases
        #expect(try await log.index.search(everything, before: nil, limit: 1).count == 500)
    }

    private func expect(
        _ index: AuditIndex, _ query: IndexQuery, _ expected: [UInt64], pageSize: Int
    ) async throws {
        let found = try await index.search(query, before: nil, limit: pageSize)
        #expect(found.records.map(\.sequence) == Array(expected.prefix(pageSize)), "\(query)")
        #expect(found.count == UInt64(expected.count), "\(query)")
        #expect(found.hasMore == (expected.count > pageSize))
        guard let last = found.records.last, found.hasMore else { return }
        let next = try await index.search(query, before: last.sequence, limit: pageSize)
        #expect(next.records.map(\.sequence) == Array(expected.dropFirst(pageSize).prefix(pageSize)), "\(query)")
    }

    private typealias Condition = (inout IndexQuery) -> Void

    private func conditions(_ records: [Synthetic], _ generator: inout Seeded) -> [Condition] {
        let holder = HolderID("doctor-\(Int.random(in: 1...12, using: &generator))")
        let client = ClientID("clinic-\(Int.random(in: 1...5, using: &generator))")
        let credential = CredentialID("\(made(holder))-\(made(["a", "b"].randomElement(using: &generator)))")
        let kind = made([RecordKind.intent, .outcome, .refusal, .administration].randomElement(using: &generator))
        let outcome = made(RecordOutcome.allCases.randomElement(using: &generator))
        let form = made(DocumentForm.allCases.randomElement(using: &generator))
        let times = (0..<2).map { _ in made(records.randomElement(using: &generator)).time }
        let (from, to) = (min(times[0], times[1]), max(times[0], times[1]))
        let named = made(records.randomElement(using: &generator)).sequence
        return [
            { $0.filter.holder = holder }, { $0.filter.client = client }, { $0.filter.credential = credential },
            { $0.filter.kinds = [kind] }, { $0.filter.kinds = [kind, .start, .stop] },
            { $0.filter.outcome = outcome }, { $0.filter.form = form }, { $0.filter.failure = .denied },
            { $0.filter.from = from }, { $0.filter.to = to },
            { $0.clients = [made(ClientID("clinic-2")), made(ClientID("clinic-3")), made(ClientID("none"))] },
            { $0.hidden = [kind] }, { $0.filter.text = "request-\(named)" },
        ]
    }
}
