import Crypto
import Foundation
import Glibc
import HPKI
import PKCS11
import Testing

extension PKCS11Tests {
    @Suite struct Pool {
        @Test func `eight sessions sign at once and every signature is right`() async throws {
            let (pool, key, publicKey) = try await signer("eight")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<400 {
                    group.addTask {
                        let message = Data("message \(number)".utf8)
                        let raw = try await pool.sign(
                            HPKI.Digest(of: Array(message)), with: key, by: .ecdsa, deadline: .in(.seconds(30)))
                        #expect(publicKey.isValidSignature(try .init(rawRepresentation: raw), for: message))
                    }
                }
                try await group.waitForAll()
            }
            #expect(pool.health == .ready(sessions: 8))
            // A caller has its answer a moment before its session is free again.
            #expect(try await eventually { pool.oldestCallAge == nil })
            await pool.close()
            #expect(pool.health == .down(.closed))
        }

        @Test func `each session keeps to one thread of its own`() async throws {
            let (token, _) = try await TestHSM.shared.token("threads")
            var threads: Set<String> = []
            var kept: [PKCS11Session] = []
            for _ in 0..<8 {
                let session = try await token.openSession()
                let first = try await session.currentThread()
                for _ in 0..<100 { #expect(try await session.currentThread() == first) }
                threads.insert(first)
                // A thread that ended could give its number to the next.
                kept.append(session)
            }
            #expect(threads.count == kept.count)
        }

        @Test func `slow signatures hold up nothing but their own sessions`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, key, _) = try await signer("slow")
            let digest = HPKI.Digest(of: Array("slow".utf8))
            let took = try await hsm.during("sign-latency-ms", "400") {
                try await ContinuousClock().measure {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<8 {
                            group.addTask {
                                _ = try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(30)))
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
            // One after another they would take 3.2 s; on Swift's two threads 1.6 s.
            #expect(took >= .milliseconds(400) && took < .milliseconds(1500))
            await pool.close()
        }

        @Test func `a caller whose deadline passes gets busy and nothing was started for it`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, key, _) = try await signer(
                "deadline",
                {
                    $0.sessions = 1
                    $0.queue = 1
                })
            let digests = (0..<3).map { HPKI.Digest(of: Array("deadline \($0)".utf8)) }
            try await hsm.during("sign-latency-ms", "1500") {
                let first = Task { try await pool.sign(digests[0], with: key, by: .ecdsa, deadline: .in(.seconds(30))) }
                #expect(try await eventually { hsm.signatures(of: digests[0]) == 1 })
                let start = ContinuousClock.now
                let second = Task {
                    try await pool.sign(digests[1], with: key, by: .ecdsa, deadline: .in(.milliseconds(400)))
                }
                try await Task.sleep(for: .milliseconds(30))
                // The queue holds one, so the third is refused at once.
                await #expect(throws: PKCS11Error.busy) {
                    _ = try await pool.sign(digests[2], with: key, by: .ecdsa, deadline: .in(.seconds(30)))
                }
                #expect(start.duration(to: .now) < .milliseconds(390))
                await #expect(throws: PKCS11Error.busy) { _ = try await second.value }
                #expect(start.duration(to: .now) < .milliseconds(1300))
                #expect(try await first.value.count == 64)
            }
            try await Task.sleep(for: .milliseconds(50))
            #expect(digests.map { hsm.signatures(of: $0) } == [1, 0, 0])
            await pool.close()
        }

        @Test func `closing a pool fails those that wait and those that come`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, key, _) = try await signer("closing", { $0.sessions = 1 })
            let digest = HPKI.Digest(of: Array("closing".utf8))
            try await hsm.during("sign-latency-ms", "300") {
                let first = Task { try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(30))) }
                #expect(try await eventually { hsm.signatures(of: digest) == 1 })
                let second = Task { try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(30))) }
                try await Task.sleep(for: .milliseconds(50))
                await pool.close()
                #expect(try await first.value.count == 64)
                await #expect(throws: PKCS11Error.closed) { _ = try await second.value }
            }
            await #expect(throws: PKCS11Error.closed) {
                _ = try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(1)))
            }
        }
    }
}

/// A pool over a new token with one P-256 key in it.
func signer(
    _ label: String, _ change: (inout SessionPool.Settings) -> Void = { _ in },
    onHang: @escaping @Sendable (Duration) -> Void = { _ in }
) async throws -> (pool: SessionPool, key: KeyHandle, publicKey: P256.Signing.PublicKey) {
    let (token, session) = try await TestHSM.shared.token(label)
    let pair = try await session.generateKeyPair(.p256, label: label, id: [1])
    var settings = SessionPool.Settings()
    change(&settings)
    let pool = try await SessionPool.open(token, pin: .of("1234"), settings: settings, onHang: onHang)
    let publicKey = try P256.Signing.PublicKey(derRepresentation: pair.subjectPublicKeyInfo)
    return (pool, pair.privateKey, publicKey)
}

extension PKCS11Session {
    /// The kernel's name of the thread that this runs on; `pthread_self` is declared const, so an optimised build would
    /// ask it once for several threads.
    fileprivate func currentThread() throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
    }
}
