import CoreProtocol
import HPKI
import Storage

/// One row of the table of records, with words by their numbers.
struct IndexLine: Sendable, Hashable {
    let sequence: Int64
    /// Milliseconds.
    let time: Int64
    let kind: Int64
    /// The code of an outcome; of an intent that of its outcome, 0 while there is none.
    var outcome: Int64
    var counterpart: Int64?
    var holder: Int64?
    var credential: Int64?
    var client: Int64?
    var form: Int64?
    var failure: Int64?
    var party: Int64?
    let signatureName: Int64?
    let requestName: Int64?
    let isErased: Bool

    init(_ record: IndexedRecord, isErased: Bool) {
        sequence = Int64(clamping: record.sequence)
        time = record.time.milliseconds
        kind = Int64(record.kind?.rawValue ?? 0)
        outcome = Int64(record.outcome?.rawValue ?? 0)
        counterpart = record.intent.map { Int64(clamping: $0) }
        // An outcome is found beside its intent.
        signatureName = record.kind == .outcome ? nil : record.signature.map { Self.name($0.description) }
        requestName = record.request.map(Self.name)
        self.isErased = isErased
    }

    init(_ row: SQLRow) throws(StorageError) {
        sequence = try row.integer("sequence")
        time = try row.integer("time")
        kind = try row.integer("kind")
        outcome = try row.integer("outcome")
        counterpart = try row.optionalInteger("counterpart")
        holder = try row.optionalInteger("holder")
        credential = try row.optionalInteger("credential")
        client = try row.optionalInteger("client")
        form = try row.optionalInteger("form")
        failure = try row.optionalInteger("failure")
        party = try row.optionalInteger("party")
        signatureName = try row.optionalInteger("signature_name")
        requestName = try row.optionalInteger("request_name")
        isErased = try row.integer("erased") != 0
    }

    static let columns =
        """
        sequence, time, kind, outcome, counterpart, holder, credential, client, form, failure, party, signature_name,
        request_name, erased
        """

    /// The line of one record; nil where the index has none.
    static func read(_ sequence: Int64, _ connection: any SQLConnection) throws(StorageError) -> IndexLine? {
        let row = try connection.queryOne("SELECT \(columns) FROM entry WHERE sequence = $1", [.integer(sequence)])
        guard let row else { return nil }
        return try IndexLine(row)
    }

    /// What an id is looked up by: 8 bytes of its SHA-256; the record then says whether it is the very id.
    static func name(_ text: String) -> Int64 {
        var value: UInt64 = 0
        for byte in Digest(of: Array(text.utf8)).bytes.prefix(8) { value = value << 8 | UInt64(byte) }
        return Int64(bitPattern: value)
    }
}

/// What a batch of records changes, gathered so that each row of the file is touched once.
struct IndexBatch {
    private var lines: [Int64: IndexLine] = [:]
    private var order: [Int64] = []
    private var places: [Place: [UInt16]] = [:]
    private var uses: [Place: [UInt16]] = [:]
    private var tallies: [Tally: Int64] = [:]
    private var buckets: [Bucket: (first: Int64, count: Int64)] = [:]
    private var extras: [(sequence: Int64, term: Int64)] = []

    private struct Place: Hashable {
        let term: Int64
        let chunk: Int64
    }

    private struct Bucket: Hashable {
        let step: Int64
        let start: Int64
    }

    private struct Tally: Hashable {
        let bucket: Bucket
        let term: Int64
    }

    /// Ties an outcome to its intent, both ways; the outcome has the intent's holder, key, client system and form.
    mutating func close(_ intent: UInt64, by outcome: inout IndexLine, _ connection: any SQLConnection) throws {
        let sequence = Int64(clamping: intent)
        let use: IndexLine?
        if var line = lines[sequence] {
            line.counterpart = outcome.sequence
            line.outcome = outcome.outcome
            lines[sequence] = line
            use = line
        } else {
            use = try IndexLine.read(sequence, connection)
            try connection.execute(
                "UPDATE entry SET counterpart = $2, outcome = $3 WHERE sequence = $1",
                [.integer(sequence), .integer(outcome.sequence), .integer(outcome.outcome)])
        }
        guard let use, !outcome.isErased else { return }
        outcome.holder = use.holder
        outcome.credential = use.credential
        outcome.client = use.client
        outcome.form = use.form
    }

    /// Takes a record with the terms it has, and those of them that are counted for each hour and day.
    mutating func add(_ line: IndexLine, terms: [Int64], counted: [Int64], extra: [Int64]) {
        lines[line.sequence] = line
        order.append(line.sequence)
        let width = Int64(PostingSet.width)
        let place = UInt16(truncatingIfNeeded: line.sequence % width)
        for term in Set(terms) { places[Place(term: term, chunk: line.sequence / width), default: []].append(place) }
        for step in OverviewStep.allCases {
            let start = step.floor(Instant(milliseconds: line.time)).seconds
            let bucket = Bucket(step: Int64(step.rawValue), start: start)
            let (first, count) = buckets[bucket] ?? (line.sequence, 0)
            buckets[bucket] = (first, count + 1)
            for term in counted { tallies[Tally(bucket: bucket, term: term), default: 0] += 1 }
        }
        for term in extra { extras.append((line.sequence, term)) }
    }

    /// Counts an intent for its client system: what the overview ranks by.
    mutating func noteUse(_ line: IndexLine) {
        guard let client = line.client else { return }
        let (chunk, place) = line.sequence.quotientAndRemainder(dividingBy: Int64(PostingSet.width))
        uses[Place(term: client, chunk: chunk), default: []].append(UInt16(truncatingIfNeeded: place))
    }

    /// Writes all of it.
    func flush(_ connection: any SQLConnection) throws {
        for sequence in order { if let line = lines[sequence] { try insert(line, connection) } }
        for (sequence, term) in extras {
            try connection.execute(
                "INSERT INTO extra (sequence, term) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                [.integer(sequence), .integer(term)])
        }
        for (place, new) in places {
            try Posting.all.insert(new, term: place.term, chunk: place.chunk, connection)
        }
        for (place, new) in uses {
            try Posting.clientUses.insert(new, term: place.term, chunk: place.chunk, connection)
        }
        for (bucket, value) in buckets {
            try connection.execute(
                """
                INSERT INTO bucket (step, start, first, count) VALUES ($1, $2, $3, $4)
                ON CONFLICT (step, start) DO UPDATE SET count = count + excluded.count
                """,
                [.integer(bucket.step), .integer(bucket.start), .integer(value.first), .integer(value.count)])
        }
        for (tally, count) in tallies {
            try connection.execute(
                """
                INSERT INTO tally (step, start, term, count) VALUES ($1, $2, $3, $4)
                ON CONFLICT (step, start, term) DO UPDATE SET count = count + excluded.count
                """,
                [.integer(tally.bucket.step), .integer(tally.bucket.start), .integer(tally.term), .integer(count)])
        }
    }

    private func insert(_ line: IndexLine, _ connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO entry (\(IndexLine.columns))
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            """,
            [
                .integer(line.sequence), .integer(line.time), .integer(line.kind), .integer(line.outcome),
                .integer(optional: line.counterpart), .integer(optional: line.holder),
                .integer(optional: line.credential), .integer(optional: line.client), .integer(optional: line.form),
                .integer(optional: line.failure), .integer(optional: line.party),
                .integer(optional: line.signatureName), .integer(optional: line.requestName),
                .integer(line.isErased ? 1 : 0),
            ])
        for name in [line.signatureName, line.requestName].compactMap({ $0 }) {
            try connection.execute(
                "INSERT INTO name (chunk, name, sequence) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                [.integer(line.sequence / Int64(PostingSet.width)), .integer(name), .integer(line.sequence)])
        }
    }
}
