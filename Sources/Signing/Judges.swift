package import HPKI
internal import Host
internal import Synchronization
internal import Validation

/// Where documents of strangers are judged: on a few threads of their own, and so many documents at once and no more.
///
/// Judging is work for the processor, and its length is for the document to say. On Swift's shared threads a few
/// documents could hold up every other request.
package final class Judges: Sendable {
    private let limit: Int
    private let threads: JudgingThreads
    private let inHand = Mutex(0)

    /// Judges with a limit of documents in hand, those that wait for a thread among them.
    package init(inHand limit: Int = 128, threads: Int = HostThread.processors) {
        self.limit = limit
        self.threads = JudgingThreads(width: threads)
    }

    /// Runs `body`, and what it waits for, on the threads; throws `.overloaded` at once where there is too much in hand.
    package func callAsFunction<Value: Sendable>(
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let isTaken = inHand.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        guard isTaken else {
            throw Failure(.overloaded, "As many documents are being judged as the service judges at once.")
        }
        defer { inHand.withLock { $0 -= 1 } }
        return try await withTaskExecutorPreference(threads, operation: body)
    }
}

/// At most `width` threads, which end where nothing is to be done: whoever waits for work holds none.
private final class JudgingThreads: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var running = 0
    }

    private let width: Int
    private let state = Mutex(State())

    init(width: Int) {
        self.width = max(1, width)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isShort = state.withLock { state in
            state.jobs.append(job)
            guard state.running < width else { return false }
            state.running += 1
            return true
        }
        if isShort { HostThread.start("judge") { self.work() } }
    }

    private func work() {
        while let job = next() { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func next() -> UnownedJob? {
        state.withLock { state in
            guard !state.jobs.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.jobs.removeFirst()
        }
    }
}

extension JudgementDeadline {
    /// The deadline of a request, in nanoseconds of the monotonic clock.
    init(_ deadline: UInt64) {
        self.init { Monotonic.now >= deadline }
    }
}

extension Failure {
    /// A judgement that was given up, as its caller sees it.
    init(_ error: JudgementError) {
        self.init(
            .judgementTimedOut,
            "Judging the document's signatures, references and time stamps took longer than an answer may take.")
    }
}
