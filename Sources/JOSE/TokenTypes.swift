/// Which `typ` a token may have where it is used, so that a token made for one use is refused in all others
/// (RFC 8725 §3.11).
package struct TokenTypes: Sendable, Hashable {
    /// Media types in lower case, without `application/` (RFC 7515 §4.1.9).
    package let names: Set<String>
    /// True where a token without `typ` is accepted.
    package let mayBeUntyped: Bool

    /// The types of one use; case and a leading `application/` make no difference.
    package init(_ names: Set<String>, mayBeUntyped: Bool) {
        self.names = Set(names.map(Self.normal))
        self.mayBeUntyped = mayBeUntyped
    }

    /// Access tokens (RFC 9068 §4), and those of issuers that know no type.
    package static let accessToken = TokenTypes(["at+jwt", "jwt"], mayBeUntyped: true)
    /// Assertions by which a client shows who it is (RFC 7523 §3, OpenID Connect Core §9).
    package static let clientAssertion = TokenTypes(["client-authentication+jwt", "jwt"], mayBeUntyped: true)
    /// Request objects (RFC 9101 §10.8).
    package static let requestObject = TokenTypes(["oauth-authz-req+jwt", "jwt"], mayBeUntyped: true)
    /// Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4).
    package static let logoutToken = TokenTypes(["logout+jwt"], mayBeUntyped: false)
    /// DPoP proofs (RFC 9449 §4.2).
    package static let dpop = TokenTypes(["dpop+jwt"], mayBeUntyped: false)

    static func normal(_ name: String) -> String {
        let lower = name.lowercased()
        guard lower.hasPrefix("application/") else { return lower }
        return String(lower.dropFirst("application/".count))
    }
}
