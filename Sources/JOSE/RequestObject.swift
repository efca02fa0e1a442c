package import HPKI

/// An authorization request's parameters in a JWT that its client has signed (RFC 9101), with nothing judged but that.
package struct RequestObject: Sendable, Hashable {
    /// Everything the client has signed, an object; the parameters of the request are its members.
    package let claims: JSONValue
    /// `kid` of the client's key.
    package let keyID: String?
    /// `iss`, which must be the client.
    package let issuer: String?
    /// `client_id`, which must be that of the request beside it.
    package let clientID: String?
    /// `aud`, among which the issuer of the authorization server must be; empty where there is none.
    package let audience: [String]
    package let expires: Instant?
    package let notBefore: Instant?
    package let issuedAt: Instant?
    /// `jti`.
    package let tokenID: String?

    /// Verifies with a client's keys; throws `JOSEError`, as it does where the request names a further one (§4).
    package init(
        verifying compact: String, keys: JWKSet, allowed: Set<JWSAlgorithm> = Set(JWSAlgorithm.allCases)
    ) throws(JOSEError) {
        let jws = try CompactJWS(compact)
        keyID = try TokenVerifier.check(jws, keys: keys, allowed: allowed, types: .requestObject).keyID
        let claims = try Claims(jws.payload)
        for name in ["request", "request_uri"] where claims.value[name] != nil { throw .claimMalformed(name) }
        self.claims = claims.value
        issuer = try claims.text("iss")
        clientID = try claims.text("client_id")
        audience = try claims.audience()
        expires = try claims.instant("exp")
        notBefore = try claims.instant("nbf")
        issuedAt = try claims.instant("iat")
        tokenID = try claims.text("jti")
    }

    /// A parameter that is a string, nil where it is absent; throws `.claimMalformed`.
    package func text(_ name: String) throws(JOSEError) -> String? {
        guard let value = claims[name] else { return nil }
        guard let text = value.text else { throw .claimMalformed(excerpt(name)) }
        return text
    }
}
