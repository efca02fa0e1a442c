internal import HPKI
internal import Host
internal import Synchronization

/// How many time stamps a minute each client system may have made, so that none uses up what an authority allows the
/// service, or runs up its bill.
///
/// A token bucket for each client that holds one minute's number. INVARIANT: a client is counted only once core has
/// found its token good, so nobody is counted for another.
package final class TimeStampRate: Sendable {
    private struct Client {
        var allowance: Double
        var updated: UInt64
    }

    private static let clientLimit = 10_000

    private let perMinute: Int
    private let now: @Sendable () -> UInt64
    private let clients = Mutex<[String: Client]>([:])

    /// A rate of one minute, 0 for none; `now` is monotonic, in nanoseconds.
    package init(perMinute: Int, now: @escaping @Sendable () -> UInt64 = { Monotonic.now }) {
        self.perMinute = perMinute
        self.now = now
    }

    /// The fewest that a rate may allow: one order of 64 documents may need two for each.
    package static let orderMost = 2 * SignatureOrder.itemLimit

    /// Takes `count` time stamps of the client's share, all or none; throws `.tooManyRequests` with the seconds after
    /// which they can be had, and `.overloaded` where too many clients are at it.
    func take(_ count: Int, of client: String) throws(Failure) {
        guard perMinute > 0, count > 0 else { return }
        let moment = now()
        let most = Double(perMinute)
        let refusal: Failure? = clients.withLock { clients in
            func allowance(_ client: Client) -> Double {
                min(most, client.allowance + Double(moment &- client.updated) / 60_000_000_000 * most)
            }
            if clients[client] == nil, clients.count >= Self.clientLimit {
                // Who has a whole share again need not be remembered.
                clients = clients.filter { allowance($0.value) < most }
                guard clients.count < Self.clientLimit else {
                    return Failure(.overloaded, "More clients ask for time stamps at once than are counted.")
                }
            }
            let left = clients[client].map(allowance) ?? most
            guard left >= Double(count) else {
                let seconds = Int(((Double(count) - left) / most * 60).rounded(.up))
                return Failure(
                    .tooManyRequests,
                    "This request needs \(count) time stamps, and of \(perMinute) a minute this client has \(Int(left))"
                        + " left. Repeat it after \(seconds) s, or ask for fewer.", retryAfter: max(1, seconds))
            }
            clients[client] = Client(allowance: left - Double(count), updated: moment)
            return nil
        }
        if let refusal { throw refusal }
    }
}
