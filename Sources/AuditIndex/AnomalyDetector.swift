import CoreProtocol
import HPKI
import Storage

/// From when on something is worth a look; chosen for one prescriber or pharmacist at work, not for a ward.
package enum AnomalyBounds {
    /// Intents of one holder within `burstSeconds`; more are a burst.
    package static let burst = 30
    /// 10 minutes.
    package static let burstSeconds: Int64 = 600
    /// Refusals of one holder or authority within an hour; so many are worth a look.
    package static let refusals = 5
    /// Up to this hour in Japan, from 0 o'clock, it is night.
    package static let nightEnds: Int64 = 5
}

/// Watches the records go by and notes what its rules raise; the same log gives the same anomalies.
struct AnomalyDetector {
    /// Times and numbers of each holder's intents within the last 10 minutes, oldest first.
    private var intents: [Int64: [Mark]] = [:]
    /// The same of refusals within the last hour, by holder or authority.
    private var refusals: [Int64: [Mark]] = [:]
    /// When the two above were last rid of those who did nothing lately.
    private var sweptAt: Int64 = .min

    private struct Mark {
        let time: Int64
        let sequence: Int64
    }

    init() {}

    /// Remembers the last hour before the record `next`.
    init(before next: UInt64, _ connection: any SQLConnection) throws {
        let next = Int64(clamping: next)
        guard let newest = try IndexLine.read(next - 1, connection) else { return }
        let start = newest.time - 3_600_000
        var sequence = next
        var lines: [IndexLine] = []
        // What is dropped beyond the bound could only lengthen what has been raised already.
        while lines.count < 200_000 {
            let rows = try connection.query(
                """
                SELECT \(IndexLine.columns) FROM entry WHERE sequence < $1 AND time > $2
                ORDER BY sequence DESC LIMIT 1000
                """,
                [.integer(sequence), .integer(start)])
            for row in rows { lines.append(try IndexLine(row)) }
            guard rows.count == 1000, let last = lines.last else { break }
            sequence = last.sequence
        }
        for line in lines.reversed() { remember(line) }
    }

    private mutating func remember(_ line: IndexLine) {
        let mark = Mark(time: line.time, sequence: line.sequence)
        switch RecordKind(rawValue: UInt16(clamping: line.kind)) {
        case .intent:
            guard let holder = line.holder else { return }
            intents[holder, default: []].append(mark)
        case .refusal:
            guard let subject = line.holder ?? line.party else { return }
            refusals[subject, default: []].append(mark)
        default: return
        }
    }

    /// Looks at the record that comes next.
    mutating func note(_ line: IndexLine, _ connection: any SQLConnection) throws {
        sweep(line.time)
        remember(line)
        switch RecordKind(rawValue: UInt16(clamping: line.kind)) {
        case .intent: try noteIntent(line, connection)
        case .refusal:
            guard let subject = line.holder ?? line.party else { return }
            let recent = Self.recent(&refusals[subject, default: []], since: line.time - 3_600_000)
            guard recent.count >= AnomalyBounds.refusals else { return }
            try extendOrRaise(.refusals, subject, client: nil, recent, bound: AnomalyBounds.refusals, connection)
        case .outcome:
            guard line.outcome != Int64(RecordOutcome.signed.rawValue) else { return }
            let rule: AnomalyRule =
                line.outcome == Int64(RecordOutcome.failed.rawValue) ? .failedOutcome : .unknownOutcome
            let hour = OverviewStep.hour.floor(Instant(milliseconds: line.time)).milliseconds
            try extendOrRaise(rule, line.holder ?? 0, client: line.client, line, since: hour, connection)
        default: return
        }
    }

    private mutating func noteIntent(_ line: IndexLine, _ connection: any SQLConnection) throws {
        guard let holder = line.holder else { return }
        let recent = Self.recent(
            &intents[holder, default: []], since: line.time - AnomalyBounds.burstSeconds * 1000)
        if recent.count > AnomalyBounds.burst {
            try extendOrRaise(.burst, holder, client: nil, recent, bound: AnomalyBounds.burst, connection)
        }
        let midnight = OverviewStep.day.floor(Instant(milliseconds: line.time))
        if line.time < midnight.adding(seconds: AnomalyBounds.nightEnds * 3600).milliseconds {
            try extendOrRaise(.oddHours, holder, client: nil, line, since: midnight.milliseconds, connection)
        }
        guard let client = line.client else { return }
        let isNew =
            try connection.execute(
                "INSERT INTO pair (holder, client, first) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                [.integer(holder), .integer(client), .integer(line.sequence)]) == 1
        guard isNew,
            try connection.queryOne(
                "SELECT client FROM pair WHERE holder = $1 AND client <> $2 LIMIT 1",
                [.integer(holder), .integer(client)]) != nil
        else { return }
        try raise(.newClient, holder, client: client, [Mark(time: line.time, sequence: line.sequence)], 1, connection)
    }

    /// Forgets, once an hour, who did nothing within the last one.
    private mutating func sweep(_ now: Int64) {
        guard sweptAt == .min || now - sweptAt > 3_600_000 else { return }
        sweptAt = now
        intents = intents.filter { ($0.value.last?.time ?? .min) > now - 3_600_000 }
        refusals = refusals.filter { ($0.value.last?.time ?? .min) > now - 3_600_000 }
    }

    private static func recent(_ marks: inout [Mark], since start: Int64) -> [Mark] {
        if let first = marks.first, first.time <= start { marks.removeAll { $0.time <= start } }
        return marks
    }

    // MARK: The table

    /// Lengthens the subject's last anomaly of the rule where it reaches into `recent`; otherwise raises one of them.
    private func extendOrRaise(
        _ rule: AnomalyRule, _ subject: Int64, client: Int64?, _ recent: [Mark], bound: Int,
        _ connection: any SQLConnection
    ) throws {
        guard let first = recent.first, let last = recent.last else { return }
        if let open = try Self.newest(rule, subject, connection), open.last >= first.sequence {
            return try extend(open, by: last, connection)
        }
        try raise(rule, subject, client: client, recent, bound, connection)
    }

    /// Lengthens the subject's last anomaly of the rule where it began at `start` or later; otherwise raises one.
    private func extendOrRaise(
        _ rule: AnomalyRule, _ subject: Int64, client: Int64?, _ line: IndexLine, since start: Int64,
        _ connection: any SQLConnection
    ) throws {
        let mark = Mark(time: line.time, sequence: line.sequence)
        if let open = try Self.newest(rule, subject, connection), open.began >= start {
            return try extend(open, by: mark, connection)
        }
        try raise(rule, subject, client: client, [mark], 1, connection)
    }

    private typealias Open = (id: Int64, began: Int64, last: Int64, count: Int64, records: [UInt8])

    private static func newest(
        _ rule: AnomalyRule, _ subject: Int64, _ connection: any SQLConnection
    ) throws -> Open? {
        let row = try connection.queryOne(
            """
            SELECT id, began, last, count, records FROM anomaly WHERE subject = $1 AND rule = $2
            ORDER BY id DESC LIMIT 1
            """,
            [.integer(subject), .text(rule.rawValue)])
        guard let row else { return nil }
        return (
            try row.integer("id"), try row.integer("began"), try row.integer("last"), try row.integer("count"),
            try row.blob("records")
        )
    }

    private func extend(_ open: Open, by mark: Mark, _ connection: any SQLConnection) throws {
        var records = try AnomalyRecords(open.records)
        records.add(UInt64(clamping: mark.sequence))
        try connection.execute(
            "UPDATE anomaly SET ended = $2, last = $3, count = $4, records = $5 WHERE id = $1",
            [
                .integer(open.id), .integer(mark.time), .integer(mark.sequence), .integer(open.count + 1),
                .blob(records.bytes),
            ])
    }

    private func raise(
        _ rule: AnomalyRule, _ subject: Int64, client: Int64?, _ marks: [Mark], _ bound: Int,
        _ connection: any SQLConnection
    ) throws {
        guard let first = marks.first, let last = marks.last else { return }
        var records = AnomalyRecords()
        for mark in marks { records.add(UInt64(clamping: mark.sequence)) }
        try connection.execute(
            """
            INSERT INTO anomaly (rule, began, ended, subject, client, count, bound, first, last, records)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """,
            [
                .text(rule.rawValue), .integer(first.time), .integer(last.time), .integer(subject),
                .integer(optional: client), .integer(Int64(marks.count)), .integer(Int64(bound)),
                .integer(first.sequence), .integer(last.sequence), .blob(records.bytes),
            ])
    }
}

/// The first records of an anomaly.
struct AnomalyRecords {
    private(set) var sequences: [UInt64] = []

    init() {}

    /// Reads what `bytes` gave; throws `.damaged` for anything else.
    init(_ bytes: [UInt8]) throws(AuditIndexError) {
        do {
            var reader = WireReader(bytes)
            sequences = try reader.list(atMost: ReviewLimits.anomalyRecords) { (reader) throws(WireError) in
                try reader.integer()
            }
            try reader.end()
        } catch { throw .damaged("the records of an anomaly cannot be read") }
    }

    mutating func add(_ sequence: UInt64) {
        if sequences.count < ReviewLimits.anomalyRecords { sequences.append(sequence) }
    }

    var bytes: [UInt8] {
        var writer = WireWriter()
        writer.list(sequences) { $0.integer($1) }
        return writer.bytes
    }
}
