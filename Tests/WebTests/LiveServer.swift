import CoreProtocol
import Foundation
import HPKI
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Testing
import Web

/// A front that listens for the length of one test.
struct LiveServer: Sendable {
    let port: Int
    let metricsPort: Int
    let core: FakeCore
    let group: ServiceGroup
    /// The listener's certificate, which is also the only one that a client may show.
    let files: TestCertificate

    /// Serves on a free port while `body` runs, then shuts down and waits for the end.
    static func run(
        _ core: FakeCore = .knowing, limits: WebSettings.Limits = .init(), health: HealthFacts? = .good,
        requiresCertificate: Bool = false, groups: Set<WebSettings.RouteGroup> = [.api, .health],
        hostNames: [String] = [],
        _ body: @Sendable (LiveServer) async throws -> Void
    ) async throws {
        let files = try TestCertificate.make()
        defer { try? FileManager.default.removeItem(atPath: files.folder) }
        let (ports, announce) = AsyncStream<(String, Int)>.makeStream()
        let web = try WebServer.before(
            core, limits: limits, health: health,
            listeners: [
                .init(
                    name: "api", address: "127.0.0.1", port: 0, hostNames: hostNames,
                    certificateChain: files.certificate,
                    key: files.key,
                    clientCertificate: requiresCertificate ? .require(authorities: files.certificate) : .none,
                    groups: groups
                )
            ],
            metrics: .init(address: "127.0.0.1", port: 0), onListening: { announce.yield(($0, $1)) }
        )
        let group = ServiceGroup(
            configuration: .init(services: [web], logger: Logger(label: "live") { _ in LogMemory() }))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var found: [String: Int] = [:]
            for await (name, port) in ports {
                found[name] = port
                if found.count == 2 { break }
            }
            do {
                try await body(
                    LiveServer(
                        port: found["api"] ?? 0, metricsPort: found["metrics"] ?? 0, core: core, group: group,
                        files: files)
                )
            } catch {
                core.release()
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Opens a TLS connection, sends `parts` with `pause` between them, and reads until the server closes.
    func exchange(
        _ parts: [String], pause: Duration = .zero, isPlain: Bool = false, versions: (TLSVersion, TLSVersion)? = nil
    ) async throws -> String {
        let channel = try await connect(isPlain: isPlain, versions: versions)
        return try await channel.executeThenClose { inbound, outbound in
            try await withThrowingTaskGroup(of: String?.self) { group in
                group.addTask {
                    for part in parts {
                        // The server may have closed already; what it said is what counts.
                        do {
                            try await outbound.write(ByteBuffer(string: part))
                            if pause != .zero { try await Task.sleep(for: pause) }
                        } catch { return nil }
                    }
                    return nil
                }
                group.addTask {
                    var text = ""
                    do {
                        for try await buffer in inbound { text += String(buffer: buffer) }
                    } catch {
                        if text.isEmpty { throw error }
                    }
                    return text
                }
                var text = ""
                for try await result in group {
                    if let result {
                        text = result
                        group.cancelAll()
                    }
                }
                return text
            }
        }
    }

    func connect(
        isPlain: Bool = false, versions: (TLSVersion, TLSVersion)? = nil
    ) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        if isPlain { return try await connect(to: metricsPort, tls: nil) }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        if let versions { (configuration.minimumTLSVersion, configuration.maximumTLSVersion) = versions }
        return try await connect(to: port, tls: NIOSSLContext(configuration: configuration))
    }

    func connect(to port: Int, tls: NIOSSLContext?) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: nil)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
    }
}

/// A self-signed certificate made by openssl for one test.
struct TestCertificate {
    let folder: String
    var certificate: String { folder + "/certificate.pem" }
    var key: String { folder + "/key.pem" }

    static func make() throws -> TestCertificate {
        let folder = NSTemporaryDirectory() + "web-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let files = TestCertificate(folder: folder)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
            "-days", "2", "-keyout", files.key, "-out", files.certificate,
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return files
    }
}
