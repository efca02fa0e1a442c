import Audit
import Certificates
import CoreProtocol
import HPKI
import Identity
import JOSE
import Keys
import Logging
import Storage

// The ends of sessions: by their holder, a relying system, or because the holder or card is no longer good.
extension Platform {
    func end(_ order: EndOrder, _ requestID: String) async throws(Failure) -> ClientID? {
        let now = clock.now()
        switch order {
        case .own(let secret, let id):
            let current = try await session(secret)
            guard let id, id != current.id else {
                try await end(current, note: "session ended by its holder", requestID)
                return nil
            }
            guard let other = try await read({ try SessionStore.session(id, at: now, in: $0) }),
                other.holder == current.holder
            else { throw Failure(.notFound, "You have no such session.") }
            try await end(other, note: "session ended by its holder", requestID)
            return nil
        case .all(let secret):
            let current = try await session(secret)
            try await endAll(of: current.holder, note: "session ended by its holder", requestID)
            return nil
        case .relyingSystem(let idToken):
            let (client, id) = try await hint(idToken)
            if let session = try await read({ try SessionStore.session(id, at: now, in: $0) }) {
                try await end(session, note: "session ended at a relying system", requestID, by: client)
            }
            return client
        }
    }

    /// Ends the sessions of a holder, or those by one method.
    func endAll(
        of holder: HolderID, by method: AuthenticationMethod? = nil, note: String, _ requestID: String
    ) async throws(Failure) {
        while true {
            let now = clock.now()
            let all = try await read {
                try SessionStore.sessions(of: holder, at: now, limit: PlatformLimits.many, in: $0)
            }
            let due = all.filter { method == nil || $0.method == method }
            for session in due { try await end(session, note: note, requestID) }
            guard all.count == PlatformLimits.many, !due.isEmpty else { return }
        }
    }

    /// Who was given an ID token of ours, and by which session; it may have expired (RP-Initiated Logout 1.0 §2).
    private func hint(_ idToken: String) async throws(Failure) -> (ClientID, String) {
        guard let own = try? await JWKSet(keys.published),
            let token = try? TokenVerifier.verify(
                idToken, keys: own, types: TokenTypes(["jwt"], mayBeUntyped: false)),
            token.issuer == settings.issuer, let session = token.sessionID,
            token.audience.count == 1, let client = ClientID(token.audience[0])
        else { throw Failure(.malformedRequest, "id_token_hint is not an ID token of this server.") }
        return (client, session)
    }

    /// Ends a session, its tokens, and the use of the holder's keys that it left in memory; has its clients told.
    func end(
        _ session: LoginSession, note: String, _ requestID: String, by client: ClientID? = nil
    ) async throws(Failure) {
        let now = clock.now()
        let statement = LogoutStatement(issuer: settings.issuer, session: session.id, at: now)
        let record = LoginRecord(
            note: note, holder: session.holder, session: session.text, client: client, requestID: requestID)
        let told = settings.clients.filter { $0.backchannelLogoutURI != nil }.map(\.id)
        do {
            try await log.record(record) { connection, _ in
                guard try SessionStore.end(session.id, at: now, in: connection) else {
                    throw Failure(.notFound, "The session has ended already.")
                }
                for client in try GrantStore.clients(of: session.id, in: connection) where told.contains(client) {
                    try LogoutNoticeStore.insert(client, session: session, at: now, in: connection)
                }
                try GrantStore.revoke(session: session.id, at: now, in: connection)
                try EndedLogins.store(statement, in: connection)
            }
        } catch {
            // Two ends at once: the first was recorded.
            guard case .refused(let failure) = error, failure.kind == .notFound else { throw error.failure }
            return
        }
        ended.took(statement)
        let keys = try await read { try CredentialStore.records(of: session.holder, limit: 256, in: $0) }
        for key in keys { custody.forget(key.id) }
    }

    func dueLogouts() async throws(Failure) -> [LogoutNotice] {
        let now = clock.now()
        let due = try await read { try LogoutNoticeStore.due(at: now, limit: PlatformLimits.many, in: $0) }
        let maker = TokenMaker(issuer: settings.issuer, signer: keys.signer)
        var notices: [LogoutNotice] = []
        for one in due {
            guard let url = clients.client(one.client)?.backchannelLogoutURI else {
                // Nobody is there to be told any more; it must not stand before others.
                let number = one.number
                try await write { try LogoutNoticeStore.settle(number, isDone: true, at: now, in: $0) }
                continue
            }
            guard
                let token = try? maker.logoutToken(
                    session: one.session, holder: one.holder, audience: one.client.description,
                    jti: Hex.encode(random.bytes(16)), at: now)
            else { continue }
            notices.append(LogoutNotice(number: one.number, client: one.client, url: url, logoutToken: token))
        }
        return notices
    }
}

// MARK: What time and the registry demand

extension Platform {
    /// Ends the sessions of holders that are disabled, and of cards that are revoked where `judgesCards`.
    func endUnworthy(judgesCards: Bool) async throws(Failure) {
        try await endDisabled()
        guard judgesCards else { return }
        var after = ""
        while true {
            let (now, from) = (clock.now(), after)
            let sessions = try await read {
                try SessionStore.open(after: from, at: now, limit: PlatformLimits.many, in: $0)
            }
            for session in sessions {
                guard let reason = fault(ofCardOf: session) else { continue }
                try await end(session, note: "session ended: \(reason)", "-")
            }
            guard sessions.count == PlatformLimits.many, let last = sessions.last else { return }
            after = last.id
        }
    }

    private func endDisabled() async throws(Failure) {
        var sessions: [LoginSession]
        repeat {
            let now = clock.now()
            sessions = try await read {
                try SessionStore.openOfDisabled(at: now, limit: PlatformLimits.many, in: $0)
            }
            for session in sessions { try await end(session, note: "session ended: holder disabled", "-") }
        } while sessions.count == PlatformLimits.many
    }

    private func fault(ofCardOf session: LoginSession) -> String? {
        guard let der = session.certificate, let card = try? HPKICertificate(der: der),
            let watch = session.method == .hpkiCard ? hpki : jpki
        else { return nil }
        switch watch.watch.fault(of: card, at: clock.now()) {
        case .revoked?: return "card revoked"
        case .expired?: return "card expired"
        // What cannot be known ends no session that was opened when it was known.
        default: return nil
        }
    }

    /// Polls the cards' revocation lists, and does what time and the registry demand, until its task is cancelled.
    func run(_ logger: Logger) async {
        await withTaskGroup(of: Void.self) { group in
            for card in [hpki, jpki] {
                if let card { group.addTask { await card.watch.run(log: logger) } }
            }
            if let read = settings.readClients { group.addTask { await followClients(read, logger) } }
            group.addTask {
                var generations: [UInt64?] = []
                var seconds = 0
                while (try? await Task.sleep(for: .seconds(2))) != nil {
                    let now = [hpki?.watch.generation, jpki?.watch.generation]
                    do throws(Failure) {
                        try await endUnworthy(judgesCards: now != generations || seconds % 600 == 0)
                        if seconds % 600 == 0 { try await tidy() }
                    } catch {
                        logger.error(
                            "sessions are not looked after", metadata: ["cause": "\(error.cause ?? error.detail)"])
                    }
                    generations = now
                    seconds += 2
                }
            }
        }
    }

    /// Forgets what no token can rest on any more, and changes token keys that are due.
    func tidy() async throws(Failure) {
        let past = clock.now().adding(seconds: -2 * window.seconds)
        // In small steps, between which logins are written too.
        while try await write({ try SessionStore.forget(before: past, limit: PlatformLimits.many, in: $0) })
            == PlatformLimits.many
        {}
        do {
            if let note = try await keys.rotate() { try await log.recordEvent(.configuration, note: note) }
        } catch { throw Failure(.coreUnavailable, "", cause: "token keys: \(error)") }
    }
}
