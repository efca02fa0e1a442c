import HPKI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing
import Web

@Suite struct RouteTests {
    /// Those that answer a failure with a problem document; people's pages have tests of their own.
    static let ofPrograms = RouteTable.entries.filter {
        [.api, .health, .ra].contains($0.group) && $0 != RouteTable.backchannelLogout
    }

    @Test func `the table and the router have the same routes`() throws {
        let router = try WebServer.before(.knowing).router(groups: Set(WebSettings.RouteGroup.allCases))
        let routed = router.routes.map { "\($0.method.rawValue) \($0.path)" }.sorted()
        // A route of several groups stands in the table for each.
        #expect(routed == Set(RouteTable.entries.map { "\($0.method) \($0.path)" }).sorted())
    }

    @Test func `a listener has only the routes of its groups`() throws {
        let web = try WebServer.before(.knowing)
        for group in WebSettings.RouteGroup.allCases {
            let paths = web.router(groups: [group]).routes.map { "\($0.path)" }.sorted()
            #expect(paths == RouteTable.entries.filter { $0.group == group }.map(\.path).sorted())
        }
        #expect(web.metricsRouter.routes.map { "\($0.path)" } == [RouteTable.metrics.path])
    }

    @Test(arguments: Self.ofPrograms)
    func `a request without a token or a certificate gets what the table says`(entry: RouteTable.Entry) async throws {
        let core = FakeCore.knowing
        try await WebServer.before(core).allRoutes.test(.router) { client in
            let method = try #require(HTTPRequest.Method(entry.method))
            try await client.execute(uri: Self.path(entry), method: method) { response in
                guard let kind = entry.toStranger else {
                    #expect([200, 503].contains(response.status.code))
                    return
                }
                _ = try response.problem(kind)
                let challenges =
                    kind == .missingToken
                    ? ["Bearer realm=\"shirushi\"", "DPoP realm=\"shirushi\", algs=\"ES256 RS256 PS256\""] : []
                #expect(response.headers[values: .wwwAuthenticate] == challenges)
            }
        }
        #expect(core.requests.isEmpty)
    }

    @Test(arguments: RouteTable.console)
    func `a stranger at the console is led to the sign-in`(entry: RouteTable.Entry) async throws {
        let core = FakeCore.knowing
        try await WebServer.before(core).allRoutes.test(.router) { client in
            let method = try #require(HTTPRequest.Method(entry.method))
            try await client.execute(uri: Self.path(entry), method: method) { response in
                guard let kind = entry.toStranger else {
                    #expect(response.status == .ok)
                    return
                }
                guard kind == .missingToken else {
                    #expect(response.status.code == FailureTable.row(kind).status)
                    return
                }
                #expect(response.status == .seeOther)
                #expect(response.headers[.location]?.hasPrefix("/console/sign-in") == true)
            }
        }
        #expect(core.requests.isEmpty)
    }

    @Test(arguments: Self.ofPrograms)
    func `a wrong method gets 405 and the right one's name`(entry: RouteTable.Entry) async throws {
        try await WebServer.before(.knowing).allRoutes.test(.router) { client in
            let right = Set(RouteTable.entries.filter { $0.path == entry.path }.map(\.method)).sorted()
            for method in [HTTPRequest.Method.get, .post, .put, .delete, .head, .options]
            where !right.contains(method.rawValue) {
                try await client.execute(uri: Self.path(entry), method: method, headers: bearer()) { response in
                    _ = try response.problem(.methodNotAllowed)
                    #expect(response.headers[.allow] == right.joined(separator: ", "))
                }
            }
        }
    }

    @Test func `an unknown address gets 404 in the same shape`() async throws {
        try await WebServer.before(.knowing).allRoutes.test(.router) { client in
            for path in ["/", "/v1", "/v1/prescriptions/1", "/metrics", "/v2/prescriptions", "/%2e%2e/etc/passwd"] {
                try await client.execute(uri: path, method: .get) { response in _ = try response.problem(.notFound) }
            }
        }
    }

    @Test(arguments: ["/v1/prescriptions/", "//v1/prescriptions", "/v1//prescriptions"])
    func `a route has one address`(uri: String) async throws {
        try await WebServer.before(.knowing).allRoutes.test(.router) { client in
            for method in [HTTPRequest.Method.get, .post] {
                try await client.execute(uri: uri, method: method, headers: bearer()) { response in
                    _ = try response.problem(.notFound)
                }
            }
        }
    }

    @Test func `a listener without the API does not admit that it exists`() async throws {
        let app = Application(router: try WebServer.before(.knowing).router(groups: [.health]))
        try await app.test(.router) { client in
            try await client.execute(uri: "/v1/prescriptions", method: .get) { _ = try $0.problem(.notFound) }
        }
    }

    @Test func `a host that the listener does not serve is refused`() async throws {
        let web = try WebServer.before(.knowing)
        try await Application(router: web.router(groups: [.health], hosts: ["sign.example"])).test(.router) { client in
            try await client.execute(uri: "/health/live", method: .get) { _ = try $0.problem(.malformedRequest) }
        }
        try await Application(router: web.router(groups: [.health], hosts: ["localhost"])).test(.router) { client in
            try await client.execute(uri: "/health/live", method: .get) { #expect($0.status == .ok) }
        }
    }

    private static func path(_ entry: RouteTable.Entry) -> String {
        entry.path.replacing(/{[a-z]+}/, with: "00112233445566778899aabbccddeeff")
    }
}
