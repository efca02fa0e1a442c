package import Audit
import Certificates
import HPKI
package import PKCS11
internal import Synchronization

/// The second keys in the token, and the one way to use them.
package final class KeyCustody: Sendable {
    /// What receipts call the module: `software token` or `hsm`.
    package let custody: String
    private let pool: SessionPool
    private let log: AuditLog
    // Handles are looked up here on the hot path and never searched for in the token.
    private let handles: Mutex<[[UInt8]: KeyHandle]>
    // Uses in a row that the module failed, and when the last of them did; a value that holds ends the row.
    private let failures = Mutex<(count: Int, last: ContinuousClock.Instant)>((0, .now))
    private static let failuresThatCount = 3
    /// How long the module counts as failing, unless it fails again: nobody may use a key just to find out.
    private static let failingFor: Duration = .seconds(10)

    /// Enumerates the token's private keys; throws when the token cannot be read.
    package static func open(
        _ pool: SessionPool, custody: String, log: AuditLog
    ) async throws(PKCS11Error) -> KeyCustody {
        let handles = try await handles(in: pool, until: .now.advanced(by: .seconds(60)))
        return KeyCustody(pool: pool, custody: custody, log: log, handles: handles)
    }

    private static func handles(
        in pool: SessionPool, until deadline: ContinuousClock.Instant
    ) async throws(PKCS11Error) -> [[UInt8]: KeyHandle] {
        let keys = try await pool.run(deadline: deadline) { session throws(PKCS11Error) in try session.privateKeys() }
        return Dictionary(keys.map { ($0.id, $0.handle) }, uniquingKeysWith: { first, _ in first })
    }

    private init(pool: SessionPool, custody: String, log: AuditLog, handles: [[UInt8]: KeyHandle]) {
        self.pool = pool
        self.custody = custody
        self.log = log
        self.handles = Mutex(handles)
    }

    /// Whether the token holds the credential's private key.
    package func holds(_ credential: Credential) -> Bool {
        handles.withLock { $0[credential.keyID] != nil }
    }

    /// Whether the last uses of keys failed, three or more in a row, and the last of them a short while ago.
    ///
    /// The module may answer all else and yet sign nothing, so a probe of readiness asks this too.
    package var isFailing: Bool {
        let failures = failures.withLock { $0 }
        return failures.count >= Self.failuresThatCount && failures.last.duration(to: .now) < Self.failingFor
    }

    /// The number of private keys in the token.
    package var keyCount: Int { handles.withLock { $0.count } }

    /// Uses the key that `intent` names, once, on the bytes that it recorded, and checks the value.
    ///
    /// Where no good value comes out, the outcome is recorded here and the reason thrown: `failed` when the key was
    /// surely not used or the value does not hold, `unknown` when it may have been used. `failed` and `unknown` run
    /// `step` in the same transaction. Not cancelled with its task: an intent must not stay open.
    package func sign(
        _ intent: consuming Intent, as credential: Credential, until deadline: ContinuousClock.Instant,
        onFailure step: @escaping @Sendable (Outcome) -> AuditLog.Step
    ) async throws(KeyError) -> SignatureValue {
        let bytesToSign = intent.bytesToSign
        let named = intent.credential
        let open = intent.begin()
        let used: Result<[UInt8], KeyError> = await {
            do throws(KeyError) {
                guard named == credential.id else { throw .keyMissing(named) }
                return .success(try await use(credential, on: bytesToSign, until: deadline))
            } catch {
                return .failure(error)
            }
        }()
        switch used {
        case .success(let value):
            failures.withLock { $0.count = 0 }
            return SignatureValue(checked: value, of: open)
        case .failure(let error):
            if error.isOfModule { failures.withLock { $0 = ($0.count + 1, .now) } }
            let outcome = error.outcome
            do { _ = try await log.conclude(open, outcome, step: step(outcome)) } catch { throw .auditStopped }
            throw error
        }
    }

    private func use(
        _ credential: Credential, on bytes: [UInt8], until deadline: ContinuousClock.Instant
    ) async throws(KeyError) -> [UInt8] {
        let digest = Digest(of: bytes, by: credential.algorithm.digestAlgorithm)
        let value = try await sign(digest, with: credential, until: deadline)
        do {
            try credential.certificate.publicKey.verify(
                signature: value, over: bytes, algorithm: credential.algorithm
            )
        } catch { throw .wrongValue }
        return value
    }

    /// Once the token was logged in to anew all handles are others; the old ones were refused before any use.
    private func sign(
        _ digest: Digest, with credential: Credential, until deadline: ContinuousClock.Instant
    ) async throws(KeyError) -> [UInt8] {
        for _ in 0..<20 {
            guard let handle = handles.withLock({ $0[credential.keyID] }) else { throw .keyMissing(credential.id) }
            do {
                return try await pool.sign(
                    digest, with: handle, by: credential.algorithm.mechanism, deadline: deadline)
            } catch .keyMissing {
                do { try await findKeys(until: deadline) } catch { throw .token(error) }
            } catch { throw .token(error) }
        }
        throw .token(.keyMissing)
    }

    /// Looks the keys up again, and leaves the pool a moment for its login where none is seen.
    private func findKeys(until deadline: ContinuousClock.Instant) async throws(PKCS11Error) {
        let found = try await Self.handles(in: pool, until: deadline)
        if !found.isEmpty { handles.withLock { $0 = found } }
        try? await Task.sleep(for: .milliseconds(20))
    }
}

extension KeyError {
    /// Whether the module is at fault, rather than how much it has to do, or what is in it.
    fileprivate var isOfModule: Bool {
        switch self {
        case .token(.busy), .keyMissing, .auditStopped: false
        case .token, .wrongValue: true
        }
    }

    /// How the use ended, for the record.
    fileprivate var outcome: Outcome {
        switch self {
        case .keyMissing, .auditStopped: .failed("the key is not in the token")
        case .token(let error) where error.keyMayHaveBeenUsed: .unknown("the module did not tell: \(error)")
        case .token(let error): .failed("the key was not used: \(error)")
        case .wrongValue: .failed("the module's value does not hold against the certificate")
        }
    }
}

extension SignatureAlgorithm {
    fileprivate var mechanism: SignatureMechanism {
        switch self {
        case .rsaPKCS1SHA256: .rsaPKCS1
        case .rsaPSSSHA256: .rsaPSS
        case .ecdsaP256SHA256, .ecdsaP384SHA384: .ecdsa
        }
    }
}
