package import HPKI
import JOSE

/// The key set of one issuer: cached, fetched again when it grows old or a key is unknown, kept through an outage for
/// a bounded time.
///
/// `fetch` bounds its own time: it is what a caller may have to wait for.
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
    ///
    /// Known keys that have grown old are given at once while a fetch runs; a fetch is waited for only without them.
    func keys() async throws(IdentityError) -> JWKSet {
        let now = clock.now()
        if let known, known.fetchedAt <= now {
            if now < known.fetchedAt.adding(seconds: settings.refreshSeconds) { return known.keys }
            if now < known.fetchedAt.adding(seconds: settings.refreshSeconds + settings.keepSeconds) {
                _ = refresh(atMostEvery: 1)
                return known.keys
            }
        }
        guard let fresh = await refresh(atMostEvery: 1)?.value else { throw .keysUnavailable }
        return fresh
    }

    /// The key set after asking again because a token named an unknown key; nil when it is too soon to ask again.
    func keysAfterUnknown() async -> JWKSet? {
        await refresh(atMostEvery: max(1, settings.refreshSeconds / 10))?.value
    }

    /// The fetch that is under way, else a new one; nil when it is too soon for one.
    private func refresh(atMostEvery seconds: Int64) -> Task<JWKSet?, Never>? {
        if let underWay { return underWay }
        let now = clock.now()
        if let lastAttempt, lastAttempt <= now, now < lastAttempt.adding(seconds: seconds) { return nil }
        lastAttempt = now
        let attempt = Task { await fetchKeys(at: now) }
        underWay = attempt
        return attempt
    }

    private func fetchKeys(at now: Instant) async -> JWKSet? {
        defer { underWay = nil }
        guard let bytes = try? await fetch(settings.jwks), let keys = try? await JWKSet(bytes) else { return nil }
        known = (keys, now)
        return keys
    }
}
