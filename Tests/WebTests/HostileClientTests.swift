import HPKI
import NIOCore
import Testing
import Web

@Suite(.timeLimit(.minutes(10))) struct HostileClientTests {
    private static let head = "Host: localhost\r\nAuthorization: Bearer \(token())\r\n"
    private static let post = "POST /v1/prescriptions HTTP/1.1\r\n" + head + "Content-Type: application/json\r\n"
    private static let live = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n"

    @Test func `a connection over the bound of one address is closed at once`() async throws {
        var limits = WebSettings.Limits()
        limits.connectionsPerAddress = 1
        try await LiveServer.run(limits: limits) { server in
            let first = try await server.connect()
            try await first.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: Self.live + "\r\n"))
                for try await _ in inbound { break }
                let start = ContinuousClock.now
                let answer = try? await server.exchange([Self.live + "\r\n"])
                #expect(answer?.contains("HTTP/1.1") != true)
                #expect(ContinuousClock.now - start < .seconds(4))
            }
        }
    }

    @Test func `idle connections make room when more than half are taken`() async throws {
        var limits = WebSettings.Limits()
        limits.connections = 1
        try await LiveServer.run(limits: limits) { server in
            let start = ContinuousClock.now
            let answer = try await server.exchange([Self.live + "\r\n"])
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test func `stalled bodies of one address leave room, and small bodies pass`() async throws {
        var limits = WebSettings.Limits()
        limits.bodyBytes = 1_000_000
        limits.bodyBudget = 2_000_000
        limits.requestSeconds = 4
        try await LiveServer.run(limits: limits) { server in
            let stalled =
                Self.post + "Content-Length: 1000000\r\n\r\n" + String(repeating: " ", count: 800_000)
            async let first = server.exchange([stalled])
            try await Task.sleep(for: .milliseconds(1000))
            let second = try await server.exchange([stalled])
            #expect(second.hasPrefix("HTTP/1.1 429 "), "\(second)")
            let small = String(repeating: " ", count: 9000)
            let third = try await server.exchange([
                Self.post + "Connection: close\r\nContent-Length: 9000\r\n\r\n" + small
            ])
            #expect(third.hasPrefix("HTTP/1.1 400 "), "\(third)")
            let last = try await first
            #expect(last.hasPrefix("HTTP/1.1 408 "), "\(last)")
        }
    }

    @Test func `two Host fields are refused, and another host in the target`() async throws {
        try await LiveServer.run(hostNames: ["localhost"]) { server in
            for request in [
                Self.live + "Host: localhost\r\nConnection: close\r\n\r\n",
                "GET https://evil.example/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            ] {
                let answer = try await server.exchange([request])
                #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
            }
        }
    }

    @Test func `an endless chunk extension ends by the request timer`() async throws {
        var limits = WebSettings.Limits()
        limits.requestSeconds = 1
        try await LiveServer.run(limits: limits) { server in
            let start = ContinuousClock.now
            let answer = try await server.exchange([
                Self.post + "Transfer-Encoding: chunked\r\n\r\n1;x=" + String(repeating: "x", count: 200_000)
            ])
            #expect(answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
            #expect(ContinuousClock.now - start < .seconds(8))
        }
    }
}
