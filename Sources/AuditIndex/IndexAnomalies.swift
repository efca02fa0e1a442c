package import CoreProtocol
package import HPKI
import Storage

extension AuditIndex {
    /// At most `limit` anomalies that began from `from` to `to` (not included) with a lower id than `before`, newest
    /// first, and whether there are more.
    package func anomalies(
        from: Instant, to: Instant, before: UInt64?, limit: Int
    ) async throws(AuditIndexError) -> (anomalies: [Anomaly], hasMore: Bool) {
        try await read { connection in
            let rows = try connection.query(
                """
                SELECT id, rule, began, ended, subject, client, count, bound, records FROM anomaly
                WHERE id < $1 AND began >= $2 AND began < $3 ORDER BY id DESC LIMIT $4
                """,
                [
                    .integer(before.map { Int64(clamping: $0) } ?? .max), .integer(from.milliseconds),
                    .integer(to.milliseconds), .integer(Int64(limit) + 1),
                ])
            return (try rows.prefix(limit).map { try anomaly($0, connection) }, rows.count > limit)
        }
    }
}

private func anomaly(_ row: SQLRow, _ connection: any SQLConnection) throws -> Anomaly {
    guard let rule = AnomalyRule(rawValue: try row.text("rule")) else {
        throw AuditIndexError.damaged("an anomaly has a rule that is none")
    }
    let subject = try WordTable.word(try row.integer("subject"), connection)
    let client = try row.optionalInteger("client").flatMap { try WordTable.word($0, connection) }
    let count = UInt64(clamping: try row.integer("count"))
    let bound = UInt32(clamping: try row.integer("bound"))
    return Anomaly(
        id: UInt64(clamping: try row.integer("id")), rule: rule,
        from: Instant(milliseconds: try row.integer("began")), to: Instant(milliseconds: try row.integer("ended")),
        holder: subject?.dimension == .holder ? subject.flatMap { HolderID($0.word) } : nil,
        client: client.flatMap { ClientID($0.word) }, count: count, limit: bound,
        records: try AnomalyRecords(try row.blob("records")).sequences,
        words: words(rule, count, bound))
}

private func words(_ rule: AnomalyRule, _ count: UInt64, _ bound: UInt32) -> String {
    switch rule {
    case .burst: "\(count) uses of one holder's keys in a row of more than \(bound) within 10 minutes"
    case .oddHours: "\(count) uses of one holder's keys between 0 and \(AnomalyBounds.nightEnds) o'clock in Japan"
    case .newClient: "a client system that this holder, who used others before, had never used"
    case .refusals: "\(count) refusals of one caller, \(bound) or more of them within an hour"
    case .failedOutcome: "\(count) uses of one holder's keys that failed within an hour"
    case .unknownOutcome: "\(count) uses of one holder's keys within an hour of which nobody knows how they ended"
    }
}
