import HPKI
import PKCS11
internal import Synchronization

/// Unwrapped keys that are kept for their holders' next signatures: bounded in number and time, off when the number is 0.
package final class KeyCache: Sendable {
    /// How many keys are kept unwrapped, and for how long.
    package struct Settings: Sendable, Hashable {
        /// 0: none, every use unwraps the key and destroys the copy.
        package var size: Int
        package var lifetime: Duration

        /// Bounds of a cache.
        package init(size: Int, lifetime: Duration) {
            self.size = size
            self.lifetime = lifetime
        }

        /// No cache.
        package static let off = Settings(size: 0, lifetime: .zero)
    }

    fileprivate struct Entry {
        let key: VaultKey
        let blob: [UInt8]
        let until: ContinuousClock.Instant
    }

    fileprivate struct State {
        var entries: [CredentialID: Entry] = [:]
        // In the order of their ends, since all live equally long; names of forgotten ones stay until their turn.
        var order: [CredentialID] = []
        var oldest = 0
        var vault: KeyVault?
        var hits: Int64 = 0
        var misses: Int64 = 0
    }

    private let pool: SessionPool
    private let settings: Settings
    // INVARIANT: at most `settings.size` entries; an entry's key is destroyed in the token when the last use lets go.
    private let state = Mutex(State())

    init(pool: SessionPool, settings: Settings) {
        self.pool = pool
        self.settings = settings
    }

    var counts: (hits: Int64, misses: Int64) { state.withLock { ($0.hits, $0.misses) } }

    /// The unwrapped key, from the cache or freshly unwrapped into it; nil where the cache is off.
    func key(
        _ credential: CredentialID, _ wrapped: WrappedKey, as type: KeyType, under wrappingKey: KeyHandle,
        until deadline: ContinuousClock.Instant
    ) async throws(PKCS11Error) -> VaultKey? {
        guard settings.size > 0 else {
            state.withLock { $0.misses += 1 }
            return nil
        }
        let known = state.withLock { state -> VaultKey? in
            state.dropEnded(at: .now)
            guard let entry = state.entries[credential], entry.blob == wrapped.blob else {
                state.misses += 1
                return nil
            }
            state.hits += 1
            return entry.key
        }
        if let known { return known }
        let vault = try await vault()
        let key: VaultKey
        key = try await vault.unwrap(wrapped.blob, as: type, under: wrappingKey, deadline: deadline)
        let entry = Entry(key: key, blob: wrapped.blob, until: .now.advanced(by: settings.lifetime))
        let evicted = state.withLock { state -> [Entry] in
            var evicted: [Entry] = []
            if let old = state.entries.updateValue(entry, forKey: credential) { evicted.append(old) }
            state.order.append(credential)
            while state.entries.count > settings.size { if let old = state.popOldest() { evicted.append(old) } }
            return evicted
        }
        // Let go outside the lock: destroying asks the module.
        withExtendedLifetime(evicted) {}
        return key
    }

    func forget(_ credential: CredentialID) {
        let entry = state.withLock { $0.entries.removeValue(forKey: credential) }
        withExtendedLifetime(entry) {}
    }

    func forgetAll() {
        let old = state.withLock { state in
            defer {
                state.entries = [:]
                state.order = []
                state.oldest = 0
                state.vault = nil
            }
            return (state.entries, state.vault)
        }
        withExtendedLifetime(old) {}
    }

    private func vault() async throws(PKCS11Error) -> KeyVault {
        if let vault = state.withLock({ $0.vault }) { return vault }
        let new = try await pool.openVault()
        let kept = state.withLock { state in
            // Two may have opened one at once.
            state.vault = state.vault ?? new
            return state.vault
        }
        if kept !== new { await new.close() }
        return kept ?? new
    }
}

extension KeyCache.State {
    fileprivate mutating func dropEnded(at now: ContinuousClock.Instant) {
        while oldest < order.count {
            guard let entry = entries[order[oldest]] else {
                oldest += 1
                continue
            }
            guard entry.until <= now else { break }
            entries[order[oldest]] = nil
            oldest += 1
        }
        compact()
    }

    fileprivate mutating func popOldest() -> KeyCache.Entry? {
        guard oldest < order.count else { return nil }
        defer {
            oldest += 1
            compact()
        }
        return entries.removeValue(forKey: order[oldest])
    }

    private mutating func compact() {
        guard oldest > 1024, oldest > order.count / 2 else { return }
        order.removeFirst(oldest)
        oldest = 0
    }
}
