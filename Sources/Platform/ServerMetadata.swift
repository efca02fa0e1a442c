package import HPKI
internal import JOSE

/// What the platform offers, for clients to read (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
package struct ServerMetadata: Sendable {
    private static let algorithms = ["ES256", "RS256", "PS256"]
    private static let authentication = ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth", "none"]

    package let issuer: String
    /// The origin at which TLS asks for a client certificate; nil where none does.
    package let mutualTLSOrigin: String?
    package let methods: [AuthenticationMethod]
    package let scopes: [String]
    package let authorizationDetailTypes: [String]

    /// Metadata of an issuer whose clients may have `scopes` and `authorizationDetailTypes`, and log in by `methods`.
    package init(
        issuer: String, mutualTLSOrigin: String?, methods: [AuthenticationMethod], scopes: [String],
        authorizationDetailTypes: [String] = []
    ) {
        self.issuer = issuer
        self.mutualTLSOrigin = mutualTLSOrigin
        self.methods = methods
        self.scopes = scopes
        self.authorizationDetailTypes = authorizationDetailTypes
    }

    /// The document, JSON in UTF-8; the same at both addresses.
    package var json: [UInt8] { JSONValue.object(members).bytes }

    private var members: [JSONMember] {
        let methodNames = authentication
        var members = [JSONMember("issuer", .string(issuer))]
        members += endpoints(at: issuer, Self.everything)
        members += [
            JSONMember("scopes_supported", texts(scopes)),
            JSONMember("response_types_supported", ["code"]),
            JSONMember("response_modes_supported", ["query"]),
            JSONMember("grant_types_supported", ["authorization_code", "refresh_token"]),
            JSONMember("subject_types_supported", ["public"]),
            JSONMember("acr_values_supported", texts(methods.map(\.rawValue))),
            JSONMember("prompt_values_supported", texts(AuthorizationRequest.Prompt.allCases.map(\.rawValue))),
            JSONMember("id_token_signing_alg_values_supported", ["ES256"]),
            JSONMember("token_endpoint_auth_methods_supported", texts(methodNames)),
            JSONMember("token_endpoint_auth_signing_alg_values_supported", texts(Self.algorithms)),
            JSONMember("introspection_endpoint_auth_methods_supported", texts(methodNames)),
            JSONMember("introspection_endpoint_auth_signing_alg_values_supported", texts(Self.algorithms)),
            JSONMember("revocation_endpoint_auth_methods_supported", texts(methodNames)),
            JSONMember("revocation_endpoint_auth_signing_alg_values_supported", texts(Self.algorithms)),
            JSONMember("request_object_signing_alg_values_supported", texts(Self.algorithms)),
            JSONMember("dpop_signing_alg_values_supported", texts(Self.algorithms)),
            JSONMember("code_challenge_methods_supported", ["S256"]),
            JSONMember("claims_supported", texts(Self.claims)),
            JSONMember("ui_locales_supported", ["ja", "en"]),
            JSONMember("claims_parameter_supported", false),
            JSONMember("request_parameter_supported", true),
            // Those of the platform's own endpoint alone (RFC 9126 §5).
            JSONMember("request_uri_parameter_supported", false),
            JSONMember("require_pushed_authorization_requests", false),
            JSONMember("authorization_response_iss_parameter_supported", true),
            JSONMember("backchannel_logout_supported", true),
            JSONMember("backchannel_logout_session_supported", true),
            JSONMember("tls_client_certificate_bound_access_tokens", .boolean(mutualTLSOrigin != nil)),
        ]
        if !authorizationDetailTypes.isEmpty {
            members.append(JSONMember("authorization_details_types_supported", texts(authorizationDetailTypes)))
        }
        if let mutualTLSOrigin {
            members.append(
                JSONMember("mtls_endpoint_aliases", .object(endpoints(at: mutualTLSOrigin, Self.forClients))))
        }
        return members
    }

    private var authentication: [String] {
        mutualTLSOrigin == nil ? Self.authentication.filter { !$0.contains("tls") } : Self.authentication
    }

    private func endpoints(at origin: String, _ all: [(name: String, path: String)]) -> [JSONMember] {
        all.map { JSONMember($0.name, .string(origin + $0.path)) }
    }

    private func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

    private static let forClients: [(name: String, path: String)] = [
        ("token_endpoint", "/oauth2/token"), ("revocation_endpoint", "/oauth2/revoke"),
        ("introspection_endpoint", "/oauth2/introspect"), ("userinfo_endpoint", "/oauth2/userinfo"),
        ("pushed_authorization_request_endpoint", "/oauth2/pushed_authorize"),
    ]

    private static let everything: [(name: String, path: String)] =
        [
            ("authorization_endpoint", "/oauth2/authorize"), ("jwks_uri", "/oauth2/jwks"),
            ("end_session_endpoint", "/oauth2/logout"),
        ] + forClients

    private static let claims = [
        "iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash",
    ]
}
