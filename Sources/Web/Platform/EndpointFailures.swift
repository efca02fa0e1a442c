internal import HPKI
internal import HTTPTypes
internal import Hummingbird

/// Failures at the endpoints of client systems, in the words of RFC 6749 §5.2.
struct EndpointFailures: FailurePages {
    private static let places: Set<String> = [
        "/oauth2/token", "/oauth2/pushed_authorize", "/oauth2/revoke", "/oauth2/introspect", "/v1/backchannel-logout",
    ]

    func response(_ failure: Failure, _ request: Request, _ context: APIContext, allow: String?) -> Response? {
        guard Self.places.contains(request.uri.path) else { return nil }
        let row = FailureTable.row(failure.kind)
        // 401 is for the client's own authentication; what is wrong with a grant or a proof is 400.
        let status = row.status == 401 && failure.kind != .invalidClient ? 400 : row.status
        var response = Response(oauthError: Self.name(failure.kind, row), failure.detail, status: status)
        response.headers.append(contentsOf: Challenge.nonce(failure))
        if status == 401, let scheme = request.headers[.authorization]?.prefix(while: { $0 != " " }) {
            // The scheme that the client tried (RFC 6749 §5.2), none of which is offered here.
            let isKnown = ["basic", "bearer", "dpop"].contains(scheme.lowercased())
            response.headers[.wwwAuthenticate] = (isKnown ? scheme.capitalized : "Basic") + " realm=\"shirushi\""
        }
        if let seconds = failure.retryAfter ?? row.retryAfter { response.headers[.retryAfter] = String(seconds) }
        if let allow { response.headers[.allow] = allow }
        return response
    }

    private static func name(_ kind: Failure.Kind, _ row: FailureTable.Row) -> String {
        switch kind {
        case .invalidToken, .expiredToken, .windowElapsed, .loginRequired, .loginRefused, .unknownHolder, .denied,
            .insufficientAuthentication:
            "invalid_grant"
        default: row.oauthError ?? (row.status >= 500 ? "server_error" : "invalid_request")
        }
    }
}
