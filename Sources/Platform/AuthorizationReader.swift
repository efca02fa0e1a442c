internal import CoreProtocol
internal import HPKI
internal import JOSE

/// Reads one parameter after the other of an authorization request whose redirect URI is trusted.
struct AuthorizationReader {
    private let parameters: RequestParameters
    private let client: OAuthClient

    init(_ parameters: RequestParameters, _ client: OAuthClient) {
        self.parameters = parameters
        self.client = client
    }

    /// What is asked for is the one thing offered, in the way that the client's profile wants.
    func checkProtocol(isPushed: Bool) throws(OAuthError) {
        guard isPushed || client.profile != .strict else {
            throw OAuthError(.unauthorizedClient, "This client must push its authorization requests (RFC 9126).")
        }
        guard let type = parameters["response_type"] else {
            throw OAuthError(.invalidRequest, "The response_type is missing.")
        }
        guard type == "code" else {
            throw OAuthError(.unsupportedResponseType, "The only response_type offered is code.")
        }
        guard ["query", nil].contains(parameters["response_mode"]) else {
            throw OAuthError(.invalidRequest, "The only response_mode offered is query.")
        }
        guard parameters["registration"] == nil else {
            throw OAuthError(.registrationNotSupported, "Clients are registered by the operator alone.")
        }
    }

    /// PKCE is required, by S256 alone (RFC 7636 §4.3, RFC 9700 §2.1.1).
    func codeChallenge() throws(OAuthError) -> String {
        guard let challenge = parameters["code_challenge"] else {
            throw OAuthError(.invalidRequest, "The code_challenge is missing (RFC 7636).")
        }
        guard parameters["code_challenge_method"] == "S256" else {
            throw OAuthError(.invalidRequest, "The code_challenge_method must be S256.")
        }
        guard Self.isSHA256(challenge) else {
            throw OAuthError(.invalidRequest, "The code_challenge is not a SHA-256 digest in base64url.")
        }
        return challenge
    }

    func scopes() throws(OAuthError) -> [String] {
        let asked = (parameters["scope"] ?? "").split(separator: " ").map(String.init)
        // Details may stand alone (RFC 9396 §3.1).
        guard !asked.isEmpty || parameters["authorization_details"] != nil, asked.count <= PlatformLimits.list,
            Set(asked).count == asked.count
        else {
            throw OAuthError(.invalidScope, "The scope is missing or names something twice.")
        }
        guard asked.allSatisfy(client.scopes.contains) else {
            throw OAuthError(.invalidScope, "The scope holds something that the client may not have.")
        }
        return asked
    }

    func resources() throws(OAuthError) -> [String] {
        let asked = parameters.all("resource")
        guard asked.count <= PlatformLimits.list, asked.allSatisfy(client.audiences.contains) else {
            throw OAuthError(.invalidTarget, "A resource is not one that the client may have tokens for.")
        }
        return asked
    }

    /// What is asked for beyond scopes (RFC 9396 §2), or by CSC API v2's scope `credential` with its parameters (§8.4.2).
    ///
    /// Rights that were asked for and cannot be given must not look as if they were.
    func details(_ scopes: [String]) throws(OAuthError) -> AuthorizationDetails? {
        let names = ["credentialID", "signatureQualifier", "hashes", "hashAlgorithmOID"]
        let details: AuthorizationDetails
        do throws(AuthorizationDetailsError) {
            if let text = parameters["authorization_details"] {
                let isTwice = scopes.contains(Self.credential) && names.contains { parameters[$0] != nil }
                guard !isTwice else { throw .malformed("parameters of the scope credential say the same again") }
                details = try AuthorizationDetails(Array(text.utf8))
            } else if scopes.contains(Self.credential) {
                var members = [JSONMember("type", .string(Self.credential))]
                for name in names { if let text = parameters[name] { members.append(JSONMember(name, .string(text))) } }
                if let number = parameters["numSignatures"] {
                    members.append(JSONMember("numSignatures", .number(number)))
                }
                details = try AuthorizationDetails(.array([.object(members)]))
            } else {
                return nil
            }
        } catch {
            let code: OAuthError.Code =
                parameters["authorization_details"] == nil ? .invalidRequest : .invalidAuthorizationDetails
            throw OAuthError(code, "The \(error).")
        }
        guard details.types.isSubset(of: client.authorizationDetailTypes) else {
            throw OAuthError(
                .invalidAuthorizationDetails, "A type of authorization_details is not one of the client's.")
        }
        let isElsewhere = details.locations.contains { place in
            !client.audiences.contains { place == $0 || place.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") }
        }
        guard !isElsewhere else {
            throw OAuthError(.invalidAuthorizationDetails, "A location is none that the client may have tokens for.")
        }
        return details
    }

    func word(_ name: String) throws(OAuthError) -> String? {
        guard let word = parameters[name] else { return nil }
        guard word.utf8.count <= PlatformLimits.word else {
            throw OAuthError(.invalidRequest, "The \(name) is longer than \(PlatformLimits.word) bytes.")
        }
        return word
    }

    func prompts() throws(OAuthError) -> Set<AuthorizationRequest.Prompt> {
        var prompts: Set<AuthorizationRequest.Prompt> = []
        for word in (parameters["prompt"] ?? "").split(separator: " ") {
            guard let prompt = AuthorizationRequest.Prompt(rawValue: String(word)) else {
                throw OAuthError(.invalidRequest, "A prompt is none of none, login and select_account.")
            }
            prompts.insert(prompt)
        }
        guard !prompts.contains(.none) || prompts.count == 1 else {
            throw OAuthError(.invalidRequest, "The prompt none stands beside another.")
        }
        return prompts
    }

    func maxAge() throws(OAuthError) -> Int64? {
        guard let text = parameters["max_age"] else { return nil }
        guard text.utf8.count <= 9, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = Int64(text)
        else { throw OAuthError(.invalidRequest, "The max_age is no number of seconds.") }
        return seconds
    }

    /// What of `acr_values` is known here and open to the client.
    ///
    /// A client that asks for nothing that it can have is told so, rather than given something else.
    func methods() throws(OAuthError) -> [AuthenticationMethod] {
        let asked = (parameters["acr_values"] ?? "").split(separator: " ")
        guard !asked.isEmpty else { return [] }
        var methods: [AuthenticationMethod] = []
        for word in asked.prefix(PlatformLimits.list) {
            if let method = AuthenticationMethod(rawValue: String(word)), client.methods.contains(method),
                !methods.contains(method)
            {
                methods.append(method)
            }
        }
        guard !methods.isEmpty else {
            throw OAuthError(.unmetAuthenticationRequirements, "None of the acr_values is offered to the client.")
        }
        return methods
    }

    /// `dpop_jkt`, or the key that a pushed request proved; both must be the same (RFC 9449 §10.1).
    func dpopThumbprint(proven: String?) throws(OAuthError) -> String? {
        guard let thumbprint = parameters["dpop_jkt"] else { return proven }
        guard Self.isSHA256(thumbprint) else {
            throw OAuthError(.invalidRequest, "The dpop_jkt is no thumbprint (RFC 9449 section 10).")
        }
        guard proven == nil || proven == thumbprint else {
            throw OAuthError(.invalidRequest, "The dpop_jkt is not that of the DPoP proof beside it.")
        }
        return thumbprint
    }

    private static let credential = CredentialAuthorization.Kind.credential.rawValue

    private static func isSHA256(_ text: String) -> Bool {
        text.utf8.count == 43 && Base64URL.decode(text)?.count == 32
    }
}
