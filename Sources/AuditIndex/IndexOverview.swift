package import CoreProtocol
package import HPKI
import Storage

/// Counts over time as the index has them; names of facilities are the caller's to add.
package struct IndexedCounts: Sendable, Hashable {
    package var from: Instant
    package var buckets: Int
    package var records: UInt64
    package var series: [OverviewFacts.Series]
    package var otherClients: UInt32
    package var otherClientUses: UInt64
    package var anomalies: UInt64
}

extension AuditIndex {
    /// Counts from `from` (rounded down) to `to`, at most `ReviewLimits.buckets` buckets; the rest is cut off.
    package func overview(
        from: Instant, to: Instant, step: OverviewStep
    ) async throws(AuditIndexError) -> IndexedCounts {
        try await read { try IndexOverview(from: from, to: to, step: step, $0).counts() }
    }

    /// How many records fit on each day of Japan from the day of `from` to that of `to`; days without any are left out.
    package func days(
        _ query: IndexQuery, from: Instant, to: Instant
    ) async throws(AuditIndexError) -> [KeyReview.Day] {
        try await read { connection in
            let overview = IndexOverview(from: from, to: to, step: .day, connection)
            let counts = try IndexSearch(query, connection).counts(between: overview.bounds())
            return counts.enumerated().filter { $0.element > 0 }.map {
                KeyReview.Day(start: overview.start(of: $0.offset), uses: $0.element)
            }
        }
    }
}

private struct IndexOverview {
    let from: Instant
    let step: OverviewStep
    let buckets: Int
    let connection: any SQLConnection

    init(from: Instant, to: Instant, step: OverviewStep, _ connection: any SQLConnection) {
        self.from = step.floor(from)
        self.step = step
        self.connection = connection
        let seconds = max(0, min(to.seconds, 253_402_300_799) - self.from.seconds)
        let wanted = (seconds + step.seconds - 1) / step.seconds
        buckets = Int(clamping: min(wanted, Int64(ReviewLimits.buckets)))
    }

    func start(of bucket: Int) -> Instant { from.adding(seconds: Int64(bucket) * step.seconds) }

    private var end: Instant { start(of: buckets) }

    private func bucket(_ start: Int64) -> Int { Int(clamping: (start - from.seconds) / step.seconds) }

    /// The first record of each bucket, and of the one behind the last.
    func bounds() throws -> [Int64] {
        var bounds = [Int64](repeating: -1, count: buckets + 1)
        for row in try connection.query(
            "SELECT start, first FROM bucket WHERE step = $1 AND start >= $2 AND start < $3",
            [.integer(Int64(step.rawValue)), .integer(from.seconds), .integer(end.seconds)])
        {
            let index = bucket(try row.integer("start"))
            if bounds.indices.contains(index) { bounds[index] = try row.integer("first") }
        }
        bounds[buckets] = try IndexTimes.first(at: end, connection)
        for index in bounds.indices.reversed().dropFirst() where bounds[index] < 0 {
            bounds[index] = bounds[index + 1]
        }
        return bounds
    }

    func counts() throws -> IndexedCounts {
        let bounds = try bounds()
        var tallies: [Term: [UInt32]] = [:]
        for row in try connection.query(
            """
            SELECT t.start AS start, t.count AS count, w.dimension AS dimension, w.word AS word
            FROM tally t JOIN word w ON w.id = t.term WHERE t.step = $1 AND t.start >= $2 AND t.start < $3
            """,
            [.integer(Int64(step.rawValue)), .integer(from.seconds), .integer(end.seconds)])
        {
            guard let dimension = Dimension(rawValue: try row.integer("dimension")) else { continue }
            let index = bucket(try row.integer("start"))
            guard (0..<buckets).contains(index) else { continue }
            tallies[Term(dimension, try row.text("word")), default: Array(repeating: 0, count: buckets)][index] +=
                UInt32(clamping: try row.integer("count"))
        }
        var series = tallies.compactMap { term, counts in Self.series(term, counts) }
        let clients = try clients(bounds)
        series += clients.series
        series.sort {
            ($0.dimension.rawValue, $1.total, $0.name) < ($1.dimension.rawValue, $0.total, $1.name)
        }
        let anomalies = try connection.queryOne(
            "SELECT COUNT(*) AS n FROM anomaly WHERE began >= $1 AND began < $2",
            [.integer(from.milliseconds), .integer(end.milliseconds)]
        )?.integer("n")
        return IndexedCounts(
            from: from, buckets: buckets, records: UInt64(clamping: (bounds.last ?? 0) - (bounds.first ?? 0)),
            series: Array(series.prefix(ReviewLimits.series)), otherClients: clients.others,
            otherClientUses: clients.otherUses, anomalies: UInt64(clamping: anomalies ?? 0))
    }

    private static func series(_ term: Term, _ counts: [UInt32]) -> OverviewFacts.Series? {
        let dimension: OverviewFacts.Dimension
        let name: String?
        switch term.dimension {
        case .kind: (dimension, name) = (.kind, UInt16(term.word).flatMap(RecordKind.init)?.name)
        case .outcome: (dimension, name) = (.outcome, UInt16(term.word).flatMap(RecordOutcome.init)?.name)
        case .form: (dimension, name) = (.form, term.word)
        case .failure: (dimension, name) = (.failure, term.word)
        case .client, .holder, .credential, .authority: return nil
        }
        guard let name else { return nil }
        return OverviewFacts.Series(
            dimension: dimension, name: name, facility: nil, total: counts.reduce(0) { $0 + UInt64($1) },
            counts: counts)
    }

    // MARK: Client systems

    /// The client systems with the most uses as series, and how many others there are.
    private func clients(
        _ bounds: [Int64]
    ) throws -> (series: [OverviewFacts.Series], others: UInt32, otherUses: UInt64) {
        guard let low = bounds.first, let high = bounds.last, low < high else { return ([], 0, 0) }
        let width = Int64(PostingSet.width)
        var totals: [Int64: UInt64] = [:]
        // Whole chunks by their counts, the two at the ends by their records.
        let whole = try connection.query(
            "SELECT term, SUM(count) AS count FROM client_use WHERE chunk >= $1 AND chunk < $2 GROUP BY term",
            [.integer((low + width - 1) / width), .integer(high / width)])
        for row in whole { totals[try row.integer("term")] = UInt64(clamping: try row.integer("count")) }
        var ends: Set<Int64> = []
        if low % width != 0 { ends.insert(low / width) }
        if high % width != 0 { ends.insert(high / width) }
        for chunk in ends {
            let start = chunk * width
            let places = Int(max(low - start, 0))..<Int(min(high - start, width))
            let some = try connection.query("SELECT term, places FROM client_use WHERE chunk = $1", [.integer(chunk)])
            for row in some {
                let count = try PostingSet(try row.blob("places")).count(in: places)
                if count > 0 { totals[try row.integer("term"), default: 0] += UInt64(count) }
            }
        }
        let ranked = totals.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        var series: [OverviewFacts.Series] = []
        for (term, total) in ranked.prefix(ReviewLimits.clients) {
            guard let word = try WordTable.word(term, connection) else { continue }
            series.append(
                OverviewFacts.Series(
                    dimension: .client, name: word.word, facility: nil, total: total,
                    counts: try IndexSearch(usesOf: term, connection).counts(between: bounds)))
        }
        let others = ranked.dropFirst(ReviewLimits.clients)
        return (series, UInt32(clamping: others.count), others.reduce(0) { $0 + $1.value })
    }
}
