/// A relying system as the operator registered it with the authentication platform (OAuth 2.0 client, RFC 6749 §2).
package struct OAuthClient: Sendable, Hashable {
    /// How much is asked of the client.
    package enum Profile: String, Sendable, Hashable, CaseIterable {
        /// Pushed authorization requests and tokens that only their holder can use.
        case strict
        /// Code and PKCE alone, with bearer tokens, for relying parties that know no more.
        case plain
    }

    /// How the client proves who it is (OpenID Connect Core §9, RFC 8705 §2).
    package enum Authentication: Sendable, Hashable {
        /// A JWT by one of the client's keys: its JWK Set in JSON.
        case privateKeyJWT(jwks: [UInt8])
        /// A certificate of an authority that TLS trusts, with this subject (RFC 4514).
        case tlsClientAuth(subject: String)
        /// One of these certificates, SHA-256 over their DER.
        case selfSignedTLSClientAuth([Digest])
        /// A public client, which proves nothing: a local adapter.
        case none

        /// The name by which metadata knows it.
        package var name: String {
            switch self {
            case .privateKeyJWT: "private_key_jwt"
            case .tlsClientAuth: "tls_client_auth"
            case .selfSignedTLSClientAuth: "self_signed_tls_client_auth"
            case .none: "none"
            }
        }
    }

    package var id: ClientID
    package var japaneseName: String
    package var englishName: String
    package var profile: Profile
    package var authentication: Authentication
    /// The keys of its request objects where it does not authenticate by them: a JWK Set in JSON, or nil.
    package var requestKeys: [UInt8]?
    /// Compared as they stand.
    package var redirectURIs: [String]
    package var postLogoutRedirectURIs: [String]
    package var backchannelLogoutURI: String?
    /// The resources that it may have tokens for (RFC 8707), the first unless it says which.
    package var audiences: [String]
    package var scopes: [String]
    /// The types of `authorization_details` that it may ask for (RFC 9396 §10).
    package var authorizationDetailTypes: [String]
    /// The ways to log in that count for it.
    package var methods: Set<AuthenticationMethod>
    package var hasRefreshTokens: Bool

    /// A client of its parts.
    package init(
        id: ClientID, japaneseName: String, englishName: String, profile: Profile = .strict,
        authentication: Authentication, requestKeys: [UInt8]? = nil, redirectURIs: [String],
        postLogoutRedirectURIs: [String] = [],
        backchannelLogoutURI: String? = nil, audiences: [String], scopes: [String],
        authorizationDetailTypes: [String] = [],
        methods: Set<AuthenticationMethod> = Set(AuthenticationMethod.allCases), hasRefreshTokens: Bool = true
    ) {
        self.id = id
        self.japaneseName = japaneseName
        self.englishName = englishName
        self.profile = profile
        self.authentication = authentication
        self.requestKeys = requestKeys
        self.redirectURIs = redirectURIs
        self.postLogoutRedirectURIs = postLogoutRedirectURIs
        self.backchannelLogoutURI = backchannelLogoutURI
        self.audiences = audiences
        self.scopes = scopes
        self.authorizationDetailTypes = authorizationDetailTypes
        self.methods = methods
        self.hasRefreshTokens = hasRefreshTokens
    }

    /// The JWK Set that its request objects are verified with; nil where it may send none.
    package var requestObjectKeys: [UInt8]? {
        if case .privateKeyJWT(let jwks) = authentication { jwks } else { requestKeys }
    }

    /// Whether a redirect URI is one of the client's, character by character.
    ///
    /// A public client's loopback address may have any port (RFC 8252 §7.3).
    package func permits(redirectURI uri: String) -> Bool {
        // By bytes: strings that Unicode holds to be equal lead to different places.
        guard uri.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return false }
        if redirectURIs.contains(uri) { return true }
        guard authentication == .none, let asked = Self.withoutLoopbackPort(uri) else { return false }
        return redirectURIs.contains { Self.withoutLoopbackPort($0) == asked }
    }

    private static func withoutLoopbackPort(_ uri: String) -> String? {
        for origin in ["http://127.0.0.1", "http://[::1]"] where uri.hasPrefix(origin) {
            let rest = uri.dropFirst(origin.count)
            guard rest.hasPrefix(":") else { return rest.isEmpty || rest.hasPrefix("/") ? uri : nil }
            let port = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard (1...5).contains(port.count) else { return nil }
            let path = rest.dropFirst(1 + port.count)
            guard path.isEmpty || path.hasPrefix("/") else { return nil }
            return origin + path
        }
        return nil
    }
}
