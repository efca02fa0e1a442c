package import CoreProtocol
package import HPKI
package import JOSE

/// An authorization request that was found in order (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).
package struct AuthorizationRequest: Sendable, Hashable {
    /// What a client asks to be shown to the person (OpenID Connect Core §3.1.2.1).
    package enum Prompt: String, Sendable, Hashable, CaseIterable {
        case none
        case login
        case selectAccount = "select_account"
    }

    package let client: ClientID
    package let target: RedirectTarget
    package let scopes: [String]
    package let resources: [String]
    package let details: AuthorizationDetails?
    package let nonce: String?
    package let codeChallenge: String
    /// Empty for any that the client may use.
    package let methods: [AuthenticationMethod]
    package let prompts: Set<Prompt>
    /// In seconds.
    package let maxAge: Int64?
    /// By `id_token_hint`, else `login_hint`.
    package let loginHint: HolderID?
    package let uiLocales: String?
    package let dpopThumbprint: String?
    package let isPushed: Bool

    /// Whether a session that is there already does not count.
    package var wantsLogin: Bool { prompts.contains(.login) || prompts.contains(.selectAccount) }
    /// Whether nothing may be shown.
    package var isSilent: Bool { prompts.contains(.none) }

    /// What core is asked for a code with.
    ///
    /// `startedAt` is given where the session was opened for this very request: that is what `prompt=login` and
    /// `max_age` want, and core holds the session's time of authentication against it.
    package func order(secret: String, startedAt: Instant?) -> GrantOrder {
        GrantOrder(
            secret: secret, client: client, redirectURI: target.uri, scopes: scopes, resources: resources,
            authorizationDetails: details?.json, nonce: nonce, codeChallenge: codeChallenge, methods: methods,
            maxAge: startedAt == nil ? maxAge : nil,
            notBefore: startedAt?.wholeSecond, dpopThumbprint: dpopThumbprint, isPushed: isPushed)
    }
}

extension AuthorizationRequest {
    private static let stateLimit = 1024

    /// Reads the parameters of a request by `client`, with those of its request object already in their place.
    ///
    /// `proven` is the thumbprint of the key of a DPoP proof that came along, and `hinted` whom an `id_token_hint` is of.
    /// The redirect URI is judged first: until it is the client's, nothing is sent there.
    package init(
        _ parameters: RequestParameters, of client: OAuthClient, isPushed: Bool, proven: String? = nil,
        hinted: Result<HolderID?, OAuthError> = .success(nil)
    ) throws(AuthorizationFault) {
        let name = AuthorizationFault.ClientName(japanese: client.japaneseName, english: client.englishName)
        guard let uri = parameters["redirect_uri"], uri.utf8.count <= PlatformLimits.url,
            client.permits(redirectURI: uri)
        else {
            throw .untrusted(
                OAuthError(.invalidRequest, "The redirect_uri is missing or not one that is registered."), client: name)
        }
        let state = parameters["state"]
        guard (state?.utf8.count ?? 0) <= Self.stateLimit else {
            throw .refused(
                OAuthError(.invalidRequest, "The state is longer than \(Self.stateLimit) bytes."),
                RedirectTarget(uri: uri, state: nil))
        }
        target = RedirectTarget(uri: uri, state: state)
        let reader = AuthorizationReader(parameters, client)
        do {
            try reader.checkProtocol(isPushed: isPushed)
            codeChallenge = try reader.codeChallenge()
            scopes = try reader.scopes()
            resources = try reader.resources()
            details = try reader.details(scopes)
            nonce = try reader.word("nonce")
            prompts = try reader.prompts()
            maxAge = try reader.maxAge()
            methods = try reader.methods()
            dpopThumbprint = try reader.dpopThumbprint(proven: proven)
            loginHint = try hinted.get() ?? parameters["login_hint"].flatMap { HolderID($0) }
        } catch {
            throw .refused(error, target)
        }
        self.client = client.id
        uiLocales = parameters["ui_locales"].flatMap { $0.utf8.count <= 256 ? $0 : nil }
        self.isPushed = isPushed
    }
}
