package import Audit
package import CoreProtocol
package import HPKI
package import Storage

/// Erases what identifies persons out of the log's details, a bounded part of the log at a time.
///
/// The leaves stay, and with them the tree and every proof. A part is one entry of the log, which tells of it and is
/// committed with it.
package struct Erasure: Sendable {
    /// How much one part is: reading is beside the writer; what is erased is in signatures' way, for a few milliseconds.
    package struct Bounds: Sendable, Hashable {
        package let scanned: Int
        package let erased: Int

        /// At most so many records looked at, and so many details erased.
        package init(scanned: Int = 2048, erased: Int = 256) {
            self.scanned = scanned
            self.erased = erased
        }
    }

    let database: Database
    let log: AuditLog
    let retention: Retention
    let clock: WallClock
    let bounds: Bounds

    /// An erasure in the log that `log` writes.
    package init(
        database: Database, log: AuditLog, retention: Retention, clock: WallClock, bounds: Bounds = Bounds()
    ) {
        self.database = database
        self.log = log
        self.retention = retention
        self.clock = clock
        self.bounds = bounds
    }

    /// Does the next part of an order, or counts it; throws what is wrong with the order or the one record it names.
    package func callAsFunction(_ order: ErasureOrder) async throws(Failure) -> ErasureFacts {
        try check(order)
        let scan = ErasureScan(order: order, retention: retention, now: clock.now(), bounds: bounds)
        let found: ErasureScan.Found
        do {
            found = try await database.read { connection in
                var scan = scan
                return try scan.run(in: connection)
            }
        } catch {
            if case .notDone(let failure as Failure) = error { throw failure }
            throw Failure(.auditUnavailable, "The log cannot be read at present.", retryAfter: 5, cause: "\(error)")
        }
        var facts = found.facts
        guard !order.isDryRun else { return facts }
        if !found.due.isEmpty {
            let record = ErasureRecord(
                found.due, ground: order.ground ?? ErasureRecord.expired, archived: order.archived)
            let numbers = found.due.map(\.sequence)
            do {
                try await log.erase(record) { connection, _ in
                    try SignatureStore.erase(intents: numbers, in: connection)
                }
            } catch { throw error.failure }
        }
        if facts.next == nil { facts.isJournalEmpty = await forget() }
        return facts
    }

    private func check(_ order: ErasureOrder) throws(Failure) {
        if let ground = order.ground, !ErasureRecord.isGround(ground) {
            throw Failure(
                .malformedRequest, "A ground is a code of at most 64 lower-case letters, digits and hyphens.")
        }
        switch order.scope {
        case .expired where order.ground != nil:
            throw Failure(.malformedRequest, "What has been kept for long enough needs no ground.")
        case .holder where order.ground == nil:
            throw Failure(.malformedRequest, "Erasing what names a holder needs a ground.")
        default: break
        }
    }

    /// Takes the erased bytes out of the write-ahead log; readers are in the way for a moment, as a rule.
    private func forget() async -> Bool {
        for _ in 0..<20 {
            if await database.emptyJournal() { return true }
            try? await Task.sleep(for: .milliseconds(100))
        }
        return false
    }
}
