package import HPKI
import JOSE
package import Storage
internal import Synchronization

/// Turns a bearer token into a `Caller`: who is asking, vouched for by whom.
package final class TokenIdentification: Sendable {
    let window: ActivationWindow
    private let issuers: [String: (settings: IssuerSettings, keys: IssuerKeys)]
    private let database: Database
    private let clock: WallClock
    // A token is used all day; its signature is checked once. INVARIANT: at most `limit` callers, keyed by the token.
    private let verified = Mutex<[String: (caller: Caller, until: Instant)]>([:])
    private static let limit = 20_000
    /// Seconds after which a token's signature, its key and its holder's link are judged anew.
    private static let judgementSeconds: Int64 = 60

    /// Identifies tokens of these issuers for the holders that the registry links to them.
    package init(
        issuers: [IssuerSettings], window: ActivationWindow, database: Database, clock: WallClock,
        fetch: @escaping @Sendable (String) async throws -> [UInt8]
    ) {
        self.window = window
        self.database = database
        self.clock = clock
        self.issuers = Dictionary(
            issuers.map { ($0.issuer, ($0, IssuerKeys($0, clock: clock, fetch: fetch))) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// Judges a compact token; throws what is wrong with it.
    package func identify(_ compact: String) async throws(IdentityError) -> Caller {
        let now = clock.now()
        if let known = verified.withLock({ $0[compact] }), now < known.until {
            try checkTimes(of: known.caller, at: now)
            return known.caller
        }
        let (token, settings) = try await verified(compact)
        let caller = try await caller(of: token, digest: Digest(of: Array(compact.utf8)), issuer: settings)
        try checkTimes(of: caller, at: now)
        verified.withLock { verified in
            if verified.count >= Self.limit { verified = verified.filter { now < $0.value.until } }
            if verified.count >= Self.limit { verified = [:] }
            verified[compact] = (caller, now.adding(seconds: Self.judgementSeconds))
        }
        return caller
    }

    /// Judges the compact token of somebody who looks at the log; throws what is wrong with it.
    ///
    /// Few look, so every token is judged anew.
    package func reviewer(_ compact: String) async throws(IdentityError) -> Reviewer {
        let (token, settings) = try await verified(compact)
        let digest = Digest(of: Array(compact.utf8))
        return try Reviewer(token, digest: digest, issuer: settings, window: window, at: clock.now())
    }

    /// The token behind its signature, and its issuer.
    private func verified(_ compact: String) async throws(IdentityError) -> (VerifiedToken, IssuerSettings) {
        let issuer: String
        do { issuer = try TokenVerifier.unverifiedIssuer(compact) } catch { throw .token("\(error)") }
        guard let (settings, keys) = issuers[issuer] else { throw .unknownIssuer }
        return (try await verify(compact, settings, keys), settings)
    }

    /// Opens the caller's window; throws `.windowElapsed` behind its end.
    package func activate(_ caller: Caller) throws(IdentityError) -> Activation {
        try Activation(of: caller, at: clock.now(), window: window)
    }

    private func verify(
        _ compact: String, _ settings: IssuerSettings, _ keys: IssuerKeys
    ) async throws(IdentityError) -> VerifiedToken {
        do {
            return try TokenVerifier.verify(compact, keys: try await keys.keys(), allowed: settings.algorithms)
        } catch let error as IdentityError {
            throw error
        } catch JOSEError.unknownKey {
            // The issuer may have rotated its keys; ask once more, within bounds.
            guard let fresh = await keys.keysAfterUnknown() else { throw .unknownKey }
            do { return try TokenVerifier.verify(compact, keys: fresh, allowed: settings.algorithms) } catch {
                if case .unknownKey = error { throw .unknownKey }
                throw .token("\(error)")
            }
        } catch {
            throw .token("\(error)")
        }
    }

    func holder(of subject: String, issuer: IssuerSettings) async throws(IdentityError) -> HolderID? {
        do {
            return try await database.read { connection in
                if let linked = try HolderStore.holder(issuer: issuer.issuer, subject: subject, in: connection) {
                    return linked
                }
                guard let named = HolderID(subject),
                    issuer.holders.contains(named) || issuer.speaksForRegistered,
                    try HolderStore.isEnabled(named, in: connection)
                else { return nil }
                return named
            }
        } catch { throw .registryUnreadable("\(error)") }
    }
}
