package import HPKI
internal import Synchronization

/// Keeps uses of a key and the end of its life apart: behind a closed gate no use starts, and closing waits for those
/// under way, so that no `C_Sign` starts after a suspension or revocation has committed.
///
/// A use begins before its intent is recorded: an intent that was recorded under the old state has then either been
/// waited for, or sees the new state.
package final class UseGate: Sendable {
    private struct State {
        var using: [CredentialID: Int] = [:]
        var closed: [CredentialID: Int] = [:]
        var waiting: [CredentialID: [CheckedContinuation<Void, Never>]] = [:]
    }

    // INVARIANT: a continuation waits only while its credential is closed and in use.
    private let state = Mutex(State())

    init() {}

    /// Begins a use, which lasts as long as the lease is held; throws `.closed`.
    package func enter(_ id: CredentialID) throws(KeyError) -> UseLease {
        let isOpen = state.withLock { state in
            guard state.closed[id] == nil else { return false }
            state.using[id, default: 0] += 1
            return true
        }
        if !isOpen { throw .closed(id) }
        return UseLease(gate: self, credential: id)
    }

    fileprivate func leave(_ id: CredentialID) {
        let free = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            let left = (state.using[id] ?? 1) - 1
            state.using[id] = left > 0 ? left : nil
            return left > 0 ? [] : state.waiting.removeValue(forKey: id) ?? []
        }
        for continuation in free { continuation.resume() }
    }

    /// Lets no further use start, and returns when none is under way; `open` undoes it.
    package func close(_ id: CredentialID) async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                state.closed[id, default: 0] += 1
                guard state.using[id] != nil else { return true }
                state.waiting[id, default: []].append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    /// Opens what `close` closed, once for each time.
    package func open(_ id: CredentialID) {
        state.withLock { state in
            let left = (state.closed[id] ?? 1) - 1
            state.closed[id] = left > 0 ? left : nil
        }
    }
}

/// One use of a key that has begun: held from before its intent is recorded until the key was used.
package struct UseLease: ~Copyable, Sendable {
    private let gate: UseGate
    let credential: CredentialID

    fileprivate init(gate: UseGate, credential: CredentialID) {
        self.gate = gate
        self.credential = credential
    }

    deinit { gate.leave(credential) }
}
