internal import Dispatch
package import HPKI
import Host
package import Storage
internal import Synchronization
import Transparency

/// The one writer of the audit log.
///
/// Entries wait in a queue; one dedicated thread takes all that wait, writes them in one transaction, stores the new
/// head, and only then answers, so that concurrent requests share one commit and nobody is answered before the head
/// is durable. After any failed write the log stops for good: core ends, and its next start verifies everything.
package final class AuditLog: Sendable {
    /// What an entry became.
    package struct Appended: Sendable, Hashable {
        package let sequence: UInt64
        /// The chained bytes.
        package let leaf: [UInt8]
        package let treeSize: UInt64
        /// 32 bytes.
        package let rootHash: [UInt8]
    }

    /// A step in the transaction that records an entry: throwing a `Failure` refuses the entry.
    package typealias Step = @Sendable (_ connection: any SQLConnection, _ sequence: UInt64) throws -> Void

    /// The log's name, fixed when the instance was made.
    package let origin: String
    private let database: Database
    private let head: DurableHead
    private let mark: LogMarkFile?
    private let key: LogKey
    /// The keys that sign each commit's checkpoint.
    package let signers: LogSigners
    private let pseudonyms: Pseudonyms
    private let clock: WallClock
    private let random: Random
    /// Called once, on the log's thread, when a write failed; core ends itself in it.
    private let onStop: @Sendable (String) -> Void

    // INVARIANT: `waiting` holds no continuation once `isStopped`; owned by the lock.
    private let queue = Mutex(Queue())
    private let wake = DispatchSemaphore(value: 0)

    private struct Queue {
        var waiting: [Submission] = []
        var isStopped = false
        /// Why it stopped, where that was not asked for.
        var fault: String?
    }

    private struct Submission {
        let entry: Entry
        let step: Step?
        let answer: CheckedContinuation<Result<Appended, AuditError>, Never>
    }

    /// The parts of an entry that its writer chooses.
    struct Entry: Sendable {
        var kind: EntryKind
        var code: UInt16 = 0
        var intent: UInt64?
        var holder: HolderID?
        var fields: [(DetailField, String)]
    }

    /// Starts the writer on a log that `AuditVerifier` found whole.
    package init(
        _ verified: VerifiedLog, origin: String, key: LogKey, signers: LogSigners, pseudonyms: Pseudonyms,
        clock: WallClock, random: Random,
        onStop: @escaping @Sendable (String) -> Void
    ) {
        self.origin = origin
        database = verified.database
        head = verified.head
        mark = verified.markFile
        self.key = key
        self.signers = signers
        self.pseudonyms = pseudonyms
        self.clock = clock
        self.random = random
        self.onStop = onStop
        HostThread.start("audit") { [self] in
            var state: WriterState? = WriterState(log: verified.state, edge: verified.edge)
            while let current = state, !queue.withLock({ $0.isStopped }) {
                wake.wait()
                state = commitWaiting(after: current)
            }
            guard let fault = queue.withLock({ $0.fault }) else { return }
            // What a failing disk or a stranger did to earlier records is seen by hashing them all; here no commit comes
            // behind that would make a new mark.
            mark?.remove()
            onStop(fault)
        }
    }

    /// Whether entries are taken.
    package var isRunning: Bool { queue.withLock { !$0.isStopped } }

    /// Stops taking entries; those waiting are answered `.stopped`.
    package func stop() {
        let waiting = queue.withLock { queue in
            queue.isStopped = true
            defer { queue.waiting = [] }
            return queue.waiting
        }
        for submission in waiting { submission.answer.resume(returning: .failure(.stopped)) }
        wake.signal()
    }

    /// Stops for a fault found in what is written already, and has core end; its next start hashes everything.
    package func stop(for fault: any Error) {
        queue.withLock { $0.fault = $0.fault ?? "\(fault)" }
        stop()
    }

    /// Appends an entry and returns once it, `step` and the head are durable; not cancelled with its task.
    ///
    /// Refuses what no reader would take, which would make the log unreadable for good.
    func append(_ entry: Entry, step: Step? = nil) async throws(AuditError) -> Appended {
        guard entry.fields.count <= Detail.mostFields,
            entry.fields.allSatisfy({ $0.1.utf8.count <= Detail.longestValue })
        else { throw .refused(Failure(.tooLarge, "What would be recorded of this request is too long.")) }
        let result = await withCheckedContinuation { continuation in
            let submission = Submission(entry: entry, step: step, answer: continuation)
            let (taken, isFirst) = queue.withLock { queue in
                guard !queue.isStopped else { return (false, false) }
                queue.waiting.append(submission)
                return (true, queue.waiting.count == 1)
            }
            if !taken { continuation.resume(returning: .failure(.stopped)) }
            if isFirst { wake.signal() }
        }
        return try result.get()
    }

    // MARK: The writer's thread

    /// Commits all that waits; nil when the log stopped.
    private func commitWaiting(after state: WriterState) -> WriterState? {
        let group = queue.withLock { queue in
            defer { queue.waiting = [] }
            return queue.waiting
        }
        guard !group.isEmpty else { return state }
        do {
            let (newState, results) = try write(group, after: state)
            if newState.log.tree.size != state.log.tree.size { try head.store(newState.log.head.sealed(by: key)) }
            try mark?.advance(to: newState.log, since: state.log.tree.size, key)
            for (submission, result) in zip(group, results) { submission.answer.resume(returning: result) }
            return newState
        } catch {
            stop(for: error)
            for submission in group { submission.answer.resume(returning: .failure(.stopped)) }
            return nil
        }
    }

    private func write(
        _ group: [Submission], after state: WriterState
    ) throws -> (WriterState, [Result<Appended, AuditError>]) {
        let now = clock.now()
        return try database.writeBlocking { [self] connection in
            try Self.mustEnd(at: state.log.head, connection)
            var newState = state
            // A clock that went back must not make the record's order look wrong.
            newState.log.time = max(state.log.time, now)
            var results: [Result<(sequence: UInt64, leaf: [UInt8]), AuditError>] = []
            for submission in group {
                let sequence = newState.log.tree.size
                do {
                    if let step = submission.step {
                        try connection.savepoint { try step(connection, sequence) }
                    }
                } catch let failure as Failure {
                    results.append(.failure(.refused(failure)))
                    continue
                }
                let (leaf, detail) = compose(submission.entry, sequence: sequence, time: newState.log.time)
                let bytes = leaf.bytes
                try connection.execute(
                    "INSERT INTO audit_entry (sequence, leaf, detail) VALUES ($1, $2, $3)",
                    [.integer(Int64(sequence)), .blob(bytes), .blob(detail.bytes)]
                )
                for (tile, hashes) in newState.append(bytes) { try TileTable.store(tile, hashes, in: connection) }
                newState.log.note(leaf)
                results.append(.success((sequence, bytes)))
            }
            let head = newState.log.head
            if head.size != state.log.tree.size { try commit(head, at: newState.log.time, connection) }
            let appended = results.map { result in
                result.map { Appended(sequence: $0.sequence, leaf: $0.leaf, treeSize: head.size, rootHash: head.root) }
            }
            return (newState, appended)
        }
    }

    /// Compare and swap: what another process has committed since must not be forked.
    private static func mustEnd(at head: TreeHead, _ connection: any SQLConnection) throws {
        let newest = try connection.queryOne("SELECT size, root FROM audit_commit ORDER BY size DESC LIMIT 1")
        let size = try newest.map { UInt64(clamping: try $0.integer("size")) } ?? 0
        guard size == head.size, try newest == nil || newest?.blob("root") == head.root else {
            throw AuditError.broken("another process has written: it has \(size) records, and here are \(head.size)")
        }
    }

    private func commit(_ head: TreeHead, at time: Instant, _ connection: any SQLConnection) throws {
        let note = try signers.sign(head, at: time)
        try connection.execute(
            "INSERT INTO audit_commit (size, root, seal, signatures) VALUES ($1, $2, $3, $4)",
            [
                .integer(Int64(head.size)), .blob(head.root), .blob(head.seal(by: key)),
                .blob(StoredSignatures.bytes(note.signatures)),
            ]
        )
    }

    private func compose(_ entry: Entry, sequence: UInt64, time: Instant) -> (Leaf, Detail) {
        let detail = Detail(entry.fields, random: random)
        let leaf = Leaf(
            sequence: sequence, time: time, kind: entry.kind, code: entry.code, intent: entry.intent,
            pseudonym: entry.holder.map { pseudonyms.pseudonym(of: $0, at: time) } ?? Pseudonyms.none,
            commitments: detail.openings.map(\.commitment)
        )
        return (leaf, detail)
    }
}
