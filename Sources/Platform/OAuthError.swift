/// Why an authorization request is refused, in the words of the protocol (RFC 6749 §4.1.2.1 and what extends it).
package struct OAuthError: Error, Sendable, Hashable {
    /// The registered names (IANA, OAuth Extensions Error).
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case invalidRequest = "invalid_request"
        case unauthorizedClient = "unauthorized_client"
        case accessDenied = "access_denied"
        case unsupportedResponseType = "unsupported_response_type"
        case invalidScope = "invalid_scope"
        case serverError = "server_error"
        case temporarilyUnavailable = "temporarily_unavailable"
        case invalidTarget = "invalid_target"
        case invalidClient = "invalid_client"
        case loginRequired = "login_required"
        case interactionRequired = "interaction_required"
        case unmetAuthenticationRequirements = "unmet_authentication_requirements"
        case invalidRequestURI = "invalid_request_uri"
        case invalidRequestObject = "invalid_request_object"
        case requestURINotSupported = "request_uri_not_supported"
        case registrationNotSupported = "registration_not_supported"
        case invalidAuthorizationDetails = "invalid_authorization_details"
    }

    package let code: Code
    /// One sentence in printable ASCII for the client's developers.
    package let description: String

    /// An error with its explanation.
    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// An authorization request that is refused, and whether its client can be told.
package enum AuthorizationFault: Error, Sendable, Hashable {
    /// Nothing says that the address is the client's, so that only the person in front of the browser is told.
    case untrusted(OAuthError, client: ClientName?)
    case refused(OAuthError, RedirectTarget)

    /// A client by its names, for a page.
    package struct ClientName: Sendable, Hashable {
        package let japanese: String
        package let english: String

        /// Names of a client.
        package init(japanese: String, english: String) {
            self.japanese = japanese
            self.english = english
        }
    }

    /// The error itself.
    package var error: OAuthError {
        switch self {
        case .untrusted(let error, _), .refused(let error, _): error
        }
    }
}
