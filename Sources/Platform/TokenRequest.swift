package import CoreProtocol
package import HPKI
internal import JOSE

/// Reads requests of clients to the token endpoint and its neighbours.
package enum TokenRequest {
    private static let assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    /// How the client shows who it is; throws `.invalidClient`, or `.malformedRequest` for what is too long.
    ///
    /// `authorization` says whether the request has an Authorization field: no client has a password here.
    package static func client(
        _ parameters: RequestParameters, certificate: [UInt8]?, isCertificateTrusted: Bool, authorization: Bool
    ) throws(Failure) -> ClientProof {
        guard !authorization, parameters["client_secret"] == nil else {
            throw Failure(.invalidClient, "Clients have no secrets here: use a key or a certificate.")
        }
        let id = parameters["client_id"]
        guard (id?.utf8.count ?? 0) <= PlatformLimits.word else { throw tooLong("client_id") }
        let assertion = parameters["client_assertion"]
        if let assertion {
            guard assertion.utf8.count <= PlatformLimits.token else { throw tooLong("client_assertion") }
            guard parameters["client_assertion_type"] == assertionType else {
                throw Failure(.invalidClient, "The client_assertion_type must be \(assertionType).")
            }
        }
        guard id != nil || assertion != nil else { throw Failure(.invalidClient, "The request names no client.") }
        let isShort = (certificate?.count ?? 0) <= PlatformLimits.certificate
        return ClientProof(
            client: id, assertion: assertion, certificate: isShort ? certificate : nil,
            isCertificateTrusted: isCertificateTrusted)
    }

    /// What is to be exchanged (RFC 6749 §4.1.3, §6); throws `.unsupportedGrantType`, `.malformedRequest` or
    /// `.invalidGrant`.
    package static func order(
        _ parameters: RequestParameters, client: ClientProof, proof: PresentedToken.Possession?
    ) throws(Failure) -> TokenOrder {
        TokenOrder(
            grant: try grant(parameters), client: client, proof: proof, scopes: try scopes(parameters),
            resources: try resources(parameters), authorizationDetails: try details(parameters))
    }

    /// The token that a request is about (RFC 7009 §2.1, RFC 7662 §2.1).
    package static func token(_ parameters: RequestParameters) throws(Failure) -> String {
        guard let token = parameters["token"] else {
            throw Failure(.malformedRequest, "The parameter token is missing.")
        }
        guard token.utf8.count <= PlatformLimits.token else { throw tooLong("token") }
        return token
    }

    private static func grant(_ parameters: RequestParameters) throws(Failure) -> TokenOrder.Grant {
        switch parameters["grant_type"] {
        case nil: throw Failure(.malformedRequest, "The parameter grant_type is missing.")
        case "authorization_code":
            guard let code = parameters["code"] else {
                throw Failure(.malformedRequest, "The parameter code is missing.")
            }
            guard let verifier = parameters["code_verifier"] else {
                throw Failure(.malformedRequest, "The parameter code_verifier is missing (RFC 7636).")
            }
            guard (43...128).contains(verifier.utf8.count), verifier.utf8.allSatisfy(isUnreserved) else {
                throw Failure(.invalidGrant, "The code_verifier is not 43 to 128 unreserved characters.")
            }
            guard code.utf8.count <= PlatformLimits.secret else { throw Failure(.invalidGrant, "The code is none.") }
            let uri = parameters["redirect_uri"]
            guard (uri?.utf8.count ?? 0) <= PlatformLimits.url else { throw tooLong("redirect_uri") }
            return .code(code, redirectURI: uri, verifier: verifier)
        case "refresh_token":
            guard let token = parameters["refresh_token"] else {
                throw Failure(.malformedRequest, "The parameter refresh_token is missing.")
            }
            guard token.utf8.count <= PlatformLimits.secret else {
                throw Failure(.invalidGrant, "The refresh token is none.")
            }
            return .refresh(token)
        default:
            throw Failure(.unsupportedGrantType, "The grant types are authorization_code and refresh_token.")
        }
    }

    private static func scopes(_ parameters: RequestParameters) throws(Failure) -> [String] {
        let scopes = (parameters["scope"] ?? "").split(separator: " ").map(String.init)
        guard scopes.count <= PlatformLimits.list, scopes.allSatisfy({ $0.utf8.count <= PlatformLimits.url }) else {
            throw Failure(.invalidScope, "The scope is too long.")
        }
        return scopes
    }

    private static func resources(_ parameters: RequestParameters) throws(Failure) -> [String] {
        let resources = parameters.all("resource")
        guard resources.count <= PlatformLimits.list, resources.allSatisfy({ $0.utf8.count <= PlatformLimits.url })
        else { throw Failure(.invalidTarget, "The resources are too many or too long.") }
        return resources
    }

    /// A part of what was granted (RFC 9396 §6), as core is told of it; throws `.invalidAuthorizationDetails`.
    private static func details(_ parameters: RequestParameters) throws(Failure) -> [UInt8]? {
        guard let text = parameters["authorization_details"] else { return nil }
        do { return try AuthorizationDetails(Array(text.utf8)).json } catch {
            throw Failure(.invalidAuthorizationDetails, "The \(error).")
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func tooLong(_ name: String) -> Failure {
        Failure(.malformedRequest, "The parameter \(name) is longer than any of its kind.")
    }
}
