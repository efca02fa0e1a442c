package import HPKI
internal import JOSE

/// Whom a relying system expects, by an ID token that it was given (OpenID Connect Core §3.1.2.1, `id_token_hint`).
package enum IDTokenHint {
    /// The holder whom a hint of `client` names; nil where its key is no longer published, so that nobody can judge it.
    ///
    /// An expired token is a good hint: it says who was there. `keys` are those published, a JWK Set in JSON.
    package static func holder(
        _ compact: String, keys: [UInt8], issuer: String, client: ClientID
    ) async -> Result<HolderID?, OAuthError> {
        let wrong = OAuthError(.invalidRequest, "The id_token_hint is no ID token of this issuer for the client.")
        do {
            let token = try TokenVerifier.verify(
                compact, keys: try await JWKSet(keys), types: TokenTypes(["jwt"], mayBeUntyped: false))
            guard token.issuer == issuer, token.audience.contains(client.description),
                let holder = token.subject.flatMap({ HolderID($0) })
            else { return .failure(wrong) }
            return .success(holder)
        } catch JOSEError.unknownKey {
            return .success(nil)
        } catch {
            return .failure(wrong)
        }
    }
}
