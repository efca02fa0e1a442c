import CoreProtocol
import HPKI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing
import Web

@Suite struct HealthTests {
    @Test func `before core has answered the service lives and is not ready`() async throws {
        try await WebServer.before(.knowing).allRoutes.test(.router) { client in
            try await client.execute(uri: "/health/live", method: .get) { response in
                #expect(response.status == .ok)
                #expect(String(buffer: response.body) == "{\"live\":true}")
            }
            try await client.execute(uri: "/health/ready", method: .get) { response in
                #expect(response.status == .serviceUnavailable)
                #expect(
                    String(buffer: response.body)
                        == "{\"core\":false,\"hsm\":false,\"audit\":false,\"clock\":false}"
                )
            }
        }
    }

    @Test func `the metrics count requests by route and status, without an identifier`() async throws {
        let web = try WebServer.before(.knowing)
        try await web.allRoutes.test(.router) { client in
            for _ in 0..<3 {
                try await client.execute(
                    uri: "/v1/signatures/00112233445566778899aabbccddeeff", method: .get, headers: bearer()
                ) { #expect($0.status == .ok) }
            }
            try await client.execute(uri: "/v1/nothing/9", method: .get) { #expect($0.status == .notFound) }
            try await client.execute(uri: "/v1/dispensings", method: .post) { #expect($0.status == .unauthorized) }
        }
        try await Application(router: web.metricsRouter).test(.router) { client in
            try await client.execute(uri: "/metrics", method: .get) { response in
                #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
                let text = String(buffer: response.body)
                #expect(text.contains("shirushi_http_requests_total{route=\"/v1/signatures/{id}\",status=\"200\"} 3\n"))
                #expect(text.contains("shirushi_http_requests_total{route=\"NotFound\",status=\"404\"} 1\n"))
                #expect(text.contains("shirushi_http_request_seconds_count{route=\"/v1/signatures/{id}\"} 3\n"))
                #expect(text.contains("shirushi_http_request_seconds_bucket{route=\"NotFound\",le=\"+Inf\"} 1\n"))
                #expect(text.contains("shirushi_http_in_flight 1\n"))
                #expect(text.contains("shirushi_refused_strangers_total{reason=\"missing-token\"} 1\n"))
                #expect(text.contains("shirushi_ready{part=\"core\"} 0\n"))
                #expect(!text.contains("00112233") && !text.contains("nothing"))
            }
        }
    }
}

@Suite struct AnswerTests {
    @Test func `a signature is answered with what core recorded of it`() async throws {
        let log = LogMemory()
        let core = FakeCore.knowing
        let id = "00112233445566778899aabbccddeeff"
        try await WebServer.before(core, log: log).allRoutes.test(.router) { client in
            try await client.execute(uri: "/v1/signatures/\(id)?x=1", method: .get, headers: bearer()) { response in
                #expect(response.status == .ok)
                #expect(response.headers[.contentType] == "application/json")
                #expect(response.headers[.strictTransportSecurity] == "max-age=31536000")
                #expect(response.headers[.xContentTypeOptions] == "nosniff")
                #expect(
                    String(buffer: response.body) == """
                        {"signatureId":"\(id)","state":"signed","form":"prescription","digestAlgorithm":"sha256",\
                        "digest":"039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81",\
                        "signedAt":"2027-01-15T08:00:00Z","credentialID":"doctor-1","rule":"prescribe-doctor",\
                        "intent":7,"outcome":8}
                        """
                )
            }
            try await client.execute(uri: "/v1/signatures/NOT-AN-ID", method: .get, headers: bearer()) {
                _ = try $0.problem(.notFound)
            }
        }
        #expect(core.requests == [.lookup(token: PresentedToken(token()), signature: SignatureID(id)!)])
        #expect(log.text.contains("route=/v1/signatures/{id}"))
        #expect(log.text.contains("status=200"))
        #expect(!log.text.contains(id) && !log.text.contains(token()))
    }

    @Test func `a client's own request id is not taken over, and every request has another`() async throws {
        let name = HTTPField.Name("X-Request-Id")!
        var headers = bearer()
        headers[name] = "mine"
        try await WebServer.before(.knowing).allRoutes.test(.router) { [headers] client in
            var ids: Set<String> = []
            for _ in 0..<5 {
                let response = try await client.execute(uri: "/health/live", method: .get, headers: headers) { $0 }
                ids.insert(try #require(response.headers[name]))
            }
            #expect(ids.count == 5 && !ids.contains("mine"))
        }
    }
}
