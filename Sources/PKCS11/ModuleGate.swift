internal import Dispatch
internal import Synchronization

/// Who is inside a module, so that `C_Finalize` runs while nobody is (PKCS#11 v2.40 §5.4).
///
/// Each thread of a session enters for every piece of its work. Whoever wants to finalise closes the gate, waits until
/// the last has left, and opens it again.
final class ModuleGate: Sendable {
    private struct State: Sendable {
        var inside = 0
        var turnedAway = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let opened = DispatchSemaphore(value: 0)
    private let emptied = DispatchSemaphore(value: 0)

    // INVARIANT: both change only while nobody is inside. A session belongs to the generation in which it was opened;
    // a module gives the same numbers to other sessions afterwards.
    private let generations = Atomic<Int>(0)
    private let unwrapped = Atomic<Int>(0)

    /// How often the module was finalised.
    var generation: Int { generations.load(ordering: .acquiring) }

    /// How many keys were unwrapped in this generation: SoftHSM loses some 190 bytes for each until `C_Finalize`.
    var unwraps: Int { unwrapped.load(ordering: .relaxed) }

    func noteUnwrap() { unwrapped.add(1, ordering: .relaxed) }

    /// Ends the generation: every session opened so far is gone.
    func advance() {
        generations.add(1, ordering: .acquiringAndReleasing)
        unwrapped.store(0, ordering: .relaxed)
    }

    /// Waits while the gate is closed.
    func enter() {
        while true {
            let isInside = state.withLock { state in
                if state.isClosed {
                    state.turnedAway += 1
                } else {
                    state.inside += 1
                }
                return !state.isClosed
            }
            if isInside { return }
            opened.wait()
        }
    }

    func leave() {
        let isLast = state.withLock { state in
            state.inside -= 1
            return state.isClosed && state.inside == 0
        }
        if isLast { emptied.signal() }
    }

    /// Runs `body` with nobody inside; nil, and the gate open again, if somebody has not left within `patience`.
    ///
    /// Only one thread may call it: the module's own.
    func withNobodyInside<Result>(within patience: Duration, _ body: () -> Result) -> Result? {
        let deadline = DispatchTime.now() + .nanoseconds(Int(patience / .nanoseconds(1)))
        state.withLock { $0.isClosed = true }
        defer {
            let waiting = state.withLock { state in
                state.isClosed = false
                defer { state.turnedAway = 0 }
                return state.turnedAway
            }
            for _ in 0..<waiting { opened.signal() }
        }
        while state.withLock({ $0.inside > 0 }) {
            guard emptied.wait(timeout: deadline) == .success else { return nil }
        }
        return body()
    }
}
