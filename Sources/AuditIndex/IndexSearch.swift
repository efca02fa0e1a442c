package import CoreProtocol
package import HPKI
import Storage

/// The records that a search found.
package struct FoundRecords: Sendable, Hashable {
    /// One record with what only the index knows of it.
    package struct Found: Sendable, Hashable {
        package let sequence: UInt64
        /// The outcome of an intent, the intent of an outcome.
        package let counterpart: UInt64?
        /// How the use ended, of an intent too.
        package let outcome: RecordOutcome?

        /// A record of which the index may know nothing.
        package init(sequence: UInt64, counterpart: UInt64?, outcome: RecordOutcome?) {
            self.sequence = sequence
            self.counterpart = counterpart
            self.outcome = outcome
        }

        init(_ line: IndexLine) {
            self.init(
                sequence: UInt64(clamping: line.sequence), counterpart: line.counterpart.map { UInt64(clamping: $0) },
                outcome: RecordOutcome(rawValue: UInt16(clamping: line.outcome)))
        }
    }

    /// Newest first.
    package let records: [Found]
    /// Whether there are older ones.
    package let hasMore: Bool
    /// How many there are, on all pages.
    package let count: UInt64
}

/// What a search asks for, in the index's own terms.
package struct IndexQuery: Sendable, Hashable {
    package var filter: AuditFilter
    /// Any of these client systems, besides the filter's own; nil for no such condition.
    package var clients: [ClientID]?
    /// Kinds that are never found.
    package var hidden: [RecordKind]

    /// A query; at most 64 client systems are looked at.
    package init(_ filter: AuditFilter, clients: [ClientID]? = nil, hidden: [RecordKind] = []) {
        self.filter = filter
        self.clients = clients
        self.hidden = hidden
    }
}

extension AuditIndex {
    /// At most `limit` records that fit, newest first, those before the sequence `before` alone.
    ///
    /// The work is bounded for any query: at most the lists of its terms are read once. Throws `.away` and others.
    package func search(
        _ query: IndexQuery, before: UInt64?, limit: Int
    ) async throws(AuditIndexError) -> FoundRecords {
        try await read { connection in
            let search = try IndexSearch(query, connection)
            return try search.page(before: before.map { Int64(clamping: $0) } ?? .max, limit: limit)
        }
    }

    /// What only the index knows of one record; nil where it has not got that far.
    package func found(_ sequence: UInt64) async throws(AuditIndexError) -> FoundRecords.Found? {
        try await read { connection in
            try IndexLine.read(Int64(clamping: sequence), connection).map(FoundRecords.Found.init)
        }
    }
}

/// One search on one snapshot.
struct IndexSearch {
    private let connection: any SQLConnection
    private var postings = Posting.all
    /// A record has one term of each of these; nil where a term is no record's.
    private var clauses: [[Int64]]?
    private var hidden: [Int64] = []
    /// The records of the filter's time.
    private(set) var range: Range<Int64>
    /// The only records that may fit, where an id was asked for.
    private var candidates: [Int64]?
    private static let clientLimit = 64
    private static let candidateLimit = 1000
    private static let width = Int64(PostingSet.width)

    init(_ query: IndexQuery, _ connection: any SQLConnection) throws {
        self.connection = connection
        let filter = query.filter
        let end = try IndexTimes.end(connection)
        let low = try filter.from.map { try IndexTimes.first(at: $0, connection) } ?? 0
        let high = try filter.to.map { try IndexTimes.first(at: $0, connection) } ?? end
        range = low..<max(low, high)
        var clauses: [[Int64]]? = []
        func require(_ terms: [Term]) throws {
            let ids = try terms.compactMap { try WordTable.known($0, connection) }
            if ids.isEmpty { clauses = nil } else { clauses?.append(ids) }
        }
        if let holder = filter.holder { try require([Term(.holder, holder.description)]) }
        if let credential = filter.credential { try require([Term(.credential, credential.description)]) }
        if let client = filter.client { try require([Term(.client, client.description)]) }
        if let clients = query.clients {
            try require(clients.prefix(Self.clientLimit).map { Term(.client, $0.description) })
        }
        // What few records have comes first: most chunks are then left at the first step.
        if let failure = filter.failure { try require([Term(.failure, failure.rawValue)]) }
        if let outcome = filter.outcome { try require([Term(.outcome, "\(outcome.rawValue)")]) }
        if let form = filter.form { try require([Term(.form, form.rawValue)]) }
        if !filter.kinds.isEmpty { try require(Set(filter.kinds).map { Term(.kind, "\($0.rawValue)") }) }
        self.clauses = clauses
        hidden = try query.hidden.compactMap { try WordTable.known(Term(.kind, "\($0.rawValue)"), connection) }
        if let text = filter.text { candidates = try Self.named(text, connection) }
    }

    /// All intents of one client system.
    init(usesOf client: Int64, _ connection: any SQLConnection) throws {
        self.connection = connection
        postings = .clientUses
        clauses = [[client]]
        range = 0..<(try IndexTimes.end(connection))
    }

    /// The records that carry an id, with the outcomes of intents that do.
    private static func named(_ text: String, _ connection: any SQLConnection) throws -> [Int64] {
        var found: Set<Int64> = []
        for chunk in try IndexTimes.chunks(connection).reversed() where found.count < candidateLimit {
            let rows = try connection.query(
                """
                SELECT n.sequence AS sequence, e.counterpart AS counterpart FROM name n
                JOIN entry e ON e.sequence = n.sequence WHERE n.chunk = $1 AND n.name = $2
                ORDER BY n.sequence DESC LIMIT $3
                """,
                [.integer(chunk), .integer(IndexLine.name(text)), .integer(Int64(candidateLimit))])
            for row in rows {
                found.insert(try row.integer("sequence"))
                if let counterpart = try row.optionalInteger("counterpart") { found.insert(counterpart) }
            }
        }
        return found.sorted(by: >)
    }

    // MARK: One page

    /// At most `limit` records before `before`, and how many there are besides.
    func page(before: Int64, limit: Int) throws -> FoundRecords {
        guard let clauses else { return FoundRecords(records: [], hasMore: false, count: 0) }
        var found: [Int64] = []
        var count = 0
        if let candidates {
            for sequence in candidates where range.contains(sequence) {
                guard try fits(sequence, clauses) else { continue }
                count += 1
                if sequence < before, found.count <= limit { found.append(sequence) }
            }
        } else {
            for chunk in chunks.reversed() {
                let places = places(of: chunk)
                let start = chunk * Self.width
                let isFull = found.count > limit || start >= before
                // What is whole and no longer shown need not be read.
                if isFull, places == 0..<PostingSet.width, let known = try known(chunk, clauses) {
                    count += known
                    continue
                }
                let set = try set(chunk, clauses).clipped(to: places)
                count += set.count
                guard !isFull, set.count > 0 else { continue }
                for place in set.ascending().reversed() {
                    guard found.count <= limit else { break }
                    if start + Int64(place) < before { found.append(start + Int64(place)) }
                }
            }
        }
        return FoundRecords(
            records: try found.prefix(limit).map(record), hasMore: found.count > limit, count: UInt64(count))
    }

    private func record(_ sequence: Int64) throws -> FoundRecords.Found {
        guard let line = try IndexLine.read(sequence, connection) else {
            throw AuditIndexError.damaged("record \(sequence) is in a list and has no row")
        }
        return FoundRecords.Found(line)
    }

    /// The chunks of the range.
    private var chunks: Range<Int64> {
        range.isEmpty ? 0..<0 : range.lowerBound / Self.width..<(range.upperBound - 1) / Self.width + 1
    }

    /// How many records of a whole chunk fit, where a count alone says it; nil where sets must be read.
    private func known(_ chunk: Int64, _ clauses: [[Int64]]) throws -> Int? {
        guard hidden.isEmpty else { return nil }
        guard let terms = clauses.first else { return PostingSet.width }
        guard clauses.count == 1, terms.count == 1 else { return nil }
        return try postings.count(term: terms[0], chunk: chunk, connection)
    }

    private func set(_ chunk: Int64, _ clauses: [[Int64]]) throws -> PostingSet {
        var result: PostingSet?
        for terms in clauses {
            var any: PostingSet?
            for term in terms {
                guard let set = try postings.read(term: term, chunk: chunk, connection) else { continue }
                any = any?.union(set) ?? set
            }
            guard let any else { return PostingSet() }
            result = result?.intersection(any) ?? any
            if result?.count == 0 { return PostingSet() }
        }
        var set = result ?? .all
        for term in hidden {
            if let other = try postings.read(term: term, chunk: chunk, connection) { set = set.subtracting(other) }
        }
        return set
    }

    private func fits(_ sequence: Int64, _ clauses: [[Int64]]) throws -> Bool {
        let place = UInt16(truncatingIfNeeded: sequence % Self.width)
        func has(_ term: Int64) throws -> Bool {
            try postings.read(term: term, chunk: sequence / Self.width, connection)?.contains(place) ?? false
        }
        for terms in clauses where try !terms.contains(where: has) { return false }
        return try !hidden.contains(where: has)
    }

    /// The places of a chunk that are in the range.
    private func places(of chunk: Int64) -> Range<Int> {
        let start = chunk * Self.width
        let low = min(max(range.lowerBound - start, 0), Self.width)
        let high = min(max(range.upperBound - start, 0), Self.width)
        return Int(low)..<Int(max(low, high))
    }

    // MARK: Counting over time

    /// How many records fit in each of the ranges between `bounds`, which ascend.
    func counts(between bounds: [Int64]) throws -> [UInt32] {
        guard let clauses, bounds.count > 1 else { return Array(repeating: 0, count: max(0, bounds.count - 1)) }
        var counts = [UInt32](repeating: 0, count: bounds.count - 1)
        for chunk in chunks where (chunk + 1) * Self.width > bounds[0] {
            let start = chunk * Self.width
            guard start < bounds[bounds.count - 1] else { break }
            let set = try set(chunk, clauses)
            guard set.count > 0 else { continue }
            for index in counts.indices {
                let low = min(max(bounds[index] - start, 0), Self.width)
                let high = min(max(bounds[index + 1] - start, 0), Self.width)
                guard low < high else { continue }
                counts[index] += UInt32(clamping: set.count(in: Int(low)..<Int(high)))
            }
        }
        return counts
    }
}

/// From moments to records: times never go back in the log.
enum IndexTimes {
    /// The number behind the newest record.
    static func end(_ connection: any SQLConnection) throws -> Int64 {
        try connection.queryOne("SELECT next FROM state WHERE id = 1")?.integer("next") ?? 0
    }

    /// The numbers of all chunks.
    static func chunks(_ connection: any SQLConnection) throws -> Range<Int64> {
        let width = Int64(PostingSet.width)
        return 0..<(try end(connection) + width - 1) / width
    }

    /// The first record at `moment` or later; the end of the index where there is none.
    static func first(at moment: Instant, _ connection: any SQLConnection) throws -> Int64 {
        let hour = OverviewStep.hour.floor(moment).seconds
        let row = try connection.queryOne(
            "SELECT start, first, count FROM bucket WHERE step = 1 AND start >= $1 ORDER BY start LIMIT 1",
            [.integer(hour)])
        guard let row else { return try end(connection) }
        var low = try row.integer("first")
        guard try row.integer("start") == hour else { return low }
        var high = low + (try row.integer("count"))
        while low < high {
            let middle = low + (high - low) / 2
            guard let line = try IndexLine.read(middle, connection) else {
                throw AuditIndexError.damaged("record \(middle) has no row")
            }
            if line.time < moment.milliseconds { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
