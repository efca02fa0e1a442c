internal import Synchronization

/// The open connections of one listener, by the peer's address.
///
/// INVARIANT: every connection that `enter` took is given back once, by `leave`; owned by the lock.
final class ConnectionCounts: Sendable {
    private struct State {
        var open = 0
        var addresses: [String: Int] = [:]
    }

    private let limits: WebSettings.Limits
    private let state = Mutex(State())

    init(limits: WebSettings.Limits) {
        self.limits = limits
    }

    /// Counts a connection in, unless `address` has as many as one may have; says whether it did.
    func enter(_ address: String) -> Bool {
        state.withLock { state in
            let count = state.addresses[address, default: 0]
            guard count < limits.connectionsPerAddress else { return false }
            state.addresses[address] = count + 1
            state.open += 1
            return true
        }
    }

    func leave(_ address: String) {
        state.withLock { state in
            let count = state.addresses[address, default: 0]
            state.addresses[address] = count > 1 ? count - 1 : nil
            state.open -= 1
        }
    }

    /// More than half of the connections are taken: none may idle for long.
    var isCrowded: Bool { state.withLock { $0.open > limits.connections / 2 } }
}
