package import HPKI
package import JOSE

/// A token issuer for development instances: no login stands behind its tokens, so production refuses its key.
package struct DevelopmentIssuer: Sendable {
    /// `iss` of its tokens, a URL.
    package let issuer: String
    private let signer: TokenSigner

    /// An issuer with the ES256 key of `privateKeyPEM`, or a fresh one from `random`; throws `.keyMalformed`.
    package init(issuer: String, privateKeyPEM: String?, random: Random) async throws(JOSEError) {
        self.issuer = issuer
        if let privateKeyPEM {
            signer = try await TokenSigner(privateKeyPEM: privateKeyPEM)
        } else {
            signer = try await TokenSigner.generate(random: random)
        }
    }

    /// The private key in PEM, a secret for the instance's secret file.
    package var privateKeyPEM: String { signer.privateKeyPEM }

    /// The JSON of the issuer's public key set (RFC 7517 §5).
    package var jwks: [UInt8] { signer.publicJWKSet }

    /// An access token as the platform's login would give it (RFC 9068), for `lifetime` seconds from `now`.
    ///
    /// `authTime` is when the holder is said to have logged in, from which the signing window counts.
    package func token(
        holderSubject: String, audience: String, client: String, acr: String, amr: [String], authTime: Instant,
        now: Instant, lifetime: Int64, jti: String, roles: [String]? = nil,
        reviewerRoles: [String]? = nil
    ) throws(JOSEError) -> String {
        var claims: [JSONMember] = [
            JSONMember("iss", .string(issuer)),
            JSONMember("sub", .string(holderSubject)),
            JSONMember("aud", .string(audience)),
            JSONMember("client_id", .string(client)),
            JSONMember("iat", .integer(now.seconds)),
            JSONMember("nbf", .integer(now.seconds)),
            JSONMember("exp", .integer(now.adding(seconds: lifetime).seconds)),
            JSONMember("auth_time", .integer(authTime.seconds)),
            JSONMember("acr", .string(acr)),
            JSONMember("amr", .array(amr.map(JSONValue.string))),
            JSONMember("jti", .string(jti)),
        ]
        if let roles { claims.append(JSONMember("roles", .array(roles.map(JSONValue.string)))) }
        if let reviewerRoles {
            claims.append(JSONMember("shirushi_roles", .array(reviewerRoles.map(JSONValue.string))))
        }
        return try signer.sign(.object(claims), type: "at+jwt")
    }
}
