import CoreProtocol
import Foundation
import HPKI
import HTTPTypes
import Host
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Signing
import Testing
import Web

/// A card host on a port of its own, as TLS serves it.
private struct CardHost: Sendable {
    let port: Int
    let web: WebServer
    let files: TestCertificate
    let client: TestCertificate

    static func run(
        choiceSeconds: Int = 60, limits: WebSettings.Limits = .init(), _ body: @Sendable (CardHost) async throws -> Void
    ) async throws {
        let files = try TestCertificate.make()
        let client = try TestCertificate.make()
        defer { for each in [files, client] { try? FileManager.default.removeItem(atPath: each.folder) } }
        var platform = WebSettings.Platform.sample
        platform.choiceSeconds = choiceSeconds
        let (ports, announce) = AsyncStream<Int>.makeStream()
        let web = try WebServer(
            settings: WebSettings(
                listeners: [
                    .init(
                        name: "hpki", address: "127.0.0.1", port: 0, certificateChain: files.certificate,
                        key: files.key,
                        clientCertificate: .ask, groups: [.cardHPKI])
                ], publicOrigin: "https://id.example", limits: limits, platform: platform),
            sign: SignDocument(core: FakeCore.knowing), core: FakeCore.knowing, health: { .good }, random: .live,
            logger: Logger(label: "live") { _ in LogMemory() }, onListening: { announce.yield($1) })
        let group = ServiceGroup(
            configuration: .init(services: [web], logger: Logger(label: "live") { _ in LogMemory() }))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var port = 0
            for await found in ports {
                port = found
                break
            }
            do {
                try await body(CardHost(port: port, web: web, files: files, client: client))
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// The path at the card host that a login of this front leads to.
    func begun() async throws -> String {
        let router = web.router(groups: [.platform], tls: ConnectionFacts { _ in nil })
        return try await Application(router: router).test(.router) { issuer in
            let first = try await issuer.execute(
                uri: "/oauth2/authorize?" + PlatformWorld.parameters(["client_id": "card-only"]), method: .get)
            let cookie = (first.headers[.setCookie] ?? "").prefix { $0 != ";" }
            let led = try await issuer.execute(
                uri: first.location, method: .get, headers: [.cookie: String(cookie)])
            return String(led.location.dropFirst("https://hpki.id.example".count))
        }
    }

    /// What openssl says of one connection, and what the host answered on it.
    func openssl(_ arguments: [String]) async throws -> String {
        let path = files.folder + "/\(UUID().uuidString)"
        try #require(FileManager.default.createFile(atPath: path, contents: nil))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = ["s_client", "-connect", "127.0.0.1:\(port)", "-ign_eof"] + arguments
        let input = Pipe()
        process.standardInput = input
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        process.standardError = FileHandle.nullDevice
        // Nobody waits on a thread: the host runs on the few that there are.
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do {
                try process.run()
                try input.fileHandleForWriting.write(
                    contentsOf: Data("GET /login/card HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
            } catch { continuation.resume(throwing: error) }
        }
        return try String(contentsOfFile: path, encoding: .utf8)
    }
}

@Suite(.timeLimit(.minutes(10))) struct AskingTests {
    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `a connection cannot be resumed, so that no card is taken for another connection`(version: String) async throws
    {
        try await CardHost.run { host in
            let session = host.files.folder + "/session"
            let card = ["-cert", host.client.certificate, "-key", host.client.key]
            let first = try await host.openssl([version, "-sess_out", session] + card)
            #expect(first.contains("New, TLSv1") && first.contains("HTTP/1.1 400"))
            let second = try await host.openssl([version, "-sess_in", session])
            #expect(second.contains("New, TLSv1") && !second.contains("Reused"))
        }
    }

    @Test func `any certificate is asked for, and none is named or refused`() async throws {
        try await CardHost.run { host in
            for card in [[], ["-cert", host.client.certificate, "-key", host.client.key]] {
                let answer = try await host.openssl(card)
                #expect(answer.contains("No client certificate CA names sent"))
                #expect(answer.contains("Requested Signature Algorithms"), "a certificate was asked for")
                #expect(answer.contains("HTTP/1.1 400"), "the page comes with and without one")
            }
        }
    }

    @Test func `F17 a paused handshake is waited for, and told to have been too slow`() async throws {
        var limits = WebSettings.Limits()
        limits.requestSeconds = 3
        try await CardHost.run(choiceSeconds: 1, limits: limits) { host in
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .noHostnameVerification
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(host.client.certificate)
                .map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: host.client.key, format: .pem))
            let context = try NIOSSLContext(configuration: configuration)
            let path = try await host.begun()
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: host.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = try NIOSSLClientHandler(
                            context: context, serverHostname: nil,
                            customVerificationCallback: { _, promise in
                                // Longer than a request may take, and than the choice of a certificate should.
                                promise.futureResult.eventLoop.scheduleTask(in: .milliseconds(4500)) {
                                    promise.succeed(.certificateVerified)
                                }
                            })
                        try channel.pipeline.syncOperations.addHandler(handler)
                        return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            let answer = try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(
                    ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
                var text = ""
                for try await buffer in inbound { text += String(buffer: buffer) }
                return text
            }
            #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains(">F17<"), "\(answer.prefix(80))")
        }
    }

    @Test func `who begins no handshake is not waited for`() async throws {
        var limits = WebSettings.Limits()
        limits.requestSeconds = 1
        try await CardHost.run(limits: limits) { host in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: host.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            try await channel.executeThenClose { inbound, _ in for try await _ in inbound {} }
        }
    }
}
