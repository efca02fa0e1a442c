package import HPKI
internal import Synchronization

/// Authorization requests that clients pushed (RFC 9126), until their people come with the reference.
///
/// A reference is used by one browser: again by the same one only where somebody reloads the page.
package final class PushedRequests: Sendable {
    /// What references begin with.
    package static let prefix = "urn:ietf:params:oauth:request_uri:"

    private struct Entry {
        let request: AuthorizationRequest
        let end: UInt64
        var browser: Digest?
    }

    private struct State {
        // INVARIANT: `order` holds every key of `entries`, the oldest first.
        var entries: [Digest: Entry] = [:]
        var order: [Digest] = []
        var counts: [ClientID: Int] = [:]
    }

    /// In seconds.
    package let lifetime: Int
    private let limit: Int
    private let perClient: Int
    private let random: Random
    private let now: @Sendable () -> UInt64
    private let state = Mutex(State())

    /// No request yet; at most `limit`, and at most a tenth of them of one client.
    ///
    /// `now` is monotonic, in nanoseconds.
    package init(lifetime: Int = 90, limit: Int = 20_000, random: Random, now: @escaping @Sendable () -> UInt64) {
        self.lifetime = lifetime
        self.limit = limit
        perClient = max(1, limit / 10)
        self.random = random
        self.now = now
    }

    /// Keeps a request and gives its reference; throws `.tooManyRequests` or `.overloaded`.
    package func push(_ request: AuthorizationRequest) throws(Failure) -> String {
        let name = Base64URL.encode(random.bytes(32))
        let moment = now()
        let refusal: Failure? = state.withLock { state in
            Self.forget(&state, before: moment)
            guard state.entries.count < limit else {
                return Failure(.overloaded, "As many authorization requests are pushed as the service keeps.")
            }
            guard state.counts[request.client, default: 0] < perClient else {
                return Failure(.tooManyRequests, "This client has pushed as many authorization requests as it may.")
            }
            let key = Digest(of: Array(name.utf8))
            state.entries[key] = Entry(request: request, end: moment + UInt64(lifetime) * 1_000_000_000)
            state.order.append(key)
            state.counts[request.client, default: 0] += 1
            return nil
        }
        if let refusal { throw refusal }
        return Self.prefix + name
    }

    /// The request behind a reference that `client` brings by `browser`, the value of its cookie; nil for anybody else.
    package func use(_ reference: String, by client: ClientID, browser: String) -> AuthorizationRequest? {
        guard reference.hasPrefix(Self.prefix), reference.utf8.count <= 128 else { return nil }
        let key = Digest(of: Array(reference.dropFirst(Self.prefix.count).utf8))
        let browser = Digest(of: Array(browser.utf8))
        let moment = now()
        return state.withLock { state in
            guard let entry = state.entries[key], moment < entry.end, entry.request.client == client,
                entry.browser == nil || entry.browser == browser
            else { return nil }
            state.entries[key]?.browser = browser
            return entry.request
        }
    }

    /// How many are kept.
    package var count: Int { state.withLock { $0.entries.count } }

    /// All live equally long, so the oldest come to their end first.
    private static func forget(_ state: inout State, before moment: UInt64) {
        let ended = state.order.prefix { key in state.entries[key].map { $0.end <= moment } ?? true }
        for key in ended {
            guard let entry = state.entries.removeValue(forKey: key) else { continue }
            let count = state.counts[entry.request.client, default: 0]
            state.counts[entry.request.client] = count > 1 ? count - 1 : nil
        }
        state.order.removeFirst(ended.count)
    }
}
