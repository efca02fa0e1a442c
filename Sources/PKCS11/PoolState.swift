/// Which sessions of a pool are free, busy or lost, and who waits.
struct PoolState: Sendable {
    /// What a session is doing now.
    struct Running: Sendable {
        let call: any PooledCall
        let since: ContinuousClock.Instant
        var isHung = false
    }

    // INVARIANT: each session is in exactly one of `idle`, `running` (not nil) and `lost`.
    private(set) var idle: [Int]
    private(set) var running: [Running?]
    private var lost: [Int] = []
    var waiting = Queue<any PooledCall>()
    var isClosed = false

    /// Why no session could be opened again at the last try.
    private var downBecause: PKCS11Error?
    /// Set once the token refused the PIN: no login is tried any more.
    private var refusedPIN: PKCS11Error?
    private var isRecovering = false
    private var nextTry: ContinuousClock.Instant = .now
    private var backOff: Duration

    init(sessions: Int, backOff: Duration) {
        idle = Array((0..<sessions).reversed())
        running = Array(repeating: nil, count: sessions)
        self.backOff = backOff
    }

    /// Sessions that can be closed without waiting for a call that hangs.
    var usable: [Int] { running.indices.filter { running[$0]?.isHung != true } }

    /// Whether a call runs that may still return in time.
    var isWorking: Bool { running.contains { $0?.isHung == false } }

    var health: SessionPool.Health {
        if isClosed { return .down(.closed) }
        let live = running.indices.count { running[$0]?.isHung == false && running[$0]?.call is Recovery == false }
        guard live + idle.count == 0 else { return .ready(sessions: live + idle.count) }
        if let reason = refusedPIN ?? downBecause { return .down(reason) }
        return .down(running.contains { $0?.isHung == true } ? .hung : .busy)
    }

    /// Whether every session is lost and opening one again has failed: waiting is then of no use.
    var hopeless: PKCS11Error? {
        guard idle.isEmpty, case .down(let reason) = health, refusedPIN != nil || downBecause != nil else { return nil }
        return reason
    }

    /// A free session for `call`, which then runs in it; nil where there is none.
    mutating func lend(to call: any PooledCall) -> Int? {
        guard let index = idle.popLast() else { return nil }
        running[index] = Running(call: call, since: .now)
        return index
    }

    /// The session has done its call: gives the next one for it, or leaves it free.
    mutating func next(for index: Int) -> (any PooledCall)? {
        running[index] = nil
        guard !isClosed, let call = waiting.popFirst() else {
            idle.append(index)
            return nil
        }
        running[index] = Running(call: call, since: .now)
        return call
    }

    mutating func lose(_ index: Int) {
        running[index] = nil
        lost.append(index)
    }

    /// A lost session that should be opened again now; one at a time, so that a wrong PIN is tried once.
    mutating func nextRecovery(_ call: any PooledCall, at now: ContinuousClock.Instant) -> Int? {
        guard !isClosed, !isRecovering, refusedPIN == nil, now >= nextTry, let index = lost.popLast() else {
            return nil
        }
        isRecovering = true
        running[index] = Running(call: call, since: now)
        return index
    }

    mutating func recovered(_ settings: SessionPool.Settings) {
        isRecovering = false
        downBecause = nil
        backOff = settings.firstBackOff
        nextTry = .now
    }

    mutating func failedToRecover(_ index: Int, _ error: PKCS11Error, settings: SessionPool.Settings) {
        isRecovering = false
        lose(index)
        downBecause = error
        if error == .pinIncorrect || error == .pinLocked { refusedPIN = error }
        nextTry = .now.advanced(by: backOff)
        backOff = min(backOff * 2, settings.longestBackOff)
    }

    /// The calls that hang and were not yet reported.
    mutating func newlyHung(at now: ContinuousClock.Instant, limit: Duration) -> [(any PooledCall, Duration)] {
        var found: [(any PooledCall, Duration)] = []
        for index in running.indices {
            guard let call = running[index], !call.isHung, call.since.duration(to: now) > limit else { continue }
            running[index]?.isHung = true
            found.append((call.call, call.since.duration(to: now)))
        }
        return found
    }
}
