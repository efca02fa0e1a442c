import Foundation
import Outbound
import Testing

@Suite struct `TLS of requests that leave the house` {
    /// Runs openssl, gives its process; nil where the machine has none.
    private func openssl(_ arguments: [String], in folder: String) throws -> Process? {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl") else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    @Test func `a server is trusted by the roots given and by its own name only`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["server", "stranger"] {
            let made = try openssl(
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", "\(name).key", "-out", "\(name).pem", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost",
                ], in: folder)
            guard let made else {
                print("not run: TLS of Outbound needs /usr/bin/openssl")
                return
            }
            made.waitUntilExit()
        }
        let pem = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/server.pem")))
        let stranger = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/stranger.pem")))
        // A port that was free a moment ago.
        let probe = try await TinyServer { _ in .silence }
        let port = probe.port
        await probe.stop()
        let arguments = [
            "s_server", "-accept", "127.0.0.1:\(port)", "-cert", "server.pem", "-key", "server.key", "-www", "-quiet",
        ]
        let server = try #require(try openssl(arguments, in: folder))
        defer {
            // openssl takes no notice of SIGTERM here.
            kill(server.processIdentifier, SIGKILL)
            server.waitUntilExit()
        }

        func fetch(_ host: String, _ roots: [UInt8]?) async -> Result<Int, OutboundError> {
            do throws(OutboundError) {
                let rules = OutboundRules(allowPrivateAddresses: true, trustRootsPEM: roots)
                let client = try Outbound(rules: rules)
                return .success(
                    try await client.fetch("https://\(host):\(port)/", limit: 100_000, timeoutSeconds: 5).status)
            } catch {
                return .failure(error)
            }
        }
        var answer = await fetch("localhost", pem)
        for _ in 0..<30 where answer != .success(200) {
            try await Task.sleep(for: .milliseconds(100))
            answer = await fetch("localhost", pem)
        }
        #expect(answer == .success(200))
        #expect(await fetch("127.0.0.1", pem) == .failure(.untrusted("TLS failed")))
        #expect(await fetch("localhost", stranger) == .failure(.untrusted("TLS failed")))
        #expect(await fetch("localhost", nil) == .failure(.untrusted("TLS failed")))
    }
}
