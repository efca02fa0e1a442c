internal import HPKI

/// A redirect URI that is the client's, with what the client wants back.
package struct RedirectTarget: Sendable, Hashable {
    package let uri: String
    package let state: String?

    /// An address that has been compared with those of the client.
    package init(uri: String, state: String?) {
        self.uri = uri
        self.state = state
    }

    /// The authorization response with a code (RFC 6749 §4.1.2) and the issuer against mix-ups (RFC 9207).
    package func location(code: String, issuer: String) -> String {
        location([("code", code), ("state", state), ("iss", issuer)])
    }

    /// The error response (RFC 6749 §4.1.2.1).
    package func location(error: OAuthError, issuer: String) -> String {
        location(error: error.code.rawValue, description: error.description, issuer: issuer)
    }

    /// The error response with a name that core's failures have.
    package func location(error: String, description: String, issuer: String) -> String {
        location([("error", error), ("error_description", description), ("state", state), ("iss", issuer)])
    }

    /// The address itself with `state` alone: after a logout (OpenID Connect RP-Initiated Logout §3).
    package var plainLocation: String { state == nil ? uri : location([("state", state)]) }

    private func location(_ pairs: [(String, String?)]) -> String {
        uri + (uri.contains("?") ? (uri.hasSuffix("?") || uri.hasSuffix("&") ? "" : "&") : "?")
            + PercentEncoding.query(pairs)
    }
}
