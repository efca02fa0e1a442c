import Audit
import CoreProtocol
import HPKI
import Identity
import JOSE
import Storage

// What tokens are worth: introspection (RFC 7662), revocation (RFC 7009), userinfo (OpenID Connect Core §5.3).
extension Platform {
    func introspect(_ token: String, for client: OAuthClient) async throws(Failure) -> [UInt8] {
        let inactive = JSONValue.object([JSONMember("active", false)]).bytes
        guard client.authentication != .none else {
            throw Failure(.unauthorizedClient, "A public client may not ask what tokens are worth.")
        }
        guard let access = try await accessToken(token) else {
            let digest = Digest(of: Array(token.utf8))
            let now = clock.now()
            guard
                case .unused(let grant)? = try await read({ try GrantStore.grant(of: digest, isCode: false, in: $0) }),
                grant.client == client.id,
                let session = try await read({ try SessionStore.session(grant.session, at: now, in: $0) })
            else { return inactive }
            return JSONValue.object([
                JSONMember("active", true), JSONMember("iss", .string(settings.issuer)),
                JSONMember("sub", .string(session.holder.description)),
                JSONMember("client_id", .string(client.id.description)),
                JSONMember("scope", .string(grant.scopes.joined(separator: " "))),
                JSONMember("exp", .integer(session.endsAt.seconds)), JSONMember("sid", .string(session.id)),
            ]).bytes
        }
        // Only its own client and the resources it is for may know.
        guard access.clientID == client.id.description || !Set(access.audience).isDisjoint(with: client.audiences)
        else {
            return inactive
        }
        return JSONValue.object([JSONMember("active", true)] + claims(access)).bytes
    }

    private func claims(_ token: VerifiedToken) -> [JSONMember] {
        var claims: [JSONMember] = [
            JSONMember("iss", .string(settings.issuer)), JSONMember("sub", .string(token.subject ?? "")),
            JSONMember("aud", .array(token.audience.map(JSONValue.string))),
            JSONMember("client_id", .string(token.clientID ?? "")),
            JSONMember("scope", .string(token.scope.joined(separator: " "))),
            JSONMember("acr", .string(token.authenticationContext ?? "")),
            JSONMember("amr", .array(token.authenticationMethods.map(JSONValue.string))),
            JSONMember("sid", .string(token.sessionID ?? "")), JSONMember("jti", .string(token.tokenID ?? "")),
        ]
        for (name, time) in [
            ("iat", token.issuedAt), ("nbf", token.notBefore), ("exp", token.expires),
            ("auth_time", token.authenticatedAt),
        ] {
            if let time { claims.append(JSONMember(name, .integer(time.seconds))) }
        }
        if let details = token.authorizationDetails { claims.append(JSONMember("authorization_details", details)) }
        if let roles = token.roles { claims.append(JSONMember("roles", .array(roles.map(JSONValue.string)))) }
        if let binding = try? TokenBinding(token) {
            claims += [JSONMember("cnf", binding.claim)]
            if case .key = binding { claims.append(JSONMember("token_type", "DPoP")) }
        } else {
            claims.append(JSONMember("token_type", "Bearer"))
        }
        return claims
    }

    func revoke(_ token: String, by client: OAuthClient, _ requestID: String) async throws(Failure) {
        let digest = Digest(of: Array(token.utf8))
        let grant: OAuthGrant?
        if let access = try await accessToken(token) {
            guard access.clientID == client.id.description, let id = access.grant else { return }
            grant = try await read { try GrantStore.grant(id, in: $0) }
        } else {
            switch try await read({ try GrantStore.grant(of: digest, isCode: false, in: $0) }) {
            case .unused(let found), .replayed(let found): grant = found
            case nil: grant = nil
            }
        }
        // An unknown token is as good as revoked (RFC 7009 §2.2); another client's stays.
        guard let grant, grant.client == client.id else { return }
        try await revoke(grant, note: "tokens revoked by their client", requestID)
    }

    func userInfo(_ presented: PresentedToken) async throws(Failure) -> [UInt8] {
        guard let token = try await accessToken(presented.text), let holder = HolderID(token.subject ?? "") else {
            throw Failure(.invalidToken, "The access token is not valid (any more).")
        }
        do { try await possession.check(presented, boundTo: try TokenBinding(token)) } catch { throw error.failure }
        guard token.scope.contains("openid") else {
            throw Failure(.denied, "The token's scope does not have openid.", rule: "scope")
        }
        var claims: [JSONMember] = [
            JSONMember("sub", .string(holder.description)),
            JSONMember("acr", .string(token.authenticationContext ?? "")),
            JSONMember("auth_time", .integer(token.authenticatedAt?.seconds ?? 0)),
            JSONMember("sid", .string(token.sessionID ?? "")),
            JSONMember("roles", .array((token.roles ?? []).map(JSONValue.string))),
        ]
        if token.scope.contains("profile"),
            let record = try await read({ try HolderStore.registered(holder, in: $0) })?.record
        {
            claims += [
                JSONMember("name", .string(record.japaneseName)), JSONMember("name#en", .string(record.romajiName)),
            ]
        }
        return JSONValue.object(claims).bytes
    }

    /// An access token of ours that counts now; nil for anything else.
    func accessToken(_ compact: String) async throws(Failure) -> VerifiedToken? {
        guard let own = try? await JWKSet(keys.published),
            let token = try? TokenVerifier.verify(
                compact, keys: own, types: TokenTypes(["at+jwt"], mayBeUntyped: false)),
            token.issuer == settings.issuer, let expires = token.expires, let session = token.sessionID,
            let authenticatedAt = token.authenticatedAt
        else { return nil }
        let now = clock.now()
        guard now < expires else { return nil }
        do {
            try ended.check(
                issuer: settings.issuer, session: session, grant: token.grant, subject: token.subject ?? "",
                authenticatedAt: authenticatedAt)
        } catch { return nil }
        return try await read { try SessionStore.session(session, at: now, in: $0) } == nil ? nil : token
    }
}
