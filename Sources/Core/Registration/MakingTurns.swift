package import HPKI
internal import Synchronization

/// Turns for making keys: one at a time for each credential, a few in all, and each authority served in its turn.
///
/// Two who order one credential at once would else make two keys for it, and an authority that orders thousands would
/// keep the others waiting.
package final class MakingTurns: Sendable {
    /// Keys made at once; a module makes no more by being asked for more.
    package static let parallel = 2
    /// Orders of one authority that may wait.
    package static let waiting = 32

    private struct State {
        var held: Set<CredentialID> = []
        /// Those who wait, in the order of arrival.
        var queues: [AuthorityID: [Waiter]] = [:]
        /// The authorities that have a queue; the first is served next and then goes to the end.
        var order: [AuthorityID] = []
    }

    private struct Waiter {
        let credential: CredentialID
        let isMyTurn: CheckedContinuation<Bool, Never>
    }

    /// Turns that nobody holds.
    package init() {}

    // INVARIANT: `held` has at most `parallel` members, and a waiter is resumed once, when it leaves its queue.
    private let state = Mutex(State())

    /// Does `work` in the credential's turn; throws `.overloaded` where too many of this authority wait already.
    package func take<Value: Sendable>(
        _ credential: CredentialID, for authority: AuthorityID, _ work: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let isMyTurn = await withCheckedContinuation { continuation in
            let isFull = state.withLock { state in
                guard state.queues[authority]?.count ?? 0 < Self.waiting else { return true }
                if state.queues[authority] == nil { state.order.append(authority) }
                state.queues[authority, default: []].append(Waiter(credential: credential, isMyTurn: continuation))
                return false
            }
            if isFull { continuation.resume(returning: false) } else { wakeNext() }
        }
        guard isMyTurn else {
            throw Failure(.overloaded, "Too many keys of this authority are being made at present.", retryAfter: 10)
        }
        defer {
            state.withLock { _ = $0.held.remove(credential) }
            wakeNext()
        }
        return try await work()
    }

    /// Gives turns to those who may begin now.
    private func wakeNext() {
        while let waiter = state.withLock({ Self.next(&$0) }) { waiter.isMyTurn.resume(returning: true) }
    }

    private static func next(_ state: inout State) -> Waiter? {
        guard state.held.count < parallel else { return nil }
        for (place, authority) in state.order.enumerated() {
            guard let queue = state.queues[authority],
                let found = queue.firstIndex(where: { !state.held.contains($0.credential) })
            else { continue }
            let waiter = queue[found]
            state.order.remove(at: place)
            state.queues[authority]?.remove(at: found)
            if state.queues[authority]?.isEmpty == true {
                state.queues[authority] = nil
            } else {
                state.order.append(authority)
            }
            state.held.insert(waiter.credential)
            return waiter
        }
        return nil
    }
}
