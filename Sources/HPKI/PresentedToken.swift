/// An access token as a request presents it, with what the client shows to prove that the token is its own.
package struct PresentedToken: Sendable, Hashable, ExpressibleByStringLiteral {
    /// What came beside a token: a proof of the key that it is bound to, and how the request would have it used.
    package struct Possession: Sendable, Hashable {
        /// Whether the token came by the scheme `DPoP` (RFC 9449 §7.1) rather than `Bearer`.
        package let isDPoP: Bool
        /// The one DPoP proof of the request, at most 16 KiB.
        package let proof: String?
        /// The request's method, such as `POST`.
        package let method: String
        /// The address that the request was made to, without query, by the service's own public origin.
        package let url: String
        /// SHA-256 over the client's certificate in DER, by TLS and front's word (RFC 8705 §3.1).
        package let certificate: Digest?

        /// Possession with all its parts.
        package init(isDPoP: Bool, proof: String?, method: String, url: String, certificate: Digest?) {
            self.isDPoP = isDPoP
            self.proof = proof
            self.method = method
            self.url = url
            self.certificate = certificate
        }
    }

    /// The compact token as it came, at most 16 KiB; judged by core alone.
    package let text: String
    /// Nil for a bare bearer token.
    package let possession: Possession?

    /// A token with what came beside it.
    package init(_ text: String, possession: Possession? = nil) {
        self.text = text
        self.possession = possession
    }

    /// A bearer token.
    package init(stringLiteral text: String) {
        self.init(text)
    }
}
