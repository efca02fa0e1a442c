package import HPKI

/// Every route of the API with what a stranger gets there; tests hold the routers to it.
package enum RouteTable {
    /// One method on one path.
    package struct Entry: Sendable, Hashable {
        package let method: String
        /// The pattern, with `{name}` for a part that varies.
        package let path: String
        package let group: WebSettings.RouteGroup
        /// What a request without a token or a client certificate gets; nil where none is needed.
        package let toStranger: Failure.Kind?

        /// A route.
        package init(_ method: String, _ path: String, _ group: WebSettings.RouteGroup, toStranger: Failure.Kind?) {
            self.method = method
            self.path = path
            self.group = group
            self.toStranger = toStranger
        }
    }

    package static let prescriptions = Entry("POST", "/v1/prescriptions", .api, toStranger: .missingToken)
    package static let dispensings = Entry("POST", "/v1/dispensings", .api, toStranger: .missingToken)
    package static let signatures = Entry("POST", "/v1/signatures", .api, toStranger: .missingToken)
    package static let augmentations = Entry("POST", "/v1/augmentations", .api, toStranger: .missingToken)
    package static let signature = Entry("GET", "/v1/signatures/{id}", .api, toStranger: .missingToken)
    package static let receipt = Entry("GET", "/v1/signatures/{id}/receipt", .api, toStranger: .missingToken)
    package static let timestamps = Entry("POST", "/v1/timestamps", .api, toStranger: .missingToken)
    package static let validations = Entry("POST", "/v1/validations", .api, toStranger: .missingToken)
    package static let live = Entry("GET", "/health/live", .health, toStranger: nil)
    package static let ready = Entry("GET", "/health/ready", .health, toStranger: nil)

    /// All routes of the listeners that speak TLS.
    package static let entries =
        [
            prescriptions, dispensings, signatures, augmentations, signature, receipt, timestamps, validations, live,
            ready,
        ]
        + [backchannelLogout] + registration + console + platform + cardHosts + help + platformAssets

    package static let backchannelLogout = Entry(
        "POST", "/v1/backchannel-logout", .api, toStranger: .malformedRequest)

    /// The authentication platform at the issuer's host.
    package static let platform =
        [
            ("GET", "/.well-known/openid-configuration", nil), ("GET", "/.well-known/oauth-authorization-server", nil),
            ("GET", "/oauth2/jwks", nil), ("GET", "/oauth2/authorize", .malformedRequest),
            ("POST", "/oauth2/authorize", .malformedRequest), ("POST", "/oauth2/pushed_authorize", .malformedRequest),
            ("POST", "/oauth2/token", .malformedRequest), ("POST", "/oauth2/revoke", .malformedRequest),
            ("POST", "/oauth2/introspect", .malformedRequest), ("GET", "/oauth2/userinfo", .missingToken),
            ("POST", "/oauth2/userinfo", .missingToken), ("GET", "/oauth2/logout", nil),
            ("POST", "/oauth2/logout", .malformedRequest), ("GET", "/login", .malformedRequest),
            ("POST", "/login", .malformedRequest), ("GET", "/login/continue", .malformedRequest),
            ("GET", "/sessions", nil), ("POST", "/sessions/end", .malformedRequest),
        ].map { (method, path, kind: Failure.Kind?) in Entry(method, path, .platform, toStranger: kind) }

    /// The one page of the hosts that ask for cards.
    package static let cardHosts = [WebSettings.RouteGroup.cardHPKI, .cardJPKI].map {
        Entry("GET", "/login/card", $0, toStranger: .malformedRequest)
    }

    /// The registration authorities' routes.
    package static let registration =
        [
            ("GET", "holders"), ("GET", "holders/{holder}"), ("PUT", "holders/{holder}"),
            ("POST", "holders/{holder}/enable"), ("POST", "holders/{holder}/disable"),
            ("GET", "credentials"), ("GET", "credentials/{credential}"), ("PUT", "credentials/{credential}"),
            ("GET", "credentials/{credential}/request"), ("POST", "credentials/{credential}/certificate"),
            ("POST", "credentials/{credential}/suspend"), ("POST", "credentials/{credential}/resume"),
            ("POST", "credentials/{credential}/revoke"), ("POST", "credentials/{credential}/destroy"),
            ("POST", "revocation-lists"),
            ("GET", "imports/{import}"), ("PUT", "imports/{import}"), ("GET", "imports/{import}/rows"),
        ].map { Entry($0, "/ra/v1/" + $1, .ra, toStranger: .unknownAuthority) } + [
            // What the API is like is no secret, and whoever gets here showed some certificate.
            Entry("GET", "/ra/v1/openapi.json", .ra, toStranger: nil)
        ]

    /// The reviewer's console; strangers are led to its sign-in.
    package static let console =
        [
            ("GET", "/console"), ("GET", "/console/search"), ("POST", "/console/export"),
            ("GET", "/console/records/{sequence}"), ("GET", "/console/keys/{credential}"),
            ("GET", "/console/holders/{holder}"), ("GET", "/console/find"), ("GET", "/console/my-key"),
            ("GET", "/console/anomalies"), ("GET", "/console/policies"), ("GET", "/console/log"),
            ("POST", "/console/sign-out"),
        ].map { Entry($0, $1, .console, toStranger: .missingToken) } + [
            Entry("GET", "/console/sign-in", .console, toStranger: nil),
            Entry("POST", "/console/sign-in", .console, toStranger: .malformedRequest),
            Entry("GET", "/console/assets/{name}", .console, toStranger: .notFound),
        ]

    /// The help of the authentication platform, for anybody.
    package static let help = [
        Entry("GET", "/help", .platform, toStranger: nil), Entry("GET", "/help/{id}", .platform, toStranger: .notFound),
    ]

    /// The files of the platform's pages, on each of its hosts.
    package static let platformAssets = WebSettings.RouteGroup.ofPlatform.map {
        Entry("GET", "/platform/assets/{name}", $0, toStranger: .notFound)
    }

    /// The one route of the metrics' own listener.
    package static let metrics = Entry("GET", "/metrics", .health, toStranger: nil)

    /// The methods that `path` takes, among the routes of `groups`.
    static func methods(of path: Substring, in groups: Set<WebSettings.RouteGroup>) -> [String] {
        Set(entries.filter { groups.contains($0.group) && $0.matches(path) }.map(\.method)).sorted()
    }
}

extension RouteTable.Entry {
    fileprivate func matches(_ path: Substring) -> Bool {
        let wanted = self.path.split(separator: "/")
        let parts = path.split(separator: "/")
        return wanted.count == parts.count
            && zip(wanted, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
