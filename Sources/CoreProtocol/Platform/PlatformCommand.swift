package import HPKI

/// What front asks of core in the course of logins, tokens and logouts.
///
/// `PlatformLimits` bounds every part; a frame beyond them cannot be read, and core closes the link it came on.
package struct PlatformCommand: Sendable, Hashable {
    /// At most 64 bytes.
    package let requestID: String
    package let act: PlatformAct

    /// A command with its parts.
    package init(requestID: String, act: PlatformAct) {
        self.requestID = requestID
        self.act = act
    }
}

/// The bounds of what platform commands carry, in bytes of UTF-8 unless said otherwise.
package enum PlatformLimits {
    /// A compact token, assertion or proof.
    package static let token = 16_384
    /// A certificate in DER.
    package static let certificate = 16_384
    /// An address.
    package static let url = 2048
    /// A code, refresh token or session's secret.
    package static let secret = 512
    /// A parameter such as a nonce.
    package static let word = 1024
    /// Values of a list such as scopes.
    package static let list = 32
    /// Claims or a key set in JSON.
    package static let json = 65_536
    /// `authorization_details`.
    package static let details = 16_384
    /// Sessions or logouts told at once.
    package static let many = 256
}

/// One act of the platform.
package enum PlatformAct: Sendable, Hashable {
    /// Open a session for the holder of a card.
    case logIn(CardEvidence)
    /// Who is signed in by this secret: `.session`.
    case session(secret: String)
    /// All sessions of the one who is signed in: `.sessions`.
    case sessions(secret: String)
    /// Give a code to a client: `.code`.
    case grant(GrantOrder)
    /// Exchange a code or a refresh token: `.tokens`.
    case token(TokenOrder)
    /// Who this client is, and which key it has where it proves one: `.client`.
    case authenticate(ClientProof, proof: PresentedToken.Possession? = nil)
    /// What a token is worth (RFC 7662): `.claims`.
    case introspect(token: String, by: ClientProof)
    /// End a token and what came of the same code (RFC 7009): `.noted`.
    case revoke(token: String, by: ClientProof)
    /// What an access token's holder may be told as (OpenID Connect Core §5.3): `.claims`.
    case userInfo(PresentedToken)
    /// The keys that tokens are signed with (RFC 7517 §5): `.claims`.
    case keys
    /// End sessions: `.ended`.
    case end(EndOrder)
    /// The logouts that relying systems have not been told of yet: `.logouts`.
    case logouts
    /// A relying system was told, or could not be: `.noted`.
    case told(logout: Int64, isDone: Bool)
    /// An issuer says that a session has ended (OpenID Connect Back-Channel Logout 1.0 §2.4): `.noted`.
    case logoutToken(String)
}

extension PlatformAct {
    /// The act's word, for counters.
    package var name: String {
        switch self {
        case .logIn: "login"
        case .session: "session"
        case .sessions: "sessions"
        case .grant: "grant"
        case .token: "token"
        case .authenticate: "authenticate"
        case .introspect: "introspect"
        case .revoke: "revoke"
        case .userInfo: "userinfo"
        case .keys: "keys"
        case .end: "logout"
        case .logouts: "logouts"
        case .told: "told"
        case .logoutToken: "backchannel-logout"
        }
    }
}

/// What front saw of a card in TLS; the possession of its key is front's word.
package struct CardEvidence: Sendable, Hashable {
    /// A card's kind.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case hpki
        case jpki
    }

    package let kind: Kind
    /// The certificate that TLS proved the key of, DER.
    package let certificate: [UInt8]
    /// The relying system that the login is for, where there is one.
    package let client: ClientID?

    /// Evidence with all its parts.
    package init(kind: Kind, certificate: [UInt8], client: ClientID?) {
        self.kind = kind
        self.certificate = certificate
        self.client = client
    }
}

/// How a client shows who it is.
package struct ClientProof: Sendable, Hashable {
    /// `client_id`, where the request names one.
    package let client: String?
    /// `client_assertion` of the type that RFC 7523 §2.2 gives.
    package let assertion: String?
    /// The client's certificate in DER, by TLS and front's word.
    package let certificate: [UInt8]?
    /// Whether front's TLS found the certificate to be of an authority that it trusts.
    package let isCertificateTrusted: Bool

    /// A proof of its parts.
    package init(
        client: String?, assertion: String? = nil, certificate: [UInt8]? = nil, isCertificateTrusted: Bool = false
    ) {
        self.client = client
        self.assertion = assertion
        self.certificate = certificate
        self.isCertificateTrusted = isCertificateTrusted
    }
}

/// An authorization request that front found in order, for the holder of a session.
package struct GrantOrder: Sendable, Hashable {
    /// The session's secret from its cookie.
    package var secret: String
    package var client: ClientID
    package var redirectURI: String
    package var scopes: [String]
    /// `resource` (RFC 8707).
    package var resources: [String]
    /// `authorization_details` in JSON (RFC 9396 §2); nil where there are none.
    package var authorizationDetails: [UInt8]?
    package var nonce: String?
    /// `code_challenge` by S256 (RFC 7636 §4.2).
    package var codeChallenge: String
    /// The ways to log in that the request accepts; empty for any that the client may use.
    package var methods: [AuthenticationMethod]
    /// The longest time since authentication in seconds (`max_age`).
    package var maxAge: Int64?
    /// Authentication must not have been before this moment (`prompt=login`).
    package var notBefore: Instant?
    /// `dpop_jkt` (RFC 9449 §10).
    package var dpopThumbprint: String?
    /// Whether the request was pushed, as the strict profile wants it.
    package var isPushed: Bool

    /// An order with all its parts.
    package init(
        secret: String, client: ClientID, redirectURI: String, scopes: [String], resources: [String] = [],
        authorizationDetails: [UInt8]? = nil, nonce: String? = nil, codeChallenge: String,
        methods: [AuthenticationMethod] = [], maxAge: Int64? = nil,
        notBefore: Instant? = nil, dpopThumbprint: String? = nil, isPushed: Bool
    ) {
        self.secret = secret
        self.client = client
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.resources = resources
        self.authorizationDetails = authorizationDetails
        self.nonce = nonce
        self.codeChallenge = codeChallenge
        self.methods = methods
        self.maxAge = maxAge
        self.notBefore = notBefore
        self.dpopThumbprint = dpopThumbprint
        self.isPushed = isPushed
    }
}

/// A token request (RFC 6749 §4.1.3 and §6).
package struct TokenOrder: Sendable, Hashable {
    /// What is exchanged.
    package enum Grant: Sendable, Hashable {
        case code(String, redirectURI: String?, verifier: String)
        case refresh(String)
    }

    package var grant: Grant
    package var client: ClientProof
    /// The DPoP proof, its request's method and address; nil where none came.
    package var proof: PresentedToken.Possession?
    /// A part of what was granted; empty for all of it.
    package var scopes: [String]
    package var resources: [String]
    /// A part of the `authorization_details` that were granted, in JSON (RFC 9396 §6); nil for all of them.
    package var authorizationDetails: [UInt8]?

    /// An order with all its parts.
    package init(
        grant: Grant, client: ClientProof, proof: PresentedToken.Possession? = nil, scopes: [String] = [],
        resources: [String] = [], authorizationDetails: [UInt8]? = nil
    ) {
        self.grant = grant
        self.client = client
        self.proof = proof
        self.scopes = scopes
        self.resources = resources
        self.authorizationDetails = authorizationDetails
    }
}

/// Which sessions are to end, and by whose word.
package enum EndOrder: Sendable, Hashable {
    /// Their own: one by its id, or that of the secret itself.
    case own(secret: String, session: String?)
    /// All of their own.
    case all(secret: String)
    /// A relying system's logout, by the ID token it was given (OpenID Connect RP-Initiated Logout §2).
    case relyingSystem(idToken: String)
}
