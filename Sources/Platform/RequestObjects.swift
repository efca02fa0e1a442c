package import HPKI
internal import JOSE

/// Puts a request object's parameters in the place of those beside it (RFC 9101).
package enum RequestObjects {
    private static let longestSeconds: Int64 = 3600
    private static let skewSeconds: Int64 = 60
    /// What OAuth or OpenID Connect wants beside the object, where it must say the same (OpenID Connect Core §6.1).
    private static let repeated = ["client_id", "response_type", "scope", "redirect_uri", "state", "nonce"]

    /// The parameters that count for a request by `client`: those of the object where there is one, else `outer`.
    ///
    /// Until an object is verified nothing in it is trusted, nor any address: all faults are for the person alone.
    package static func parameters(
        _ outer: RequestParameters, of client: OAuthClient, issuer: String, now: Instant
    ) async throws(AuthorizationFault) -> RequestParameters {
        guard let compact = outer["request"] else { return outer }
        do {
            return try await opened(compact, beside: outer, of: client, issuer: issuer, now: now)
        } catch {
            throw .untrusted(
                error, client: .init(japanese: client.japaneseName, english: client.englishName))
        }
    }

    private static func opened(
        _ compact: String, beside outer: RequestParameters, of client: OAuthClient, issuer: String, now: Instant
    ) async throws(OAuthError) -> RequestParameters {
        guard let json = client.requestObjectKeys else {
            throw OAuthError(.invalidRequestObject, "This client has no keys registered for request objects.")
        }
        let object: RequestObject
        do {
            object = try RequestObject(verifying: compact, keys: try await JWKSet(json))
        } catch {
            throw OAuthError(.invalidRequestObject, "The request object is refused: \(error.code).")
        }
        guard object.issuer == client.id.description, object.audience.contains(issuer) else {
            throw OAuthError(
                .invalidRequestObject, "The request object's iss is not the client, or aud not this issuer.")
        }
        guard let expires = object.expires, now < expires, expires <= now.adding(seconds: longestSeconds),
            object.notBefore.map({ $0 <= now.adding(seconds: skewSeconds) }) ?? true
        else { throw OAuthError(.invalidRequestObject, "The request object has no exp, or is not valid now.") }
        let inner = try RequestParameters(claims: object.claims)
        guard inner["client_id"] == client.id.description else {
            throw OAuthError(.invalidRequestObject, "The request object's client_id is not that of the request.")
        }
        for name in repeated {
            if let beside = outer[name], let within = inner[name], beside != within {
                throw OAuthError(.invalidRequestObject, "The \(name) beside the request object is another.")
            }
        }
        return inner
    }
}
