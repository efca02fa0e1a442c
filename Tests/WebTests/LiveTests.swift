import CoreProtocol
import Foundation
import HPKI
import NIOCore
import NIOSSL
import ServiceLifecycle
import Testing
import Web

@Suite(.timeLimit(.minutes(10))) struct LiveTests {
    private static let head = "Host: localhost\r\nAuthorization: Bearer \(token())\r\n"
    private static let json = head + "Content-Type: application/json\r\n"
    private static let lookup = "GET /v1/signatures/00112233445566778899aabbccddeeff HTTP/1.1\r\n" + head

    private static func hasProblem(_ answer: String, _ kind: Failure.Kind) -> Bool {
        let row = FailureTable.row(kind)
        return answer.hasPrefix("HTTP/1.1 \(row.status) ") && answer.contains("\"type\":\"\(row.type)\"")
            && answer.lowercased().contains("x-request-id: ") && answer.lowercased().contains("connection: close")
    }

    @Test(arguments: [TLSVersion.tlsv12, .tlsv13])
    func `TLS 1.2 and 1.3 are spoken`(version: TLSVersion) async throws {
        try await LiveServer.run { server in
            let answer = try await server.exchange(
                ["GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"],
                versions: (version, version)
            )
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            #expect(answer.hasSuffix("{\"core\":true,\"hsm\":true,\"audit\":true,\"clock\":true}"))
        }
    }

    @Test func `TLS 1.1 is refused`() async throws {
        try await LiveServer.run { server in
            await #expect(throws: (any Error).self) {
                try await server.exchange([Self.lookup + "\r\n"], versions: (.tlsv1, .tlsv11))
            }
        }
    }

    @Test func `a required client certificate is required`() async throws {
        try await LiveServer.run(requiresCertificate: true) { server in
            let answer = try? await server.exchange([Self.lookup + "Connection: close\r\n\r\n"])
            #expect(answer?.contains("HTTP/1.1") != true)
            #expect(server.core.requests.isEmpty)
        }
    }

    @Test func `a hundred header fields get 431`() async throws {
        try await LiveServer.run { server in
            for count in [100, 500] {
                let fields = (0..<count).map { "X-Field-\($0): x\r\n" }.joined()
                let answer = try await server.exchange([
                    "POST /v1/prescriptions HTTP/1.1\r\n" + Self.json + fields + "Connection: close\r\n\r\n"
                ])
                #expect(Self.hasProblem(answer, .tooManyHeaders) || answer.hasPrefix("HTTP/1.1 431"), "\(answer)")
                #expect(answer.contains(FailureTable.row(.tooManyHeaders).type))
            }
            let long = "X-Long: " + String(repeating: "x", count: 100_000) + "\r\n"
            let answer = try await server.exchange([Self.lookup + long + "\r\n"])
            #expect(Self.hasProblem(answer, .tooManyHeaders), "\(answer)")
            #expect(server.core.requests.count == 1 && server.core.refusals == [.tooManyHeaders])
        }
    }

    @Test(arguments: [
        "nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\u{1} HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ])
    func `what is not HTTP gets a problem and the end`(text: String) async throws {
        try await LiveServer.run { server in
            let answer = try await server.exchange([text])
            #expect(Self.hasProblem(answer, .malformedRequest), "\(answer)")
        }
    }

    @Test func `a body that says it is too large is refused before it is sent, and the answer arrives`() async throws {
        try await LiveServer.run { server in
            let clock = ContinuousClock()
            let start = clock.now
            let head = "POST /v1/prescriptions HTTP/1.1\r\n" + Self.json + "Content-Length: 104857600\r\n\r\n"
            var answer = try await server.exchange([head])
            #expect(Self.hasProblem(answer, .tooLarge), "\(answer)")
            // A client that goes on sending, as most do, still reads its answer.
            let piece = String(repeating: "a", count: 1 << 20)
            answer = try await server.exchange([head] + Array(repeating: piece, count: 20))
            #expect(Self.hasProblem(answer, .tooLarge), "\(answer)")
            #expect(clock.now - start < .seconds(25))
        }
    }

    @Test func `a chunked body that grows too large is refused on the way`() async throws {
        var limits = WebSettings.Limits()
        limits.bodyBytes = 100_000
        try await LiveServer.run(limits: limits) { server in
            let head = "POST /v1/prescriptions HTTP/1.1\r\n" + Self.json + "Transfer-Encoding: chunked\r\n\r\n"
            let chunk = "8000\r\n" + String(repeating: "a", count: 0x8000) + "\r\n"
            let answer = try await server.exchange([head] + Array(repeating: chunk, count: 10))
            #expect(Self.hasProblem(answer, .tooLarge), "\(answer)")
        }
    }

    @Test func `a slow body gets 408, however steadily it drips`() async throws {
        var limits = WebSettings.Limits()
        limits.requestSeconds = 1
        try await LiveServer.run(limits: limits) { server in
            let head = "POST /v1/prescriptions HTTP/1.1\r\n" + Self.json + "Content-Length: 1000\r\n\r\n"
            let answer = try await server.exchange(
                [head] + Array(repeating: " ", count: 30), pause: .milliseconds(100)
            )
            #expect(Self.hasProblem(answer, .tooSlow), "\(answer)")
            #expect(server.core.refusals == [.tooSlow])
        }
    }

    @Test func `slow headers get 408`() async throws {
        var limits = WebSettings.Limits()
        limits.requestSeconds = 1
        try await LiveServer.run(limits: limits) { server in
            let answer = try await server.exchange(
                ["GET /health/live HTTP/1.1\r\n"] + Array(repeating: "X: y\r\n", count: 30), pause: .milliseconds(100)
            )
            #expect(Self.hasProblem(answer, .tooSlow), "\(answer)")
        }
    }

    @Test func `a client that never speaks TLS is dropped`() async throws {
        var limits = WebSettings.Limits()
        limits.requestSeconds = 1
        try await LiveServer.run(limits: limits) { server in
            let channel = try await server.connect(to: server.port, tls: nil)
            try await channel.executeThenClose { inbound, _ in
                for try await _ in inbound {}
            }
        }
    }

    @Test func `a broken body ends the connection, read or not`() async throws {
        try await LiveServer.run { server in
            for path in ["/v1/prescriptions", "/health/live"] {
                let head = "POST \(path) HTTP/1.1\r\n" + Self.json + "Transfer-Encoding: chunked\r\n\r\n"
                let answer = try await server.exchange([head, "zz\r\nbroken"], pause: .milliseconds(100))
                #expect(answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
                #expect(answer.lowercased().contains("connection: close"))
            }
        }
    }

    @Test func `an idle connection is closed, one in use is kept`() async throws {
        var limits = WebSettings.Limits()
        limits.idleSeconds = 2
        limits.requestSeconds = 2
        let core = FakeCore.knowing
        try await LiveServer.run(core, limits: limits) { server in
            let request = Self.lookup + "\r\n"
            let answer = try await server.exchange([request, request, request], pause: .milliseconds(300))
            #expect(answer.components(separatedBy: "HTTP/1.1 200").count == 4)
            #expect(!answer.contains("HTTP/1.1 408"))
        }
        // An answer that takes longer than a request may take to arrive is waited for.
        let slow = FakeCore.knowing
        slow.hold()
        try await LiveServer.run(slow, limits: limits) { server in
            async let answer = server.exchange([Self.lookup + "Connection: close\r\n\r\n"])
            try await Task.sleep(for: .milliseconds(4500))
            slow.release()
            #expect(try await answer.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func `pipelined requests are answered in their order`() async throws {
        try await LiveServer.run { server in
            let answer = try await server.exchange([
                Self.lookup + "\r\n" + "GET /v1/none HTTP/1.1\r\nHost: localhost\r\n\r\n" + Self.lookup
                    + "Connection: close\r\n\r\n"
            ])
            let statuses = answer.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
            #expect(statuses == ["200", "404", "200"])
        }
    }

    @Test func `a client that waits for leave to send gets it`() async throws {
        try await LiveServer.run { server in
            let answer = try await server.exchange(
                [
                    "POST /v1/prescriptions HTTP/1.1\r\n" + Self.json
                        + "Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "{}",
                ], pause: .milliseconds(300)
            )
            #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 "), "\(answer)")
        }
    }

    @Test func `connections over the limit wait and are served later`() async throws {
        var limits = WebSettings.Limits()
        limits.connections = 2
        try await LiveServer.run(limits: limits) { server in
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await server.exchange([Self.lookup + "Connection: close\r\n\r\n"]) }
                }
                for try await answer in group { #expect(answer.hasPrefix("HTTP/1.1 200")) }
            }
        }
    }

    @Test func `the metrics are on their own address alone`() async throws {
        try await LiveServer.run { server in
            let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            #expect(try await server.exchange([request]).hasPrefix("HTTP/1.1 404"))
            let answer = try await server.exchange([request], isPlain: true)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(answer.contains("\nshirushi_core_signatures_total 3\n"))
            #expect(answer.contains("shirushi_ready{part=\"hsm\"} 1\n"))
            let api =
                "GET /v1/signatures/00112233445566778899aabbccddeeff HTTP/1.1\r\nConnection: close\r\n" + Self.head
            #expect(try await server.exchange([api + "\r\n"], isPlain: true).hasPrefix("HTTP/1.1 404"))
        }
    }

    @Test func `a shutdown answers what is in flight, closes what idles, and takes nothing new`() async throws {
        let core = FakeCore.knowing
        core.hold()
        try await LiveServer.run(core) { server in
            let idle = try await server.connect()
            async let answer = server.exchange([Self.lookup + "\r\n"])
            while core.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            await server.group.triggerGracefulShutdown()
            try await idle.executeThenClose { inbound, _ in
                for try await _ in inbound {}
            }
            await #expect(throws: (any Error).self) { try await server.connect() }
            core.release()
            #expect(try await answer.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func `certificates and keys that cannot be used are named`() throws {
        let files = try TestCertificate.make()
        let other = try TestCertificate.make()
        func web(_ certificate: String, _ key: String, _ client: WebSettings.ClientCertificate = .none) throws {
            _ = try WebServer.before(
                .knowing,
                listeners: [
                    .init(
                        name: "api", address: "127.0.0.1", port: 0, certificateChain: certificate, key: key,
                        clientCertificate: client
                    )
                ]
            )
        }
        try web(files.certificate, files.key, .request(authorities: other.certificate))
        #expect(throws: WebError.unreadableCertificate(listener: "api", path: "/none")) { try web("/none", files.key) }
        #expect(throws: WebError.unreadableKey(listener: "api", path: files.certificate)) {
            try web(files.certificate, files.certificate)
        }
        #expect(throws: WebError.unusable(listener: "api")) { try web(files.certificate, other.key) }
        #expect(throws: WebError.unreadableAuthorities(listener: "api", path: files.key)) {
            try web(files.certificate, files.key, .require(authorities: files.key))
        }
    }

    @Test func `every fault of the settings is told at once`() {
        var limits = WebSettings.Limits()
        limits.queue = 0
        limits.bodyBytes = 1
        let settings = WebSettings(listeners: [], publicOrigin: "http://x", limits: limits, metrics: nil)
        let faults = settings.faults.joined(separator: "\n")
        for key in ["listeners", "publicOrigin", "limits.queue", "limits.bodyBytes"] { #expect(faults.contains(key)) }
        let good = WebSettings(
            listeners: [.init(name: "a", address: "::1", port: 1, certificateChain: "c", key: "k")],
            publicOrigin: "https://x"
        )
        #expect(good.faults.isEmpty)
    }
}
