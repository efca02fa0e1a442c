package import HPKI

/// Verifies JWTs in compact JWS form (RFC 7515 §7.1, RFC 7519, RFC 8725).
package enum TokenVerifier {
    /// The longest token, in bytes.
    package static let byteLimit = 16_384

    /// Checks form, header, key and signature, and reads the claims; who may use the token is for the caller to judge.
    ///
    /// Nothing that the token names is ever fetched: `jku`, `x5u`, `jwk` and `x5c` are ignored. What the token is for
    /// stands in `types`, so that one made for another use is refused.
    /// Throws `.unknownKey` where the issuer may have published a newer key, and otherwise the first reason found.
    package static func verify(
        _ compact: String, keys: JWKSet, allowed: Set<JWSAlgorithm> = Set(JWSAlgorithm.allCases),
        types: TokenTypes = .accessToken
    ) throws(JOSEError) -> VerifiedToken {
        let jws = try CompactJWS(compact)
        let (algorithm, type, keyID) = try check(jws, keys: keys, allowed: allowed, types: types)
        // Claims are read only of bytes that the issuer has signed.
        let claims = try Claims(jws.payload)
        return try VerifiedToken(claims, algorithm: algorithm, keyID: keyID, type: type)
    }

    /// The payload of a JWS that carries something else than claims, checked the same way; throws as `verify` does.
    package static func verifiedPayload(
        _ compact: String, keys: JWKSet, allowed: Set<JWSAlgorithm> = Set(JWSAlgorithm.allCases)
    ) throws(JOSEError) -> [UInt8] {
        let jws = try CompactJWS(compact)
        _ = try check(jws, keys: keys, allowed: allowed, types: .accessToken)
        return jws.payload
    }

    static func check(
        _ jws: CompactJWS, keys: JWKSet, allowed: Set<JWSAlgorithm>, types: TokenTypes
    ) throws(JOSEError) -> (JWSAlgorithm, type: String?, keyID: String?) {
        let algorithm = try jws.algorithm(allowed)
        let type = try jws.type(types)
        let keyID = try jws.keyID()
        try keys.key(keyID).verify(jws.signature, of: jws.signingInput, by: algorithm)
        return (algorithm, type, keyID)
    }

    /// The issuer that a token claims, only good for choosing whose keys to verify it with; throws `JOSEError`.
    package static func unverifiedIssuer(_ compact: String) throws(JOSEError) -> String {
        let claims = try Claims(try CompactJWS(compact).payload)
        guard let issuer = try claims.text("iss") else { throw .claimMalformed("iss") }
        return issuer
    }
}

/// A token whose signature is its issuer's; a claim that it does not make is nil.
package struct VerifiedToken: Sendable, Hashable {
    package let algorithm: JWSAlgorithm
    /// `kid` of the key that signed it.
    package let keyID: String?
    /// `typ` in lower case, without `application/`.
    package let type: String?
    package let issuer: String?
    package let subject: String?
    /// `aud`; empty where there is none.
    package let audience: [String]
    package let expires: Instant?
    package let notBefore: Instant?
    package let issuedAt: Instant?
    /// `auth_time`, when the holder proved who they are (OpenID Connect Core §2).
    package let authenticatedAt: Instant?
    /// `acr`.
    package let authenticationContext: String?
    /// `amr`; empty where there is none.
    package let authenticationMethods: [String]
    /// `azp`.
    package let authorizedParty: String?
    /// `client_id` (RFC 9068 §2.2).
    package let clientID: String?
    /// `jti`.
    package let tokenID: String?
    /// `sid`.
    package let sessionID: String?
    /// `scope`, split at its spaces.
    package let scope: [String]
    /// `roles` (RFC 9068 §2.2.3.1); nil where the issuer is silent.
    package let roles: [String]?
    /// `shirushi_roles`, what somebody who looks at the log is here for; nil where the issuer is silent.
    package let reviewerRoles: [String]?
    /// `cnf.jkt`, the thumbprint of the key whose holder alone may use the token (RFC 9449 §6.1).
    package let cnfThumbprint: String?
    /// `cnf.x5t#S256`, the SHA-256 of the TLS certificate whose holder alone may use the token (RFC 8705 §3.1).
    package let cnfCertificate: String?
    /// `nonce` (OpenID Connect Core §2).
    package let nonce: String?
    /// The names of `events`, in their order; empty where there are none (RFC 8417 §2.2).
    package let events: [String]
    /// `attested_by`, who saw the holder log in where the issuer did not do so itself; nil where it is silent.
    package let attestedBy: String?
    /// `authorization_details`, whatever they are; nil where there are none (RFC 9396 §9.1).
    package let authorizationDetails: JSONValue?

    /// The client system: `client_id`, else `azp`.
    package var client: String? { clientID ?? authorizedParty }

    fileprivate init(_ claims: Claims, algorithm: JWSAlgorithm, keyID: String?, type: String?) throws(JOSEError) {
        self.algorithm = algorithm
        self.keyID = keyID
        self.type = type
        issuer = try claims.text("iss")
        subject = try claims.text("sub")
        audience = try claims.audience()
        expires = try claims.instant("exp")
        notBefore = try claims.instant("nbf")
        issuedAt = try claims.instant("iat")
        authenticatedAt = try claims.instant("auth_time")
        authenticationContext = try claims.text("acr")
        authenticationMethods = try claims.texts("amr") ?? []
        authorizedParty = try claims.text("azp")
        clientID = try claims.text("client_id")
        tokenID = try claims.text("jti")
        sessionID = try claims.text("sid")
        scope = (try claims.text("scope") ?? "").split(separator: " ").map(String.init)
        roles = try claims.texts("roles")
        reviewerRoles = try claims.texts("shirushi_roles")
        (cnfThumbprint, cnfCertificate) = try claims.confirmation()
        nonce = try claims.text("nonce")
        events = try claims.events()
        attestedBy = try claims.text("attested_by")
        authorizationDetails = claims.value["authorization_details"]
    }
}
