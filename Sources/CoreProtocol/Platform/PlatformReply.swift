package import HPKI

/// What core answers to a platform command.
package enum PlatformReply: Sendable, Hashable {
    /// A session with the secret that its cookie holds.
    case opened(SessionFacts, secret: String)
    case session(SessionFacts)
    case sessions([SessionFacts])
    /// A code, to be used once within 60 seconds.
    case code(String)
    case tokens(TokenAnswer)
    /// A client, and the RFC 7638 thumbprint of the DPoP key that it proved to have.
    case client(ClientID, thumbprint: String? = nil)
    /// A JSON object.
    case claims([UInt8])
    /// The client that asked and the session that ended; nils where there was none.
    case ended(client: ClientID?)
    case logouts([LogoutNotice])
    case noted
}

/// A login's session as its holder sees it.
package struct SessionFacts: Sendable, Hashable {
    /// `sid` in tokens.
    package let id: String
    package let holder: HolderID
    package let method: AuthenticationMethod
    package let authenticatedAt: Instant
    package let endsAt: Instant
    /// The relying systems that have tokens by it.
    package let clients: [ClientID]
    /// Whether it is that of the secret that asked.
    package let isCurrent: Bool

    /// Facts with all their parts.
    package init(
        id: String, holder: HolderID, method: AuthenticationMethod, authenticatedAt: Instant, endsAt: Instant,
        clients: [ClientID], isCurrent: Bool
    ) {
        self.id = id
        self.holder = holder
        self.method = method
        self.authenticatedAt = authenticatedAt
        self.endsAt = endsAt
        self.clients = clients
        self.isCurrent = isCurrent
    }
}

/// A token response (RFC 6749 §5.1).
package struct TokenAnswer: Sendable, Hashable {
    package let accessToken: String
    /// Whether it is to be presented by the scheme `DPoP`.
    package let isDPoP: Bool
    /// In seconds.
    package let expiresIn: Int64
    package let idToken: String?
    package let refreshToken: String?
    package let scopes: [String]
    /// The `authorization_details` that the token has, in JSON (RFC 9396 §7); nil where it has none.
    package let authorizationDetails: [UInt8]?
    /// The nonce for the next proof, where one came (RFC 9449 §8.2).
    package let nonce: String?

    /// An answer with all its parts.
    package init(
        accessToken: String, isDPoP: Bool, expiresIn: Int64, idToken: String?, refreshToken: String?,
        scopes: [String], authorizationDetails: [UInt8]? = nil, nonce: String? = nil
    ) {
        self.accessToken = accessToken
        self.isDPoP = isDPoP
        self.expiresIn = expiresIn
        self.idToken = idToken
        self.refreshToken = refreshToken
        self.scopes = scopes
        self.authorizationDetails = authorizationDetails
        self.nonce = nonce
    }
}

/// A relying system that is to be told of a session's end.
package struct LogoutNotice: Sendable, Hashable {
    package let number: Int64
    package let client: ClientID
    /// Where it wants to be told.
    package let url: String
    /// OpenID Connect Back-Channel Logout 1.0 §2.4, signed now.
    package let logoutToken: String

    /// A notice with all its parts.
    package init(number: Int64, client: ClientID, url: String, logoutToken: String) {
        self.number = number
        self.client = client
        self.url = url
        self.logoutToken = logoutToken
    }
}
