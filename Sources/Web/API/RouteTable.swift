package import HPKI

/// Every route of the API with what a stranger gets there; tests hold the routers to it.
package enum RouteTable {
    /// One method on one path.
    package struct Entry: Sendable, Hashable {
        package let method: String
        /// The pattern, with `{name}` for a part that varies.
        package let path: String
        package let group: WebSettings.RouteGroup
        /// What a request without a token gets; nil where none is needed.
        package let withoutToken: Failure.Kind?

        /// A route.
        package init(_ method: String, _ path: String, _ group: WebSettings.RouteGroup, withoutToken: Failure.Kind?) {
            self.method = method
            self.path = path
            self.group = group
            self.withoutToken = withoutToken
        }
    }

    package static let prescriptions = Entry("POST", "/v1/prescriptions", .api, withoutToken: .missingToken)
    package static let dispensings = Entry("POST", "/v1/dispensings", .api, withoutToken: .missingToken)
    package static let signature = Entry("GET", "/v1/signatures/{id}", .api, withoutToken: .missingToken)
    package static let live = Entry("GET", "/health/live", .health, withoutToken: nil)
    package static let ready = Entry("GET", "/health/ready", .health, withoutToken: nil)

    /// All routes of the listeners that speak TLS.
    package static let entries = [prescriptions, dispensings, signature, live, ready]

    /// The one route of the metrics' own listener.
    package static let metrics = Entry("GET", "/metrics", .health, withoutToken: nil)

    /// The methods that `path` takes, among the routes of `groups`.
    static func methods(of path: Substring, in groups: Set<WebSettings.RouteGroup>) -> [String] {
        entries.filter { groups.contains($0.group) && $0.matches(path) }.map(\.method)
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
