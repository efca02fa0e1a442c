import Crypto
import Foundation
import HPKI
import PKCS11
import Synchronization
import Testing

extension PKCS11Tests {
    @Suite struct Faults {
        @Test func `a failing device is told with its code and may have used the key`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, key, _) = try await signer("sign-fail")
            let digest = HPKI.Digest(of: Array("sign-fail".utf8))
            await #expect {
                try await hsm.during("sign-fail") {
                    _ = try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(5)))
                }
            } throws: {
                "\($0)" == "the module failed (C_Sign: CKR_DEVICE_ERROR)"
                    && ($0 as? PKCS11Error)?.keyMayHaveBeenUsed == true
            }
            #expect(hsm.signatures(of: digest) == 1)
            #expect(try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(5))).count == 64)
            await pool.close()
        }

        @Test func `a wrong signature of the module is handed on and does not verify`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, key, publicKey) = try await signer("sign-wrong")
            let message = Data("sign-wrong".utf8)
            let raw = try await hsm.during("sign-wrong") {
                try await pool.sign(HPKI.Digest(of: Array(message)), with: key, by: .ecdsa, deadline: .in(.seconds(5)))
            }
            #expect(!publicKey.isValidSignature(try .init(rawRepresentation: raw), for: message))
            await pool.close()
        }

        @Test func `a call that hangs is reported once, its caller told, and its session used again if it returns`()
            async throws
        {
            let hsm = try await TestHSM.shared
            let reports = Reports()
            let (pool, key, _) = try await signer(
                "sign-hang",
                {
                    $0.sessions = 2
                    $0.hangLimit = .milliseconds(300)
                }, onHang: { reports.add($0) })
            let digest = HPKI.Digest(of: Array("sign-hang".utf8))
            try await hsm.during("sign-hang") {
                let start = ContinuousClock.now
                await #expect {
                    _ = try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(5)))
                } throws: {
                    ($0 as? PKCS11Error) == .hung && ($0 as? PKCS11Error)?.keyMayHaveBeenUsed == true
                }
                let waited = start.duration(to: .now)
                #expect(waited >= .milliseconds(300) && waited < .seconds(2))
                #expect(pool.health == .ready(sessions: 1))
                #expect(try #require(pool.oldestCallAge) >= .milliseconds(300))
                try await Task.sleep(for: .milliseconds(200))
                #expect(reports.all.count == 1)
                #expect(try #require(reports.all.first) >= .milliseconds(300))
            }
            #expect(try await eventually { pool.health == .ready(sessions: 2) })
            #expect(hsm.signatures(of: digest) == 1)
            await pool.close()
        }

        @Test func `closing a pool does not wait for a call that hangs for ever`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, key, _) = try await signer("close-hang", { $0.hangLimit = .milliseconds(300) })
            let digest = HPKI.Digest(of: Array("close-hang".utf8))
            try await hsm.during("sign-hang") {
                let call = Task { try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(5))) }
                let hasBegun = try await eventually { hsm.signatures(of: digest) == 1 }
                #expect(hasBegun)
                let took = await ContinuousClock().measure { await pool.close() }
                #expect(took < .seconds(2))
                await #expect(throws: PKCS11Error.hung) { _ = try await call.value }
            }
        }

        @Test func `lost sessions are opened again without a hand, and the key's handle still serves`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, key, _) = try await signer("session-lost")
            let digest = HPKI.Digest(of: Array("session-lost".utf8))
            try await hsm.during("session-lost") {
                let error = await #expect(throws: PKCS11Error.self) {
                    _ = try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(5)))
                }
                guard case .sessionLost = error else {
                    Issue.record("not a lost session: \(String(describing: error))")
                    return
                }
                #expect(error?.keyMayHaveBeenUsed == false)
                let isDown = try await eventually {
                    if case .down(.sessionLost) = pool.health { true } else { false }
                }
                #expect(isDown)
                // Refused at once: waiting for the deadline would not help.
                let start = ContinuousClock.now
                await #expect(throws: PKCS11Error.self) {
                    _ = try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(5)))
                }
                #expect(start.duration(to: .now) < .seconds(1))
            }
            #expect(hsm.signatures(of: digest) == 0)
            #expect(try await eventually { pool.health == .ready(sessions: 8) })
            #expect(try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(5))).count == 64)
            #expect(hsm.signatures(of: digest) == 1)
            await pool.close()
        }

        @Test func `a token that went away and came back signs again`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, key, _) = try await signer("token-gone", { $0.sessions = 2 })
            let digest = HPKI.Digest(of: Array("token-gone".utf8))
            try await hsm.during("token-gone") {
                let error = await #expect(throws: PKCS11Error.self) {
                    _ = try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(5)))
                }
                guard case .tokenGone = error else {
                    Issue.record("not a token that went away: \(String(describing: error))")
                    return
                }
            }
            #expect(try await eventually { pool.health == .ready(sessions: 2) })
            #expect(try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(5))).count == 64)
            await pool.close()
        }

        @Test func `a login that ended is renewed within the call, and the key is used once`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, key, _) = try await signer("login-lost", { $0.sessions = 1 })
            let digest = HPKI.Digest(of: Array("login-lost".utf8))
            let before = hsm.logins.count
            try await hsm.during("login-lost") {
                let signature = try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(5)))
                #expect(signature.count == 64)
                #expect(!hsm.exists("login-lost"))
            }
            #expect(hsm.logins.count == before + 1)
            #expect(hsm.signatures(of: digest) == 1)
            await pool.close()
        }

        @Test func `a PIN refused while reopening is never given again`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, key, _) = try await signer("pin-wrong", { $0.firstBackOff = .milliseconds(10) })
            let digest = HPKI.Digest(of: Array("pin-wrong".utf8))
            let before = hsm.logins.count
            try await hsm.during("pin-wrong") {
                try await hsm.during("login-lost") {
                    // Each session is lost at its first use, and all are used at once.
                    await withTaskGroup(of: Void.self) { group in
                        for _ in 0..<16 {
                            group.addTask {
                                await #expect(throws: PKCS11Error.pinIncorrect) {
                                    _ = try await pool.sign(
                                        digest, with: key, by: .ecdsa, deadline: .in(.milliseconds(500)))
                                }
                            }
                        }
                        await group.waitForAll()
                    }
                    try await Task.sleep(for: .milliseconds(300))
                }
            }
            #expect(Array(hsm.logins.dropFirst(before)) == ["login 1 0xa0"])
            await pool.close()
        }

        @Test func `a key that the module made extractable is destroyed before anyone can use it`() async throws {
            let hsm = try await TestHSM.shared
            let (_, session) = try await hsm.token("weak-key")
            await #expect(throws: PKCS11Error.weakKey) {
                _ = try await hsm.during("weak-key") {
                    try await session.generateKeyPair(.p256, label: "weak", id: [1])
                }
            }
            #expect(try await session.privateKeys().isEmpty)
            await #expect(throws: PKCS11Error.keyMissing) { _ = try await session.publicKey(id: [1]) }
        }

        @Test func `a module without more sessions says so`() async throws {
            let hsm = try await TestHSM.shared
            let (token, _) = try await hsm.token("max-sessions")
            await #expect {
                _ = try await hsm.during("max-sessions", "0") { try await token.openSession() }
            } throws: {
                "\($0)" == "the token gives no more sessions (C_OpenSession: CKR_SESSION_COUNT)"
            }
        }
    }
}

/// The ages that the watchdog reported.
private final class Reports: Sendable {
    private let ages = Mutex<[Duration]>([])

    func add(_ age: Duration) { ages.withLock { $0.append(age) } }

    var all: [Duration] { ages.withLock { $0 } }
}
