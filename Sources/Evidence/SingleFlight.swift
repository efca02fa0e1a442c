import HPKI

/// Does one piece of work for a key at a time, whoever asks, and remembers for a while that it failed.
actor SingleFlight<Value: Sendable> {
    /// Why there is no value, in words for an operator.
    struct Fault: Error {
        let problem: String
    }

    private static var keyLimit: Int { 1000 }

    private let clock: WallClock
    private let retrySeconds: Int64
    private var running: [String: Task<Result<Value, Fault>, Never>] = [:]
    private var failed: [String: (until: Instant, fault: Fault)] = [:]

    /// A key that failed is not worked on again before `retrySeconds` have passed.
    init(clock: WallClock, retrySeconds: Int64) {
        self.clock = clock
        self.retrySeconds = retrySeconds
    }

    /// What `work` gives; where somebody is at it for this key already, what theirs gives.
    ///
    /// The work belongs to all who wait: a caller that gives up does not end it.
    func value(
        _ key: String, _ work: @escaping @Sendable () async -> Result<Value, Fault>
    ) async -> Result<Value, Fault> {
        if let known = failed[key] {
            guard known.until <= clock.now() else { return .failure(known.fault) }
            failed[key] = nil
        }
        if let task = running[key] { return await task.value }
        let task = Task { await work() }
        running[key] = task
        let result = await task.value
        running[key] = nil
        if case .failure(let fault) = result {
            if failed.count >= Self.keyLimit { failed = [:] }
            failed[key] = (clock.now().adding(seconds: retrySeconds), fault)
        }
        return result
    }
}
