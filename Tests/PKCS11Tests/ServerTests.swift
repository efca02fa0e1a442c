import Foundation
import Glibc
import HPKI
import PKCS11
import Testing

extension PKCS11Tests {
    @Suite struct Server {
        @Test func `a token in another process signs again after its server was killed and started anew`() async throws
        {
            let hsm = try await TestHSM.shared
            let folder = hsm.folder.appending(path: "server")
            let tokens = folder.appending(path: "tokens")
            try FileManager.default.createDirectory(at: tokens, withIntermediateDirectories: true)
            let configuration = folder.appending(path: "softhsm2.conf").path
            try Data("directories.tokendir = \(tokens.path)\nlog.level = ERROR\n".utf8)
                .write(to: URL(filePath: configuration))
            let socket = folder.appending(path: "socket").path
            var server = try Self.serve(socket, configuration)
            defer { try? Self.kill(server) }
            #expect(try await eventually { FileManager.default.fileExists(atPath: socket) })
            unsafe setenv("P11_KIT_SERVER_ADDRESS", "unix:path=" + socket, 1)
            let module = try await PKCS11Module.load(path: "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so")
            let token = try await module.initializeToken(
                label: "served", securityOfficerPIN: .of("87654321"), userPIN: .of("1234"))
            let writer = try await token.openSession(writable: true)
            try await writer.login(.of("1234"))
            _ = try await writer.generateKeyPair(.p256, label: "served", id: [1])
            await writer.close()
            var settings = SessionPool.Settings()
            settings.sessions = 3
            settings.firstBackOff = .milliseconds(20)
            let pool = try await SessionPool.open(token, pin: .of("1234"), settings: settings)
            try await Self.sign(in: pool)
            try Self.kill(server)
            try FileManager.default.removeItem(atPath: socket)
            let isDown = try await eventually {
                _ = try? await Self.sign(in: pool)
                if case .down = pool.health { return true }
                return false
            }
            #expect(isDown)
            server = try Self.serve(socket, configuration)
            #expect(try await eventually { pool.health == .ready(sessions: 3) })
            #expect(pool.renewals >= 1)
            try await Self.sign(in: pool)
            await pool.close()
            await module.finalize()
        }

        private static func sign(in pool: SessionPool) async throws {
            let key = try await pool.run(deadline: .in(.seconds(5))) { session throws(PKCS11Error) in
                try session.privateKeys().first?.handle
            }
            let value = try await pool.sign(
                HPKI.Digest(of: [1]), with: try #require(key), by: .ecdsa, deadline: .in(.seconds(5)))
            #expect(value.count == 64)
        }

        /// Kills the server and the processes that it forked for its clients, which outlive it.
        private static func kill(_ server: Process) throws {
            let pid = server.processIdentifier
            let forked = try String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
            for child in forked.split(separator: " ").compactMap({ pid_t($0) }) { _ = Glibc.kill(child, SIGKILL) }
            _ = Glibc.kill(pid, SIGKILL)
            server.waitUntilExit()
        }

        private static func serve(_ socket: String, _ configuration: String) throws -> Process {
            let server = Process()
            server.executableURL = URL(filePath: "/usr/bin/p11-kit")
            server.arguments = [
                "server", "-f", "-n", socket, "--provider", "/usr/lib/softhsm/libsofthsm2.so", "pkcs11:",
            ]
            server.environment = ["SOFTHSM2_CONF": configuration, "PATH": "/usr/bin:/bin", "HOME": "/tmp"]
            server.standardOutput = FileHandle.nullDevice
            try server.run()
            return server
        }
    }
}
