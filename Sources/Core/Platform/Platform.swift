import Audit
import CoreProtocol
import HPKI
import Identity
import JOSE
import Keys
import Storage

/// Logins, tokens and logouts: sessions are opened here on evidence judged here, and tokens are signed nowhere else.
///
/// Front asks; it can neither mint a token nor open a session of a holder whose card it has not seen the certificate of.
struct Platform: Sendable {
    let settings: PlatformSettings
    let window: ActivationWindow
    let database: Database
    let log: AuditLog
    let keys: TokenKeys
    let clients: ClientAuthentication
    let facilities: RegisteredClients
    let possession: PossessionGate
    let ended: EndedLogins
    let hpki: CardWatch?
    let jpki: CardWatch?
    let custody: KeyCustody
    let clock: WallClock
    let random: Random

    /// Does one act; throws what is wrong with it.
    func callAsFunction(_ command: PlatformCommand) async throws(Failure) -> PlatformReply {
        let requestID = command.requestID
        switch command.act {
        case .logIn(let evidence): return try await logIn(evidence, requestID)
        case .session(let secret): return .session(try await facts(of: try await session(secret), isCurrent: true))
        case .sessions(let secret): return .sessions(try await sessions(like: try await session(secret)))
        case .grant(let order): return .code(try await grant(order, requestID))
        case .token(let order): return .tokens(try await exchange(order, requestID))
        case .authenticate(let proof, let possession):
            let client = try clients.authenticate(proof).id
            return .client(client, thumbprint: try await thumbprint(of: possession))
        case .introspect(let token, let proof):
            return .claims(try await introspect(token, for: try clients.authenticate(proof)))
        case .revoke(let token, let proof):
            try await revoke(token, by: try clients.authenticate(proof), requestID)
            return .noted
        case .userInfo(let token): return .claims(try await userInfo(token))
        case .keys: return .claims(keys.published)
        case .end(let order): return .ended(client: try await end(order, requestID))
        case .logouts: return .logouts(try await dueLogouts())
        case .told(let number, let isDone):
            let now = clock.now()
            try await write { try LogoutNoticeStore.settle(number, isDone: isDone, at: now, in: $0) }
            return .noted
        case .logoutToken:
            // Answered by `BackchannelLogout`, which needs no platform of one's own.
            throw Failure(.unexpected, "Something went wrong inside the service.")
        }
    }

    // MARK: What every act needs

    /// The session of a cookie's secret; throws `.loginRequired`.
    func session(_ secret: String) async throws(Failure) -> LoginSession {
        let (digest, now) = (Digest(of: Array(secret.utf8)), clock.now())
        guard let session = try await read({ try SessionStore.session(secret: digest, at: now, in: $0) }) else {
            throw Failure(.loginRequired, "Nobody is logged in by this session.", reasons: ["ended"])
        }
        return session
    }

    /// A fresh secret of 256 bits in base64url.
    func secret() -> String { Base64URL.encode(random.bytes(32)) }

    func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(Failure) -> Value {
        do { return try await database.read(work) } catch { throw Self.unreadable(error) }
    }

    func write<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(Failure) -> Value {
        do { return try await database.write(work) } catch { throw Self.unreadable(error) }
    }

    private static func unreadable(_ error: any Error) -> Failure {
        Failure(
            .coreUnavailable, "The sessions cannot be read at present.", retryAfter: 5, cause: "\(error)")
    }

    func facts(of session: LoginSession, isCurrent: Bool) async throws(Failure) -> SessionFacts {
        let clients = try await read { try GrantStore.clients(of: session.id, in: $0) }
        return SessionFacts(
            id: session.id, holder: session.holder, method: session.method,
            authenticatedAt: session.authenticatedAt, endsAt: session.endsAt, clients: clients, isCurrent: isCurrent)
    }

    private func sessions(like current: LoginSession) async throws(Failure) -> [SessionFacts] {
        let now = clock.now()
        let all = try await read {
            try SessionStore.sessions(of: current.holder, at: now, limit: PlatformLimits.many, in: $0)
        }
        var facts: [SessionFacts] = []
        for session in all { facts.append(try await self.facts(of: session, isCurrent: session.id == current.id)) }
        return facts
    }
}
