import HPKI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing
import Web

@Suite(.timeLimit(.minutes(10))) struct AdmissionTests {
    private static let path = "/v1/signatures/00112233445566778899aabbccddeeff"

    /// Sends `count` requests of `client` that core holds back, runs `body`, and lets them end well.
    private func whileHolding(
        _ count: Int, of holder: String, limits: WebSettings.Limits,
        _ body: @Sendable @escaping (any TestClientProtocol, FakeCore) async throws -> Void
    ) async throws {
        let core = FakeCore.knowing
        core.hold()
        try await WebServer.before(core, limits: limits).allRoutes.test(.router) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<count {
                    group.addTask {
                        try await client.execute(uri: Self.path, method: .get, headers: bearer(holder)) {
                            #expect($0.status == .ok)
                        }
                    }
                }
                while core.requests.count < count { try await Task.sleep(for: .milliseconds(2)) }
                try await body(client, core)
                core.release()
                try await group.waitForAll()
                try await client.execute(uri: Self.path, method: .get, headers: bearer(holder)) {
                    #expect($0.status == .ok)
                }
            }
        }
    }

    @Test func `one client's batch is bounded and starves no other`() async throws {
        var limits = WebSettings.Limits()
        limits.perClient = 4
        try await whileHolding(4, of: "batch", limits: limits) { client, core in
            try await client.execute(uri: Self.path, method: .get, headers: bearer("batch")) { response in
                _ = try response.problem(.tooManyRequests)
                #expect(response.headers[.retryAfter] == "1")
            }
            #expect(core.requests.count == 4)
            core.release()
            try await client.execute(uri: Self.path, method: .get, headers: bearer("clinic")) {
                #expect($0.status == .ok)
            }
        }
    }

    @Test func `over the queue the excess is answered at once, before its body is read`() async throws {
        var limits = WebSettings.Limits()
        limits.queue = 3
        try await whileHolding(3, of: "a", limits: limits) { client, core in
            var headers = bearer("b")
            headers[.contentType] = "text/plain"
            try await client.execute(uri: "/v1/prescriptions", method: .post, headers: headers) { response in
                _ = try response.problem(.overloaded)
                #expect(response.headers[.retryAfter] == "1")
            }
            try await client.execute(uri: "/health/live", method: .get) { #expect($0.status == .ok) }
            #expect(core.requests.count == 3)
        }
    }

    @Test func `a client that sends too fast is told to wait, and may go on after a while`() async throws {
        var limits = WebSettings.Limits()
        limits.perClientRate = 1
        try await WebServer.before(.knowing, limits: limits).allRoutes.test(.router) { client in
            try await client.execute(uri: Self.path, method: .get, headers: bearer()) { #expect($0.status == .ok) }
            // On a busy machine a second may pass between two requests, which earns one more.
            var isRefused = false
            for _ in 0..<50 where !isRefused {
                try await client.execute(uri: Self.path, method: .get, headers: bearer()) { response in
                    guard response.status != .ok else { return }
                    _ = try response.problem(.tooManyRequests)
                    isRefused = true
                }
            }
            #expect(isRefused)
            try await client.execute(uri: Self.path, method: .get, headers: bearer("other")) {
                #expect($0.status == .ok)
            }
            try await Task.sleep(for: .milliseconds(1050))
            try await client.execute(uri: Self.path, method: .get, headers: bearer()) { #expect($0.status == .ok) }
        }
    }

    @Test func `places are given back after failures too`() async throws {
        var limits = WebSettings.Limits()
        limits.queue = 1
        limits.perClient = 1
        limits.perClientRate = 0
        let web = try WebServer.before(.failing(Failure(.unknownHolder, "No.")), limits: limits)
        try await web.allRoutes.test(.router) { client in
            for _ in 0..<50 {
                try await client.execute(uri: Self.path, method: .get, headers: bearer()) {
                    _ = try $0.problem(.unknownHolder)
                }
                try await client.execute(
                    uri: "/v1/prescriptions", method: .post, headers: jsonBearer, body: ByteBuffer(string: "x")
                ) { _ = try $0.problem(.unknownHolder) }
            }
        }
    }
}
