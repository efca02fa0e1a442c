internal import CoreProtocol
package import HPKI

/// A relying system's wish that its user be logged out (OpenID Connect RP-Initiated Logout §2).
package struct LogoutRequest: Sendable, Hashable {
    private static let stateLimit = 1024

    /// The ID token as it came; core alone judges it.
    package let idTokenHint: String?
    package let client: ClientID?
    package let redirectURI: String?
    package let state: String?
    package let uiLocales: String?

    /// Reads the parameters; throws `.invalidRequest` for what is too long or no client.
    package init(_ parameters: Parameters) throws(OAuthError) {
        idTokenHint = parameters["id_token_hint"]
        redirectURI = parameters["post_logout_redirect_uri"]
        state = parameters["state"]
        uiLocales = parameters["ui_locales"].flatMap { $0.utf8.count <= 256 ? $0 : nil }
        guard (idTokenHint?.utf8.count ?? 0) <= PlatformLimits.token,
            (redirectURI?.utf8.count ?? 0) <= PlatformLimits.url, (state?.utf8.count ?? 0) <= Self.stateLimit
        else { throw OAuthError(.invalidRequest, "A parameter is longer than any of its kind.") }
        let id = parameters["client_id"]
        client = id.flatMap { ClientID($0) }
        guard id == nil || client != nil else { throw OAuthError(.invalidRequest, "The client_id is none.") }
    }

    /// Where the browser goes afterwards: an address that `client` registered, compared as it stands.
    ///
    /// Throws `.invalidRequest` for any other; nil where none is asked for.
    package func target(of client: OAuthClient?) throws(OAuthError) -> RedirectTarget? {
        guard let redirectURI else { return nil }
        guard let client, client.postLogoutRedirectURIs.contains(redirectURI) else {
            throw OAuthError(.invalidRequest, "The post_logout_redirect_uri is not one that is registered.")
        }
        return RedirectTarget(uri: redirectURI, state: state)
    }
}
