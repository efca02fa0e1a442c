import Crypto
import Foundation
import HPKI
import PKCS11
import Synchronization
import Testing

extension PKCS11Tests {
    @Suite struct Renewals {
        @Test func `a renewal under load fails no call and loses none, and nobody is inside the module`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, holder) = try await Holder.make("load")
            let before = hsm.renewals.count
            let signed = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<16 {
                    group.addTask {
                        for round in 0..<40 { try await holder.signAndVerify("\(number) \(round)", in: pool) }
                        return 40
                    }
                }
                group.addTask {
                    for _ in 0..<5 {
                        try await Task.sleep(for: .milliseconds(20))
                        try await pool.renew()
                    }
                    return 0
                }
                return try await group.reduce(0, +)
            }
            #expect(signed == 640)
            #expect(pool.health == .ready(sessions: 8))
            #expect(pool.renewals == 5)
            #expect(Array(hsm.renewals.dropFirst(before)) == Array(repeating: "initialize 0x0", count: 5))
            await pool.close()
        }

        @Test func `after so many unwraps the module is renewed by itself, and its memory stays bounded`() async throws
        {
            let (pool, holder) = try await Holder.make("memory", { $0.unwrapsPerRenewal = 1000 })
            @Sendable func load(_ count: Int) async throws {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<8 {
                        group.addTask {
                            for round in 0..<count / 8 { _ = try await holder.sign("\(number) \(round)", in: pool) }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            try await load(2_500)
            let (renewals, memory) = (pool.renewals, try residentKilobytes())
            #expect(renewals >= 1)
            try await load(10_000)
            #expect(pool.renewals > renewals + 3)
            // Without renewals 3.6 MB on the same machine, with them 1.2 MB.
            #expect(try residentKilobytes() - memory < 2_400)
            #expect(pool.health == .ready(sessions: 8))
            await pool.close()
        }

        @Test func `handles from before a renewal are refused before any use`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, key, _) = try await signer("renewed handle")
            let digest = HPKI.Digest(of: Array("renewed handle".utf8))
            try await pool.renew()
            await #expect(throws: PKCS11Error.keyMissing) {
                _ = try await pool.sign(digest, with: key, by: .ecdsa, deadline: .in(.seconds(5)))
            }
            #expect(hsm.signatures(of: digest) == 0)
            let found = try await pool.run(deadline: .in(.seconds(5))) { session throws(PKCS11Error) in
                try session.privateKeys().first?.handle
            }
            let again = try #require(found)
            #expect(try await pool.sign(digest, with: again, by: .ecdsa, deadline: .in(.seconds(5))).count == 64)
            await pool.close()
        }

        @Test func `a session outside the pool is lost by a renewal and never takes another one's place`() async throws
        {
            let hsm = try await TestHSM.shared
            let (token, session) = try await hsm.token("outside")
            let pool = try await SessionPool.open(token, pin: .of("1234"))
            try await pool.renew()
            await #expect {
                _ = try await session.random(count: 1)
            } throws: {
                guard case .sessionLost = $0 as? PKCS11Error else { return false }
                return true
            }
            await session.close()
            #expect(pool.health == .ready(sessions: 8))
            _ = try await pool.run(deadline: .in(.seconds(5))) { session throws(PKCS11Error) in
                try session.random(count: 1)
            }
            await pool.close()
        }

        @Test func `a module whose server was restarted comes back by itself, with no key used twice`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, holder) = try await Holder.make("server", { $0.firstBackOff = .milliseconds(20) })
            try await holder.signAndVerify("before", in: pool)
            let digest = HPKI.Digest(of: Array("server".utf8))
            try await hsm.during("server-gone") {
                await #expect {
                    _ = try await pool.sign(
                        digest, with: holder.resident, by: .ecdsa, deadline: .in(.seconds(5)))
                } throws: {
                    ($0 as? PKCS11Error)?.keyMayHaveBeenUsed == false
                }
                let isTried = try await eventually {
                    if case .down = pool.health { hsm.renewals.last == "initialize 0x5" } else { false }
                }
                #expect(isTried)
                // Refused at once, not at the deadline.
                let start = ContinuousClock.now
                await #expect(throws: PKCS11Error.self) {
                    _ = try await pool.sign(digest, with: holder.resident, by: .ecdsa, deadline: .in(.seconds(5)))
                }
                #expect(start.duration(to: .now) < .seconds(1))
            }
            #expect(try await eventually { pool.health == .ready(sessions: 8) })
            #expect(pool.renewals >= 1)
            try await holder.signAndVerify("after", in: pool)
            #expect(hsm.signatures(of: digest) == 0)
            await pool.close()
        }

        @Test func `calls that fail in a row in every session lead to a renewal`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, holder) = try await Holder.make("in a row", { $0.failuresBeforeRenewal = 4 })
            let digest = HPKI.Digest(of: Array("in a row".utf8))
            try await hsm.during("init-fail") {
                for _ in 0..<4 {
                    await #expect(throws: PKCS11Error.self) {
                        _ = try await pool.sign(digest, with: holder.resident, by: .ecdsa, deadline: .in(.seconds(5)))
                    }
                }
                let isRenewed = try await eventually { pool.renewals == 1 }
                #expect(isRenewed)
            }
            try await holder.signAndVerify("after", in: pool)
            await pool.close()
        }

        @Test func `a PIN refused after a renewal is never given again, nor is the module renewed again`() async throws
        {
            let hsm = try await TestHSM.shared
            let (pool, holder) = try await Holder.make("renewed PIN", { $0.firstBackOff = .milliseconds(10) })
            let before = hsm.logins.count
            try await hsm.during("pin-wrong") {
                await #expect(throws: PKCS11Error.pinIncorrect) { try await pool.renew() }
                await #expect(throws: PKCS11Error.pinIncorrect) { try await pool.renew() }
                await #expect(throws: PKCS11Error.self) { try await holder.signAndVerify("x", in: pool) }
                try await Task.sleep(for: .milliseconds(300))
            }
            #expect(Array(hsm.logins.dropFirst(before)) == ["login 1 0xa0"])
            #expect(pool.health == .down(.pinIncorrect))
            await pool.close()
        }

        @Test func `a call that does not return prevents a renewal, and the others are served again`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, holder) = try await Holder.make(
                "hung renewal",
                {
                    $0.hangLimit = .milliseconds(400)
                    $0.sessions = 2
                })
            let digest = HPKI.Digest(of: Array("hung renewal".utf8))
            let before = hsm.renewals.count
            try await hsm.during("sign-hang") {
                let call = Task {
                    try await pool.sign(digest, with: holder.resident, by: .ecdsa, deadline: .in(.seconds(5)))
                }
                #expect(try await eventually { hsm.signatures(of: digest) == 1 })
                await #expect(throws: PKCS11Error.hung) { try await pool.renew() }
                await #expect(throws: PKCS11Error.hung) { _ = try await call.value }
                #expect(hsm.renewals.count == before)
                _ = try await pool.run(deadline: .in(.seconds(2))) { session throws(PKCS11Error) in
                    try session.random(count: 1)
                }
            }
            #expect(try await eventually { pool.health == .ready(sessions: 2) })
            try await pool.renew()
            try await holder.signAndVerify("after", in: pool)
            await pool.close()
        }

        @Test func `calls that wait during a renewal keep to their deadlines`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, holder) = try await Holder.make("waiting")
            let digest = HPKI.Digest(of: Array("waiting".utf8))
            let (slow, renewal) = try await hsm.during("sign-hang") {
                let slow = Task {
                    try await pool.sign(digest, with: holder.resident, by: .ecdsa, deadline: .in(.seconds(5)))
                }
                let hasBegun = try await eventually { hsm.signatures(of: digest) == 1 }
                #expect(hasBegun)
                let renewal = Task { try await pool.renew() }
                let isBusy = try await eventually {
                    let start = ContinuousClock.now
                    do throws(PKCS11Error) {
                        _ = try await pool.run(deadline: .in(.milliseconds(100))) { session throws(PKCS11Error) in
                            try session.random(count: 1)
                        }
                        return false
                    } catch {
                        #expect(error == .busy)
                        #expect(start.duration(to: .now) < .seconds(1))
                        return true
                    }
                }
                #expect(isBusy)
                #expect(pool.health == .ready(sessions: 8))
                return (slow, renewal)
            }
            #expect(try await slow.value.count == 64)
            try await renewal.value
            await pool.close()
        }
    }

    @Suite struct Vault {
        @Test func `a key in the vault signs in every session until it is let go`() async throws {
            let (pool, holder) = try await Holder.make("vault")
            let vault = try await pool.openVault()
            let wrappingKey = try await holder.wrappingKey(in: pool)
            do {
                let key = try await vault.unwrap(
                    holder.pair.blob, as: .p256, under: wrappingKey, deadline: .in(.seconds(5)))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            let message = Array("vault \(number)".utf8)
                            let value = try await pool.sign(
                                HPKI.Digest(of: message), with: key.handle, by: .ecdsa, deadline: .in(.seconds(5)))
                            #expect(
                                try KeyType.p256.verifies(
                                    value, over: message, by: .ecdsa, key: holder.pair.subjectPublicKeyInfo))
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await holder.sessionKeys(in: pool) == 1)
                withExtendedLifetime(key) {}
            }
            #expect(try await eventually { try await holder.sessionKeys(in: pool) == 0 })
            await expectRefusal {
                _ = try await vault.unwrap([1, 2, 3], as: .p256, under: wrappingKey, deadline: .in(.seconds(5)))
            }
            await vault.close()
            await pool.close()
        }

        @Test func `letting go of a key does not wait for a module that is slow`() async throws {
            let hsm = try await TestHSM.shared
            let (pool, holder) = try await Holder.make("slow vault")
            let vault = try await pool.openVault()
            var key: VaultKey? = try await vault.unwrap(
                holder.pair.blob, as: .p256, under: try await holder.wrappingKey(in: pool), deadline: .in(.seconds(5)))
            try await hsm.during("latency-ms", "300") {
                #expect(key?.handle != nil)
                let start = ContinuousClock.now
                key = nil
                #expect(start.duration(to: .now) < .milliseconds(100))
            }
            #expect(try await eventually { try await holder.sessionKeys(in: pool) == 0 })
            await vault.close()
            await pool.close()
        }

        @Test func `a vault and its keys end with a renewal, and the vault opens again by itself`() async throws {
            let (pool, holder) = try await Holder.make("renewed vault")
            let vault = try await pool.openVault()
            let old = try await vault.unwrap(
                holder.pair.blob, as: .p256, under: try await holder.wrappingKey(in: pool), deadline: .in(.seconds(5)))
            try await pool.renew()
            await #expect(throws: PKCS11Error.keyMissing) {
                _ = try await pool.sign(
                    HPKI.Digest(of: [1]), with: old.handle, by: .ecdsa, deadline: .in(.seconds(5)))
            }
            let new = try await holder.retrying { () async throws(PKCS11Error) in
                try await vault.unwrap(
                    holder.pair.blob, as: .p256, under: try await holder.wrappingKey(in: pool),
                    deadline: .in(.seconds(5)))
            }
            withExtendedLifetime(old) {}
            let value = try await pool.sign(
                HPKI.Digest(of: [1]), with: new.handle, by: .ecdsa, deadline: .in(.seconds(5)))
            #expect(value.count == 64)
            await vault.close()
            #expect(try await holder.sessionKeys(in: pool) == 0)
            await pool.close()
        }
    }
}

/// A token with a wrapping key, a wrapped pair and a resident one in it, used as a service would.
struct Holder: Sendable {
    let pair: WrappedKeyPair
    let resident: KeyHandle

    static func make(
        _ label: String, _ change: (inout SessionPool.Settings) -> Void = { _ in }
    ) async throws -> (pool: SessionPool, holder: Holder) {
        let (token, session, key) = try await TestHSM.shared.wrapping(label)
        let pair = try await session.generateWrappedKeyPair(.p256, under: key)
        var settings = SessionPool.Settings()
        change(&settings)
        let pool = try await SessionPool.open(token, pin: .of("1234"), settings: settings)
        let writer = try await token.openSession(writable: true)
        let resident = try await writer.generateKeyPair(.p256, label: "resident", id: [1]).privateKey
        return (pool, Holder(pair: pair, resident: resident))
    }

    func wrappingKey(in pool: SessionPool) async throws(PKCS11Error) -> KeyHandle {
        try await pool.run(deadline: .in(.seconds(10))) { session throws(PKCS11Error) in
            try session.wrappingKey([0xE1])
        }
    }

    /// How many private keys there are besides the resident one.
    func sessionKeys(in pool: SessionPool) async throws -> Int {
        try await pool.run(deadline: .in(.seconds(10))) { session throws(PKCS11Error) in
            try session.privateKeys().count { $0.attributes.isToken == false }
        }
    }

    /// The wrapped key is used in one go, with a handle found in the same session.
    func sign(_ text: String, in pool: SessionPool) async throws(PKCS11Error) -> [UInt8] {
        let digest = HPKI.Digest(of: Array(text.utf8))
        return try await retrying { () async throws(PKCS11Error) in
            let key = try await handles.key(of: pool, self)
            do throws(PKCS11Error) {
                return try await pool.run(deadline: .in(.seconds(20))) { session throws(PKCS11Error) in
                    try session.sign(digest, withWrapped: pair.blob, as: .p256, under: key, by: .ecdsa)
                }
            } catch {
                if error == .keyMissing { handles.forget(key) }
                throw error
            }
        }
    }

    func signAndVerify(_ text: String, in pool: SessionPool) async throws {
        let value = try await sign(text, in: pool)
        #expect(
            try KeyType.p256.verifies(value, over: Array(text.utf8), by: .ecdsa, key: pair.subjectPublicKeyInfo))
    }

    /// A handle may be void by the time it is used; whoever uses handles finds them again.
    func retrying<Value>(
        _ body: () async throws(PKCS11Error) -> Value
    ) async throws(PKCS11Error) -> Value {
        for _ in 0..<50 {
            do throws(PKCS11Error) { return try await body() } catch {
                guard error == .keyMissing else { throw error }
            }
        }
        throw .keyMissing
    }

    private let handles = Handles()
}

/// The wrapping key's handle as last found.
private final class Handles: Sendable {
    private let known = Mutex<KeyHandle?>(nil)

    func key(of pool: SessionPool, _ holder: Holder) async throws(PKCS11Error) -> KeyHandle {
        if let key = known.withLock({ $0 }) { return key }
        let key = try await holder.wrappingKey(in: pool)
        known.withLock { $0 = key }
        return key
    }

    func forget(_ key: KeyHandle) { known.withLock { if $0 == key { $0 = nil } } }
}

/// The process's resident memory, by the kernel.
private func residentKilobytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4
}
