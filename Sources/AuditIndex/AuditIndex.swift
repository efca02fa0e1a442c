import Audit
package import CoreProtocol
internal import Dispatch
internal import Glibc
import HPKI
import Host
import Storage
internal import Synchronization
import Transparency

/// What makes the log searchable: a database of its own that follows the log and can be deleted at any time.
///
/// One thread reads committed records in small transactions and never takes part in writing them. It holds what
/// identifies persons, as the log's details do; what is erased there is erased here.
package final class AuditIndex: Sendable {
    let log: LogSource
    private let path: String
    private let onFault: @Sendable (String) -> Void
    private let wake = DispatchSemaphore(value: 0)

    // INVARIANT: the writer is used by whoever holds its lock, and is nil after an error; the file is then opened anew.
    private let writer = Mutex<IndexWriter?>(nil)
    private let state = Mutex(State())

    private struct State {
        var database: Database?
        var indexed: UInt64 = 0
        var size: UInt64 = 0
        var target: UInt64 = 0
        var isDamaged = false
        var isStopping = false
        var isRunning = false
        var ended: [CheckedContinuation<Void, Never>] = []
        var erasuresCheckedAt: UInt64 = 0
    }

    /// Records of one transaction.
    private static let batch = 8192
    /// Nanoseconds between two looks for erased records.
    private static let erasureInterval: UInt64 = 30_000_000_000

    /// An index at `path` of this log; nothing is opened yet.
    ///
    /// `onFault` is told what keeps it from following.
    package init(at path: String, of log: LogSource, onFault: @escaping @Sendable (String) -> Void = { _ in }) {
        self.path = path
        self.log = log
        self.onFault = onFault
    }

    // MARK: Following

    /// Follows the log on a thread of its own until `stop`.
    package func start() {
        state.withLock { $0.isRunning = true }
        HostThread.start("audit-index") { [self] in
            var isFaulty = false
            while !state.withLock({ $0.isStopping }) {
                do throws(AuditIndexError) {
                    try follow(pausing: true)
                    isFaulty = false
                    _ = wake.wait(timeout: .now() + .milliseconds(500))
                } catch {
                    noteSize()
                    if !isFaulty { onFault("\(error)") }
                    isFaulty = true
                    _ = wake.wait(timeout: .now() + .seconds(5))
                }
            }
            let ended = state.withLock { state in
                state.isRunning = false
                defer { state.ended = [] }
                return state.ended
            }
            for continuation in ended { continuation.resume() }
        }
    }

    /// Ends the thread and closes the file; core's database may be closed behind it.
    package func stop() async {
        await withCheckedContinuation { continuation in
            let isRunning = state.withLock { state in
                state.isStopping = true
                if state.isRunning { state.ended.append(continuation) }
                return state.isRunning
            }
            wake.signal()
            if !isRunning { continuation.resume() }
        }
        let database = state.withLock { state in
            defer { state.database = nil }
            return state.database
        }
        // Who is reading now keeps the file open until done; nothing is lost by that.
        try? database?.close()
    }

    /// Has the thread look at once, also for records whose details were erased.
    package func nudge() {
        state.withLock { $0.erasuresCheckedAt = 0 }
        wake.signal()
    }

    /// Takes in everything that the log has now; blocks.
    ///
    /// The thread does this by itself.
    package func catchUp() throws(AuditIndexError) {
        state.withLock { $0.erasuresCheckedAt = 0 }
        try follow(pausing: false)
    }

    private func follow(pausing: Bool) throws(AuditIndexError) {
        let result: Result<Void, AuditIndexError> = writer.withLock { writer in
            do throws(AuditIndexError) {
                if state.withLock({ $0.isDamaged }) { writer = nil }
                if writer == nil { writer = try open() }
                try advance(&writer, pausing)
                return .success(())
            } catch {
                writer = nil
                if case .damaged = error { state.withLock { $0.isDamaged = true } }
                return .failure(error)
            }
        }
        try result.get()
    }

    private func advance(_ writer: inout IndexWriter?, _ pausing: Bool) throws(AuditIndexError) {
        // Taken out, since a second copy would have its tables copied at each change; an error leaves none.
        guard var current = writer.take() else { return }
        while !state.withLock({ $0.isStopping }) {
            let size = try log.size()
            let rows = try log.rows(from: current.next, limit: Self.batch)
            if !rows.isEmpty { try current.apply(rows) }
            state.withLock { state in
                state.indexed = current.next
                state.size = max(size, current.next)
            }
            guard rows.count == Self.batch else { break }
            // Signing comes first.
            if pausing { usleep(2000) }
        }
        try takeErasures(&current)
        writer = current
    }

    /// How long the log is, so that an index that does not follow says how far it is behind.
    private func noteSize() {
        guard let size = try? log.size() else { return }
        state.withLock { $0.size = max($0.size, size) }
    }

    /// Erases what was erased in the log: the counts say whether there is anything, the numbers what.
    private func takeErasures(_ writer: inout IndexWriter) throws(AuditIndexError) {
        let now = Monotonic.now
        let isDue = state.withLock { state in
            let isDue = state.erasuresCheckedAt == 0 || now - state.erasuresCheckedAt > Self.erasureInterval
            if isDue { state.erasuresCheckedAt = now }
            return isDue
        }
        guard isDue, try log.erasedCount(before: writer.next) != writer.erased else { return }
        var last: Int64 = -1
        while !state.withLock({ $0.isStopping }) {
            let found = try log.erased(after: last, limit: 1000).filter { $0 < Int64(clamping: writer.next) }
            guard let end = found.last else { return }
            try writer.erase(found)
            last = end
        }
    }

    // MARK: The file

    private func open() throws(AuditIndexError) -> IndexWriter {
        let size = try log.size()
        if !state.withLock({ $0.isDamaged }), let writer = try reopen(size) { return writer }
        let old = state.withLock { state in
            defer { state.database = nil }
            state.indexed = 0
            return state.database
        }
        try? old?.close()
        do {
            for end in ["", "-wal", "-shm"] where Files.exists(path + end) { try Files.remove(path + end) }
            let database = try Database.create(at: path, parts: [IndexSchema.part], commitsPerCheckpoint: 16)
            try IndexWriter.prepare(database, target: size)
            return adopt(try IndexWriter(database), database, size)
        } catch { throw AuditIndexError(error) }
    }

    /// The index that is there, where it is one of this log; nil where it must be made anew.
    private func reopen(_ size: UInt64) throws(AuditIndexError) -> IndexWriter? {
        var known = state.withLock { $0.database }
        if let refusing = known, refusing.mustReopen {
            // After a failed write this handle writes no more: the file is opened anew.
            state.withLock { $0.database = nil }
            try? refusing.close()
            known = nil
        }
        do {
            let database =
                try known ?? Database.open(at: path, parts: [IndexSchema.part], commitsPerCheckpoint: 16)
            let writer = try IndexWriter(database)
            guard writer.next <= size else { return nil }
            if writer.next > 0 {
                guard let row = try log.rows(from: writer.next - 1, limit: 1).first,
                    MerkleTree.leafHash(row.leaf) == writer.newest
                else { return nil }
            }
            return adopt(writer, database, size)
        } catch let error as StorageError {
            switch error {
            case .missing, .corrupt, .schemaTooNew, .schemaTooOld, .unexpectedValue, .mustReopen, .closed, .constraint:
                return nil
            default: throw AuditIndexError(error)
            }
        } catch {
            let error = AuditIndexError(error)
            if case .damaged = error { return nil }
            throw error
        }
    }

    /// Takes the file for the index; from here on it says how far it is behind a log of `size` records.
    private func adopt(_ writer: IndexWriter, _ database: Database, _ size: UInt64) -> IndexWriter {
        state.withLock { state in
            state.database = database
            state.indexed = writer.next
            state.size = max(state.size, size)
            state.target = writer.target
            state.isDamaged = false
        }
        return writer
    }

    // MARK: Asking

    /// How far the index is.
    package var facts: IndexFacts {
        state.withLock { state in
            IndexFacts(
                indexed: state.indexed, size: state.size,
                isRebuilding: state.database == nil || state.isDamaged || state.indexed < state.target)
        }
    }

    /// Reads on one snapshot; what cannot be has the index made anew.
    func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(AuditIndexError) -> Value {
        guard let database = state.withLock({ $0.isDamaged ? nil : $0.database }) else { throw .away }
        do { return try await database.read(work) } catch {
            let error = AuditIndexError(error)
            if case .damaged(let fault) = error { mistrust(fault) }
            throw error
        }
    }

    /// What the index says is not what the log says: it is made anew.
    package func mistrust(_ fault: String) {
        state.withLock { $0.isDamaged = true }
        onFault("the index is made anew: \(fault)")
        wake.signal()
    }
}
