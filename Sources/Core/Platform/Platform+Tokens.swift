import Audit
import CoreProtocol
import HPKI
import Identity
import JOSE
import Storage

// Tokens out of codes and refresh tokens (RFC 6749 §4.1.3 and §6).
extension Platform {
    func exchange(_ order: TokenOrder, _ requestID: String) async throws(Failure) -> TokenAnswer {
        let client = try clients.authenticate(order.client)
        let (secret, isCode) = order.grant.secret
        let digest = Digest(of: Array(secret.utf8))
        let grant: OAuthGrant
        switch try await read({ try GrantStore.grant(of: digest, isCode: isCode, in: $0) }) {
        case nil: throw Self.invalid("It is not known here, or its login has ended.")
        case .replayed(let found):
            // Only who may use it proves by it that there is a copy.
            guard found.client == client.id else { throw Self.invalid("It is another client's.") }
            // Somebody has a copy: nobody keeps what came of it (RFC 9700 §4.14.2, RFC 6749 §4.1.2).
            try await revoke(found, note: isCode ? "code used twice" : "refresh token used twice", requestID)
            throw Self.invalid("It was used before; all tokens that came of it are revoked.")
        case .unused(let found): grant = found
        }
        guard grant.client == client.id else { throw Self.invalid("It is another client's.") }
        let now = clock.now()
        guard let session = try await read({ try SessionStore.session(grant.session, at: now, in: $0) }) else {
            throw Self.invalid("Its login has ended.")
        }
        try await mustStillBeEnabled(session, requestID)
        if case .code(_, let redirectURI, let verifier) = order.grant {
            try check(grant, redirectURI: redirectURI, verifier: verifier, at: now)
        }
        let binding = try await binding(for: order, client)
        if let wanted = grant.binding, wanted != binding {
            throw Failure(.invalidDPoPProof, "The proof is by another key than the one that the grant is bound to.")
        }
        guard Set(order.scopes).isSubset(of: grant.scopes) else {
            throw Failure(.invalidScope, "A scope is more than was granted.")
        }
        let granted = grant.resources.isEmpty ? Array(client.audiences.prefix(1)) : grant.resources
        guard Set(order.resources).isSubset(of: granted) else {
            throw Failure(.invalidTarget, "A resource is more than was granted.")
        }
        let details = try Self.details(order.authorizationDetails, of: grant)
        // What was granted for given documents is not granted again and again (CSC API v2 §8.4.4).
        let next = client.hasRefreshTokens && grant.authorizationDetails == nil ? self.secret() : nil
        let isUsed = try await write { connection in
            // A session that ends at the same time wins.
            guard try SessionStore.session(session.id, at: now, in: connection) != nil else { return false }
            return try GrantStore.use(
                digest, of: grant, binding: binding, next: next.map { Digest(of: Array($0.utf8)) }, at: now,
                in: connection)
        }
        guard isUsed else {
            // Two at once are two holders of it, unless the session has just ended.
            try await revoke(grant, note: isCode ? "code used twice" : "refresh token used twice", requestID)
            throw Self.invalid("It was used at the same time; all tokens that came of it are revoked.")
        }
        let scopes = order.scopes.isEmpty ? grant.scopes : order.scopes
        let audience = order.resources.isEmpty ? granted : order.resources
        return try await answer(
            grant, session, client, binding, scopes: scopes, audience: audience, details: details, refresh: next,
            isCode: isCode, nonce: order.proof == nil ? nil : possession.nonce, at: now)
    }

    /// The part of the granted details that is asked for, or all of them.
    private static func details(
        _ asked: [UInt8]?, of grant: OAuthGrant
    ) throws(Failure) -> AuthorizationDetails? {
        guard let asked else { return grant.authorizationDetails }
        let part: AuthorizationDetails
        do { part = try AuthorizationDetails(asked) } catch {
            throw Failure(.invalidAuthorizationDetails, "The \(error).")
        }
        guard let granted = grant.authorizationDetails, granted.covers(part) else {
            throw Failure(.invalidAuthorizationDetails, "The authorization_details are more than was granted.")
        }
        return part
    }

    /// The thumbprint of the key that a request proves, where it does.
    func thumbprint(of proof: PresentedToken.Possession?) async throws(Failure) -> String? {
        guard let proof else { return nil }
        do { return try await possession.key(of: proof, with: nil) } catch { throw error.failure }
    }

    /// RFC 7636 §4.6, and the redirect URI of RFC 6749 §4.1.3.
    private func check(
        _ grant: OAuthGrant, redirectURI: String?, verifier: String, at now: Instant
    ) throws(Failure) {
        guard now < grant.codeExpiresAt else { throw Self.invalid("The code is older than a minute.") }
        guard redirectURI == grant.redirectURI else { throw Self.invalid("redirect_uri is not that of the request.") }
        guard (43...128).contains(verifier.utf8.count),
            verifier.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            Base64URL.encode(Digest(of: Array(verifier.utf8)).bytes) == grant.codeChallenge
        else { throw Self.invalid("code_verifier is not that of code_challenge.") }
    }

    /// What the tokens are bound to: the key of the DPoP proof, else the certificate that authenticated the client.
    private func binding(for order: TokenOrder, _ client: OAuthClient) async throws(Failure) -> TokenBinding? {
        if let thumbprint = try await thumbprint(of: order.proof) { return .key(thumbprint: thumbprint) }
        switch client.authentication {
        case .tlsClientAuth, .selfSignedTLSClientAuth:
            guard let certificate = order.client.certificate else { return nil }
            return .certificate(thumbprint: Base64URL.encode(Digest(of: certificate).bytes))
        case .privateKeyJWT, .none:
            guard client.profile == .plain else {
                throw Failure(.invalidDPoPProof, "This client's tokens are bound to a key: send a DPoP proof.")
            }
            return nil
        }
    }

    private func answer(
        _ grant: OAuthGrant, _ session: LoginSession, _ client: OAuthClient, _ binding: TokenBinding?,
        scopes: [String], audience: [String], details: AuthorizationDetails?, refresh: String?, isCode: Bool,
        nonce: String?, at now: Instant
    ) async throws(Failure) -> TokenAnswer {
        let roles = try await read { try HolderStore.registered(session.holder, in: $0) }?.record.roles ?? []
        let end = min(now.wholeSecond.adding(seconds: settings.accessTokenSeconds), session.endsAt)
        let maker = TokenMaker(issuer: settings.issuer, signer: keys.signer)
        do {
            let access = try maker.accessToken(
                of: session, grant: grant.id, jti: Hex.encode(random.bytes(16)), client: client.id, audience: audience,
                scopes: scopes, details: details, roles: roles, binding: binding, from: now, to: end)
            let identity =
                scopes.contains("openid")
                ? try maker.idToken(
                    of: session, client: client.id, nonce: isCode ? grant.nonce : nil, accessToken: access, from: now,
                    to: end) : nil
            var isDPoP = false
            if case .key = binding { isDPoP = true }
            return TokenAnswer(
                accessToken: access, isDPoP: isDPoP, expiresIn: max(0, end.seconds - now.seconds), idToken: identity,
                refreshToken: refresh, scopes: scopes, authorizationDetails: details?.json, nonce: nonce)
        } catch {
            throw Failure(.unexpected, "Something went wrong inside the service.", cause: "\(error)")
        }
    }

    static func invalid(_ reason: String) -> Failure { Failure(.invalidGrant, reason) }

    /// Revokes a grant and all tokens that came of it, and records why.
    func revoke(_ grant: OAuthGrant, note: String, _ requestID: String) async throws(Failure) {
        let now = clock.now()
        let statement = LogoutStatement(issuer: settings.issuer, grant: grant.id, at: now)
        let session = try await read { try SessionStore.session(grant.session, at: now, in: $0) }
        guard let session else { return }
        let record = LoginRecord(
            note: note, holder: session.holder, session: session.text, client: grant.client, requestID: requestID)
        do {
            try await log.record(record) { connection, _ in
                try GrantStore.revoke(grant.id, at: now, in: connection)
                try EndedLogins.store(statement, in: connection)
            }
        } catch { throw error.failure }
        ended.took(statement)
    }
}

extension TokenOrder.Grant {
    fileprivate var secret: (text: String, isCode: Bool) {
        switch self {
        case .code(let code, _, _): (code, true)
        case .refresh(let token): (token, false)
        }
    }
}
