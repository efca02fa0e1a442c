internal import HPKI
internal import Synchronization

/// Who a request counts for: the peer's address with the client that its token names.
///
/// The token is not verified yet, so the name may be a lie; with the address beside it a liar can use up only what
/// requests from its own address share.
struct ClientKey: Hashable, Sendable {
    let address: String
    let client: String
}

/// Decides at once whether a request is taken on, so that one client's batch starves no other and an overload is
/// answered rather than queued.
///
/// INVARIANT: every count is given back once, by `leave`, `finishWork` and `release`; owned by the lock.
final class Admission: Sendable {
    private struct Client {
        var inFlight = 0
        /// Token bucket: requests that may still come now.
        var allowance: Double
        var updated: UInt64
    }

    private struct State {
        var clients: [ClientKey: Client] = [:]
        var working = 0
        var bodyBytes = 0
        var bodyBytesByAddress: [String: Int] = [:]
    }

    private static let clientLimit = 10_000

    private let limits: WebSettings.Limits
    private let now: @Sendable () -> UInt64
    private let state = Mutex(State())

    /// `now` is monotonic, in nanoseconds.
    init(limits: WebSettings.Limits, now: @escaping @Sendable () -> UInt64) {
        self.limits = limits
        self.now = now
    }

    /// Counts a request in; throws `.tooManyRequests` for the client's own share, `.overloaded` for everybody's.
    func enter(_ key: ClientKey) throws(Failure) {
        let moment = now()
        let refusal: Failure? = state.withLock { state in
            guard state.working < limits.queue else { return Self.overloaded }
            var client = state.clients[key] ?? Client(allowance: Double(limits.perClientRate), updated: moment)
            if state.clients[key] == nil, state.clients.count >= Self.clientLimit {
                state.clients = state.clients.filter { $0.value.inFlight > 0 }
                guard state.clients.count < Self.clientLimit else { return Self.overloaded }
            }
            defer { state.clients[key] = client }
            guard client.inFlight < limits.perClient else {
                return Failure(
                    .tooManyRequests, "This client has \(limits.perClient) requests under way, as many as it may."
                )
            }
            if limits.perClientRate > 0 {
                let rate = Double(limits.perClientRate)
                let elapsed = Double(moment &- client.updated) / 1_000_000_000
                client.allowance = min(rate, client.allowance + elapsed * rate)
                client.updated = moment
                guard client.allowance >= 1 else {
                    return Failure(
                        .tooManyRequests, "This client sends more than \(limits.perClientRate) requests a second."
                    )
                }
                client.allowance -= 1
            }
            client.inFlight += 1
            return nil
        }
        if let refusal { throw refusal }
    }

    /// Counts a request of `key` out.
    func leave(_ key: ClientKey) {
        state.withLock { state in
            guard var client = state.clients[key] else { return }
            client.inFlight -= 1
            // Without a rate to remember, an idle client is forgotten at once.
            state.clients[key] = client.inFlight == 0 && limits.perClientRate == 0 ? nil : client
        }
    }

    /// Takes one of the places for work in hand; throws `.overloaded` when all are taken.
    func startWork() throws(Failure) {
        let isTaken = state.withLock { state in
            guard state.working < limits.queue else { return false }
            state.working += 1
            return true
        }
        guard isTaken else { throw Self.overloaded }
    }

    func finishWork() {
        state.withLock { $0.working -= 1 }
    }

    /// Counts bytes of bodies that `address` sends; throws `.tooManyRequests` beyond half of the budget, or one body
    /// where that is more, and `.overloaded` when all addresses together hold too many.
    func hold(bytes: Int, of address: String) throws(Failure) {
        let share = max(limits.bodyBudget / 2, limits.bodyBytes)
        let refusal: Failure? = state.withLock { state in
            let held = state.bodyBytesByAddress[address, default: 0] + bytes
            guard held <= share else {
                return Failure(.tooManyRequests, "This address is sending as many bytes at once as it may.")
            }
            guard state.bodyBytes + bytes <= limits.bodyBudget else { return Self.overloaded }
            state.bodyBytes += bytes
            state.bodyBytesByAddress[address] = held
            return nil
        }
        if let refusal { throw refusal }
    }

    func release(bytes: Int, of address: String) {
        state.withLock { state in
            state.bodyBytes -= bytes
            let held = state.bodyBytesByAddress[address, default: 0] - bytes
            state.bodyBytesByAddress[address] = held > 0 ? held : nil
        }
    }

    /// The requests being worked on now.
    var working: Int { state.withLock { $0.working } }

    private static var overloaded: Failure {
        Failure(.overloaded, "The service has as much work in hand as it can do in time.")
    }
}
