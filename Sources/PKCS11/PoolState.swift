/// Which sessions of a pool are free, busy or lost, and who waits.
struct PoolState: Sendable {
    /// What a session is doing now.
    struct Running: Sendable {
        let call: any PooledCall
        /// When its thread took the call up; nil while it waits at the module's gate, which is no call that hangs.
        var since: ContinuousClock.Instant?
        var isHung = false
    }

    /// How far a renewal of the module is.
    enum Renewal: Sendable {
        /// Calls under way end, none begins, and then the module is initialised anew.
        case underWay(since: ContinuousClock.Instant, isReported: Bool)
        /// The sessions are opened again.
        case reopening
    }

    // INVARIANT: each session is in exactly one of `idle`, `running` (not nil) and `lost`.
    private(set) var idle: [Int]
    private(set) var running: [Running?]
    private var lost: [Int] = []
    var waiting = Queue<any PooledCall>()
    var isClosed = false

    private(set) var renewal: Renewal?
    private(set) var renewals = 0
    // Those who wait for the renewal's end.
    private var renewers: [CheckedContinuation<PKCS11Error?, Never>] = []

    /// Why no session could be opened again at the last try.
    private var downBecause: PKCS11Error?
    /// Set once the token refused the PIN: no login is tried any more.
    private var refusedPIN: PKCS11Error?
    private var isRecovering = false
    private var nextTry: ContinuousClock.Instant = .now
    private var backOff: Duration
    private var reopensFailed = 0
    /// Opening sessions is of no use before the module is initialised anew.
    private var mustRenew = false
    private var failuresInARow = 0
    private var nextRenewal: ContinuousClock.Instant = .now
    private var renewalBackOff: Duration

    init(sessions: Int, backOff: Duration) {
        idle = Array((0..<sessions).reversed())
        running = Array(repeating: nil, count: sessions)
        self.backOff = backOff
        renewalBackOff = backOff
    }

    /// Sessions that can be closed without waiting for a call that hangs.
    var usable: [Int] { running.indices.filter { running[$0]?.isHung != true } }

    /// Whether a call runs that may still return in time.
    var isWorking: Bool { running.contains { $0?.isHung == false } || isPaused }

    private var isPaused: Bool { if case .underWay? = renewal { true } else { false } }

    private var live: Int {
        running.indices.count { running[$0]?.isHung == false && running[$0]?.call is Recovery == false } + idle.count
    }

    var health: SessionPool.Health {
        if isClosed { return .down(.closed) }
        // A renewal that nothing has gone wrong with keeps callers waiting for a moment, no more.
        if renewal != nil, downBecause == nil, refusedPIN == nil { return .ready(sessions: running.count) }
        guard live == 0 || isPaused else { return .ready(sessions: live) }
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
        guard !isPaused, let index = idle.popLast() else { return nil }
        running[index] = Running(call: call)
        return index
    }

    /// A call that waits although a session is free, as after a renewal that did not take place.
    mutating func nextToStart() -> (Int, any PooledCall)? {
        guard !isPaused, !isClosed, !idle.isEmpty, let call = waiting.popFirst(), let index = lend(to: call) else {
            return nil
        }
        return (index, call)
    }

    /// The session's thread takes up what it was lent for.
    mutating func begin(_ index: Int) { running[index]?.since = .now }

    /// The session has done its call: gives the next one for it, or leaves it free.
    mutating func next(for index: Int) -> (any PooledCall)? {
        running[index] = nil
        guard !isClosed, !isPaused, let call = waiting.popFirst() else {
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

    // MARK: Opening again

    /// A lost session that should be opened again now; one at a time, so that a wrong PIN is tried once.
    mutating func nextRecovery(_ call: any PooledCall, at now: ContinuousClock.Instant) -> Int? {
        guard !isClosed, !isPaused, !isRecovering, !mustRenew, refusedPIN == nil, now >= nextTry,
            let index = lost.popLast()
        else { return nil }
        isRecovering = true
        running[index] = Running(call: call)
        return index
    }

    mutating func recovered(_ settings: SessionPool.Settings) -> [CheckedContinuation<PKCS11Error?, Never>] {
        isRecovering = false
        downBecause = nil
        reopensFailed = 0
        backOff = settings.firstBackOff
        nextTry = .now
        guard case .reopening? = renewal, lost.isEmpty else { return [] }
        return endRenewal()
    }

    mutating func failedToRecover(
        _ index: Int, _ error: PKCS11Error, settings: SessionPool.Settings
    ) -> [CheckedContinuation<PKCS11Error?, Never>] {
        isRecovering = false
        lose(index)
        downBecause = error
        if error == .pinIncorrect || error == .pinLocked { refusedPIN = error }
        nextTry = .now.advanced(by: backOff)
        backOff = min(backOff * 2, settings.longestBackOff)
        reopensFailed += 1
        if live == 0, reopensFailed >= settings.reopensBeforeRenewal { mustRenew = true }
        guard case .reopening? = renewal else { return [] }
        return endRenewal()
    }

    // MARK: Renewal

    mutating func noteAnswer(_ settings: SessionPool.Settings) {
        failuresInARow = 0
        renewalBackOff = settings.firstBackOff
    }

    mutating func noteFailure() { failuresInARow += 1 }

    /// Whether the module should be initialised anew now, as so many keys were unwrapped or nothing else helps.
    func wantsRenewal(unwraps: Int, settings: SessionPool.Settings) -> Bool {
        guard ContinuousClock.now >= nextRenewal else { return false }
        return mustRenew || failuresInARow >= settings.failuresBeforeRenewal || unwraps >= settings.unwrapsPerRenewal
    }

    /// Lets no further call begin; false where a renewal is under way or may not be.
    mutating func beginRenewal(_ settings: SessionPool.Settings) -> Bool {
        guard !isClosed, renewal == nil, refusedPIN == nil else { return false }
        renewal = .underWay(since: .now, isReported: false)
        nextRenewal = .now.advanced(by: renewalBackOff)
        renewalBackOff = min(renewalBackOff * 2, settings.longestBackOff)
        return true
    }

    /// Who asks for a renewal waits for its end; a reason where there can be none.
    mutating func await(_ renewer: CheckedContinuation<PKCS11Error?, Never>) -> PKCS11Error? {
        if isClosed { return .closed }
        if let refusedPIN { return refusedPIN }
        renewers.append(renewer)
        return nil
    }

    /// The module was initialised anew, so no session is open any more.
    mutating func renewed() -> [CheckedContinuation<PKCS11Error?, Never>] {
        renewals += 1
        mustRenew = false
        failuresInARow = 0
        reopensFailed = 0
        nextTry = .now
        lost += idle
        idle = []
        renewal = .reopening
        return lost.isEmpty || isClosed ? endRenewal() : []
    }

    mutating func failedToRenew(_ error: PKCS11Error) -> [CheckedContinuation<PKCS11Error?, Never>] {
        // A call did not return in time: nothing was done, and all goes on as before.
        if error != .hung {
            lost += idle
            idle = []
            downBecause = error
            mustRenew = true
        }
        return endRenewal()
    }

    private mutating func endRenewal() -> [CheckedContinuation<PKCS11Error?, Never>] {
        renewal = nil
        return takeRenewers()
    }

    mutating func takeRenewers() -> [CheckedContinuation<PKCS11Error?, Never>] {
        defer { renewers = [] }
        return renewers
    }

    // MARK: The watch

    /// The calls that hang and were not yet reported.
    mutating func newlyHung(at now: ContinuousClock.Instant, limit: Duration) -> [(any PooledCall, Duration)] {
        var found: [(any PooledCall, Duration)] = []
        for index in running.indices {
            guard let call = running[index], !call.isHung, let since = call.since else { continue }
            let age = since.duration(to: now)
            guard age > limit else { continue }
            running[index]?.isHung = true
            found.append((call.call, age))
        }
        // The calls before it had the same time to end.
        if case .underWay(let since, false)? = renewal, since.duration(to: now) > limit * 2 {
            renewal = .underWay(since: since, isReported: true)
            found.append((Recovery(), since.duration(to: now)))
        }
        return found
    }

    /// The calls whose deadline has passed before they began.
    mutating func late(at now: ContinuousClock.Instant) -> [any PooledCall] {
        waiting.remove { $0.deadline <= now }
            + running.compactMap { $0 }.filter { $0.since == nil && $0.call.deadline <= now }.map(\.call)
    }
}
