import Foundation
import Outbound
import Testing

@Suite struct `Requests that leave the house` {
    private let open = OutboundRules(allowPrivateAddresses: true, allowHTTP: true)

    private func fetch(
        _ url: String, _ rules: OutboundRules? = nil, limit: Int = 1000, seconds: Int = 5
    ) async throws -> OutboundResponse {
        try await Outbound(rules: rules ?? open).fetch(url, limit: limit, timeoutSeconds: seconds)
    }

    private func refusal(
        _ url: String, _ rules: OutboundRules? = nil, limit: Int = 1000, seconds: Int = 5
    ) async -> OutboundError? {
        do {
            _ = try await fetch(url, rules, limit: limit, seconds: seconds)
            return nil
        } catch {
            return error as? OutboundError
        }
    }

    @Test func `an answer comes with its status, headers and body`() async throws {
        let server = try await TinyServer { _ in TinyServer.ok("keys", headers: "X-Kind: test\r\n") }
        let answer = try await fetch("http://127.0.0.1:\(server.port)/jwks?x=1")
        #expect(answer.status == 200)
        #expect(answer.header("x-kind") == "test")
        #expect(answer.body == Array("keys".utf8))
        let byName = try await fetch("HTTP://LocalHost:\(server.port)/")
        #expect(byName.status == 200)
        await server.stop()
    }

    @Test func `a request is sent with its method, headers and body`() async throws {
        let server = try await TinyServer { TinyServer.ok($0, status: "403 Forbidden") }
        let request = OutboundRequest(
            "http://127.0.0.1:\(server.port)/v1/x", method: "POST", headers: [OutboundHeader("X-Own", "1")],
            body: Array("hello".utf8), limit: 10_000, timeoutSeconds: 5)
        let answer = try await Outbound(rules: open).send(request)
        let seen = String(decoding: answer.body, as: UTF8.self)
        #expect(answer.status == 403)
        #expect(seen.hasPrefix("POST /v1/x HTTP/1.1\r\n") && seen.hasSuffix("hello") && seen.contains("X-Own: 1"))
        await server.stop()
    }

    @Test func `another status is an error with its code`() async throws {
        let server = try await TinyServer { request in
            request.hasPrefix("GET /gone")
                ? TinyServer.ok("", status: "404 Not Found") : TinyServer.ok("", status: "500 No")
        }
        #expect(await refusal("http://127.0.0.1:\(server.port)/gone") == .status(404))
        #expect(await refusal("http://127.0.0.1:\(server.port)/x") == .status(500))
        await server.stop()
    }

    @Test func `a body is never read beyond its bound`() async throws {
        let server = try await TinyServer { request in
            let head = "HTTP/1.1 200 OK\r\n"
            let giga = 1_073_741_824
            if request.hasPrefix("GET /told") { return .flood(head + "Content-Length: \(giga)\r\n\r\n", count: giga) }
            return .flood(head + "Connection: close\r\n\r\n", count: giga)
        }
        #expect(await refusal("http://127.0.0.1:\(server.port)/told", limit: 100_000) == .tooLarge(limit: 100_000))
        #expect(await refusal("http://127.0.0.1:\(server.port)/untold", limit: 100_000) == .tooLarge(limit: 100_000))
        // What the sockets' buffers take is more than the bound, and far less than what was offered.
        #expect(server.flooded < 64 << 20)
        await server.stop()
    }

    @Test func `silence and dripping end with the time given`() async throws {
        let server = try await TinyServer { request in
            if request.hasPrefix("GET /silence") { return .silence }
            return .drip("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + String(repeating: "x", count: 1000))
        }
        for path in ["silence", "drip"] {
            #expect(await refusal("http://127.0.0.1:\(server.port)/\(path)", seconds: 1) == .timedOut)
        }
        await server.stop()
    }

    @Test func `no server and no answer are unreachable`() async throws {
        let server = try await TinyServer { _ in .hangUp }
        for url in ["http://127.0.0.1:\(server.port)/", "http://127.0.0.1:1/"] {
            let error = await refusal(url)
            guard case .unreachable = error else {
                Issue.record("\(url): \(String(describing: error))")
                continue
            }
        }
        // TLS to a server that waits for something else.
        let plain = try await TinyServer { _ in .bytes("HTTP/1.1 400 Bad Request\r\n\r\n") }
        #expect(await refusal("https://127.0.0.1:\(plain.port)/", seconds: 3) == .timedOut)
        await plain.stop()
        await server.stop()
    }

    @Test func `redirects are followed as far as allowed and judged anew`() async throws {
        let server = try await TinyServer { request in
            func to(_ location: String) -> TinyServer.Reply {
                TinyServer.ok("", status: "302 Found", headers: "Location: \(location)\r\n")
            }
            if request.hasPrefix("GET /loop") { return to("/loop") }
            if request.hasPrefix("GET /once") { return to("/end") }
            if request.hasPrefix("GET /file") { return to("file:///etc/passwd") }
            if request.hasPrefix("GET /up") { return to("https://127.0.0.1:1/") }
            if request.hasPrefix("GET /strange") { return to("gopher://127.0.0.1/") }
            return TinyServer.ok("end")
        }
        let site = "http://127.0.0.1:\(server.port)"
        var three = open
        three.redirects = 3
        three.allowFiles = ["/etc"]
        #expect(await refusal("\(site)/once") == .status(302))
        #expect(try await fetch("\(site)/once", three).body == Array("end".utf8))
        #expect(await refusal("\(site)/loop", three) == .status(302))
        for path in ["file", "up", "strange"] {
            guard case .refusedAddress = await refusal("\(site)/\(path)", three) else {
                Issue.record("a redirect to \(path) was followed")
                continue
            }
        }
        await server.stop()
    }

    @Test(arguments: [
        "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "[::1]", "[::]", "[fe80::1]", "[fc00::1]",
        "[fd12::1]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::10.0.0.1]", "[2002:7f00:1::]", "[ff02::1]",
        "[2001:db8::1]", "localhost", "LOCALHOST", "x.localhost", "printer.local", "127.1", "2130706433", "0x7f.1",
        "017700000001",
    ])
    func `private and local addresses are refused unless allowed`(host: String) async {
        let rules = OutboundRules(allowHTTP: true)
        let error = await refusal("http://\(host)/", rules)
        switch error {
        case .refusedAddress, .unreachable("the name has no address"): break
        default: Issue.record("\(host): \(String(describing: error))")
        }
    }

    @Test func `http is refused unless allowed`() async {
        let rules = OutboundRules(allowPrivateAddresses: true)
        guard case .refusedAddress = await refusal("http://127.0.0.1/", rules) else {
            Issue.record("http was asked")
            return
        }
    }

    @Test(arguments: [
        "", "x", "ftp://a/", "ldap://a/c", "gopher://a/", "data:,x", "//a/", "https://", "https:///x", "https://a b/",
        "https://user:pw@a/", "https://user@a/", "https://a/#f", "https://a\\@b/", "https://[::1/",
        "https://[1.2.3.4]/",
        "https://a:0/", "https://a:99999/", "https://a:+1/", "https://a:x/", "https://.a/", "https://a%2eb/",
        "https://a\n/",
        "https://日本/", "https://a/\u{0}", "file:relative", "file://host/etc/passwd", "https://[fe80::1%25lo]/",
    ])
    func `odd URLs are refused before anything is asked`(url: String) async {
        switch await refusal(url) {
        case .badURL, .refusedAddress: break
        case let other: Issue.record("\(url): \(String(describing: other))")
        }
    }

    @Test func `files are read below the allowed folders only`() async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("outbound-\(UUID().uuidString)").path
        let files = FileManager.default
        try files.createDirectory(atPath: "\(root)/in/sub", withIntermediateDirectories: true)
        try files.createDirectory(atPath: "\(root)/inside", withIntermediateDirectories: true)
        defer { try? files.removeItem(atPath: root) }
        try "good".write(toFile: "\(root)/in/sub/a.json", atomically: true, encoding: .utf8)
        try "spaced".write(toFile: "\(root)/in/鍵 #1.json", atomically: true, encoding: .utf8)
        try "secret".write(toFile: "\(root)/secret", atomically: true, encoding: .utf8)
        try "secret".write(toFile: "\(root)/inside/b", atomically: true, encoding: .utf8)
        try files.createSymbolicLink(atPath: "\(root)/in/link", withDestinationPath: "\(root)/secret")
        try files.createSymbolicLink(atPath: "\(root)/in/way", withDestinationPath: "\(root)/inside")
        let rules = OutboundRules(allowFiles: ["\(root)/in"])
        #expect(try await fetch("file://\(root)/in/sub/a.json", rules).body == Array("good".utf8))
        #expect(try await fetch("file://\(root)/in/鍵 #1.json", rules).body == Array("spaced".utf8))
        #expect(await refusal("file://\(root)/in/sub/a.json", rules, limit: 3) == .tooLarge(limit: 3))
        #expect(await refusal("file://\(root)/in/sub/a.json") != nil)
        for path in [
            "in/link", "in/way/b", "in/../secret", "in/%2e%2e/secret", "secret", "inside/b", "in", "in/sub", "in/none",
            "in/sub/a.json\u{0}",
        ] {
            #expect(await refusal("file://\(root)/\(path)", rules) != nil, "\(path) was read")
        }
        await #expect(throws: OutboundError.self) {
            let request = OutboundRequest("file://\(root)/in/sub/a.json", limit: 10, timeoutSeconds: 1)
            _ = try await Outbound(rules: rules).send(request)
        }
    }

    @Test func `trust roots must be certificates`() {
        for pem in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            #expect(throws: OutboundError.badTrustRoots) {
                try Outbound(rules: OutboundRules(trustRootsPEM: Array(pem.utf8)))
            }
        }
    }
}
