package import HPKI
import JOSE

/// The key set of one issuer: cached, fetched again when it grows old or a key is unknown, kept through an outage for
/// a bounded time.
package actor IssuerKeys {
    private let settings: IssuerSettings
    private let clock: WallClock
    private let fetch: @Sendable (String) async throws -> [UInt8]
    private var known: (keys: JWKSet, fetchedAt: Instant)?
    private var lastAttempt: Instant?
    private var underWay: Task<JWKSet?, Never>?

    /// An empty cache.
    package init(
        _ settings: IssuerSettings, clock: WallClock, fetch: @escaping @Sendable (String) async throws -> [UInt8]
    ) {
        self.settings = settings
        self.clock = clock
        self.fetch = fetch
    }

    /// The key set to verify with; throws `.keysUnavailable` where none is known and none can be fetched.
    func keys() async throws(IdentityError) -> JWKSet {
        let now = clock.now()
        if let known, now < known.fetchedAt.adding(seconds: settings.refreshSeconds), known.fetchedAt <= now {
            return known.keys
        }
        if let fresh = await refreshed(atMostEvery: 1) { return fresh }
        guard let known, now < known.fetchedAt.adding(seconds: settings.refreshSeconds + settings.keepSeconds) else {
            throw .keysUnavailable
        }
        return known.keys
    }

    /// The key set after asking again because a token named an unknown key; nil when it is too soon to ask again.
    func keysAfterUnknown() async -> JWKSet? {
        await refreshed(atMostEvery: max(1, settings.refreshSeconds / 10))
    }

    private func refreshed(atMostEvery seconds: Int64) async -> JWKSet? {
        if let underWay { return await underWay.value }
        let now = clock.now()
        if let lastAttempt, lastAttempt <= now, now < lastAttempt.adding(seconds: seconds) { return nil }
        lastAttempt = now
        let (address, fetch) = (settings.jwks, fetch)
        let attempt = Task { () -> JWKSet? in
            guard let bytes = try? await fetch(address) else { return nil }
            return try? await JWKSet(bytes)
        }
        underWay = attempt
        let keys = await attempt.value
        underWay = nil
        if let keys { known = (keys, now) }
        return keys
    }
}
