import Certificates
import HPKI
import Identity
import JOSE

/// Writes the claims of tokens and has them signed.
struct TokenMaker {
    let issuer: String
    let signer: TokenSigner

    /// An access token (RFC 9068 §2.2, RFC 9396 §9.1, RFC 9449 §6, RFC 8705 §3).
    ///
    /// `jti` begins with the grant, so that one code's tokens can be told from others of the session.
    func accessToken(
        of session: LoginSession, grant: String, jti: String, client: ClientID, audience: [String], scopes: [String],
        details: AuthorizationDetails?, roles: [HCRole], binding: TokenBinding?, from now: Instant, to end: Instant
    ) throws(JOSEError) -> String {
        var claims = common(session, from: now, to: end)
        claims += [
            JSONMember("aud", audience.count == 1 ? .string(audience[0]) : .array(audience.map(JSONValue.string))),
            JSONMember("client_id", .string(client.description)),
            JSONMember("nbf", .integer(now.seconds)),
            JSONMember("jti", .string("\(grant).\(jti)")),
            JSONMember("roles", .array(roles.map { .string($0.description) })),
            JSONMember("attested_by", .string(session.attestedBy)),
        ]
        if !scopes.isEmpty { claims.append(JSONMember("scope", .string(scopes.joined(separator: " ")))) }
        if let details { claims.append(JSONMember("authorization_details", details.value)) }
        if let binding { claims.append(JSONMember("cnf", binding.claim)) }
        if let card = session.certificate.flatMap({ try? HPKICertificate(der: $0) }) {
            // Which authority's card and until when; never its serial number.
            claims.append(
                JSONMember(
                    "certificate",
                    [
                        "issuer_key_id": .string(Hex.encode(card.authorityKeyIdentifier ?? [])),
                        "not_after": .integer(card.notAfter.seconds),
                    ]))
        }
        return try signer.sign(.object(claims), type: "at+jwt")
    }

    /// An ID token (OpenID Connect Core §2).
    func idToken(
        of session: LoginSession, client: ClientID, nonce: String?, accessToken: String, from now: Instant,
        to end: Instant
    ) throws(JOSEError) -> String {
        var claims = common(session, from: now, to: end)
        claims += [
            JSONMember("aud", .string(client.description)), JSONMember("azp", .string(client.description)),
            JSONMember("at_hash", .string(signer.atHash(of: accessToken))),
        ]
        if let nonce { claims.append(JSONMember("nonce", .string(nonce))) }
        return try signer.sign(.object(claims))
    }

    /// A logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
    func logoutToken(
        session: String, holder: HolderID, audience: String, jti: String, at now: Instant
    ) throws(JOSEError) -> String {
        try signer.sign(
            .object([
                JSONMember("iss", .string(issuer)), JSONMember("sub", .string(holder.description)),
                JSONMember("aud", .string(audience)), JSONMember("iat", .integer(now.seconds)),
                JSONMember("exp", .integer(now.adding(seconds: 120).seconds)), JSONMember("jti", .string(jti)),
                JSONMember("sid", .string(session)),
                JSONMember("events", ["http://schemas.openid.net/event/backchannel-logout": .object([])]),
            ]), type: "logout+jwt")
    }

    private func common(_ session: LoginSession, from now: Instant, to end: Instant) -> [JSONMember] {
        [
            JSONMember("iss", .string(issuer)), JSONMember("sub", .string(session.holder.description)),
            JSONMember("iat", .integer(now.seconds)), JSONMember("exp", .integer(end.seconds)),
            JSONMember("auth_time", .integer(session.authenticatedAt.seconds)),
            JSONMember("acr", .string(session.method.rawValue)),
            JSONMember("amr", .array(session.authenticationMethods.map(JSONValue.string))),
            JSONMember("sid", .string(session.id)),
        ]
    }
}
