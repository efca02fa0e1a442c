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
    private let possession: PossessionGate
    private let ended: EndedLogins
    // A token is used all day; its signature is checked once. INVARIANT: at most `limit` callers, keyed by the token.
    private let verified = Mutex<[String: (known: Known, until: Instant)]>([:])
    private static let limit = 20_000
    /// Seconds after which a token's signature, its key and its holder's link are judged anew.
    private static let judgementSeconds: Int64 = 60

    /// A caller, and what must hold whenever the token is used.
    private struct Known {
        let caller: Caller
        let binding: TokenBinding?
        let session: String?
        /// The code that the platform's token came of.
        let grant: String?
    }

    /// Identifies tokens of these issuers for the holders that the registry links to them.
    ///
    /// `possession` judges proofs of the keys that tokens are bound to, and `ended` knows which logins have ended.
    package init(
        issuers: [IssuerSettings], window: ActivationWindow, database: Database, clock: WallClock,
        possession: PossessionGate, ended: EndedLogins,
        fetch: @escaping @Sendable (String) async throws -> [UInt8]
    ) {
        self.window = window
        self.database = database
        self.clock = clock
        self.possession = possession
        self.ended = ended
        self.issuers = Dictionary(
            issuers.map { ($0.issuer, ($0, IssuerKeys($0, clock: clock, fetch: fetch))) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The nonce that proofs of possession must have now.
    package var nonce: String { possession.nonce }

    /// Judges a token as a request presents it; throws what is wrong with it.
    package func identify(_ presented: PresentedToken) async throws(IdentityError) -> Caller {
        let now = clock.now()
        let known = try await known(presented.text, at: now)
        try checkTimes(of: known.caller, at: now)
        let caller = known.caller
        try ended.check(
            issuer: caller.issuer, session: known.session, grant: known.grant, subject: caller.subject,
            authenticatedAt: caller.authenticatedAt)
        try await possession.check(presented, boundTo: known.binding)
        return caller
    }

    private func known(_ compact: String, at now: Instant) async throws(IdentityError) -> Known {
        if let found = verified.withLock({ $0[compact] }), now < found.until { return found.known }
        let (token, settings) = try await verified(compact)
        let known = Known(
            caller: try await caller(of: token, digest: Digest(of: Array(compact.utf8)), issuer: settings),
            binding: try TokenBinding(token), session: token.sessionID,
            grant: settings.isPlatform ? token.grant : nil)
        try checkTimes(of: known.caller, at: now)
        if settings.isPlatform { try await mustBeOpen(known, at: now) }
        verified.withLock { verified in
            if verified.count >= Self.limit { verified = verified.filter { now < $0.value.until } }
            if verified.count >= Self.limit { verified = [:] }
            verified[compact] = (known, now.adding(seconds: Self.judgementSeconds))
        }
        return known
    }

    /// A token of our own platform is worth nothing without the session that it names, whoever signed it.
    private func mustBeOpen(_ known: Known, at now: Instant) async throws(IdentityError) {
        let session: LoginSession?
        do {
            session = try await database.read { try SessionStore.session(known.session ?? "", at: now, in: $0) }
        } catch { throw .registryUnreadable("\(error)") }
        guard session?.holder == known.caller.holder else { throw .loginEnded }
    }

    /// Judges the token of somebody who looks at the log; throws what is wrong with it.
    ///
    /// Few look, so every token is judged anew.
    package func reviewer(_ presented: PresentedToken) async throws(IdentityError) -> Reviewer {
        let (token, settings) = try await verified(presented.text)
        let digest = Digest(of: Array(presented.text.utf8))
        let reviewer = try Reviewer(token, digest: digest, issuer: settings, window: window, at: clock.now())
        try ended.check(
            issuer: reviewer.issuer, session: token.sessionID, subject: reviewer.subject,
            authenticatedAt: reviewer.authenticatedAt)
        try await possession.check(presented, boundTo: try TokenBinding(token))
        return reviewer
    }

    /// The token behind its signature, and its issuer.
    private func verified(_ compact: String) async throws(IdentityError) -> (VerifiedToken, IssuerSettings) {
        let issuer: String
        do { issuer = try TokenVerifier.unverifiedIssuer(compact) } catch { throw .token("\(error)") }
        guard let (settings, keys) = issuers[issuer] else { throw .unknownIssuer }
        let token = try await verify(compact, settings, keys)
        // Whoever vouched for leave to sign given documents did not vouch for more (RFC 9396 §9).
        guard token.authorizationDetails == nil else { throw .boundToDocuments }
        // An ID token of ours is no access token, and an access token for something else does not sign.
        if settings.isPlatform {
            guard token.type == "at+jwt" else { throw .token("the type is not that of an access token") }
            guard token.scope.contains("sign") else { throw .claim("scope", "does not have sign") }
            guard token.sessionID != nil else { throw .claim("sid", "is missing") }
        }
        return (token, settings)
    }

    /// The issuer of a logout token that it signed, with what it says has ended (OpenID Connect Back-Channel Logout 1.0
    /// §2.6); throws what is wrong with it.
    package func endedLogin(by compact: String) async throws(IdentityError) -> LogoutStatement {
        let issuer: String
        do { issuer = try TokenVerifier.unverifiedIssuer(compact) } catch { throw .token("\(error)") }
        guard let (settings, keys) = issuers[issuer] else { throw .unknownIssuer }
        let token = try await verify(compact, settings, keys, types: .logoutToken)
        return try LogoutStatement(token, issuer: settings, window: window, at: clock.now())
    }

    /// Opens the caller's window; throws `.windowElapsed` behind its end.
    package func activate(_ caller: Caller) throws(IdentityError) -> Activation {
        try Activation(of: caller, at: clock.now(), window: window)
    }

    private func verify(
        _ compact: String, _ settings: IssuerSettings, _ keys: IssuerKeys, types: TokenTypes = .accessToken
    ) async throws(IdentityError) -> VerifiedToken {
        do {
            return try TokenVerifier.verify(
                compact, keys: try await keys.keys(), allowed: settings.algorithms, types: types)
        } catch let error as IdentityError {
            throw error
        } catch JOSEError.unknownKey {
            // The issuer may have rotated its keys; ask once more, within bounds.
            guard let fresh = await keys.keysAfterUnknown() else { throw .unknownKey }
            do {
                return try TokenVerifier.verify(compact, keys: fresh, allowed: settings.algorithms, types: types)
            } catch {
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

extension VerifiedToken {
    /// The code that an access token of the platform came of, by the first part of its `jti`.
    package var grant: String? { tokenID?.split(separator: ".").first.map(String.init) }
}
