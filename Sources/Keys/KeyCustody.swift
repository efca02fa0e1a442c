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

    /// Enumerates the token's private keys once; throws when the token cannot be read.
    package static func open(
        _ pool: SessionPool, custody: String, log: AuditLog
    ) async throws(PKCS11Error) -> KeyCustody {
        let keys = try await pool.run(deadline: .now.advanced(by: .seconds(60))) { session throws(PKCS11Error) in
            try session.privateKeys()
        }
        let handles = Dictionary(keys.map { ($0.id, $0.handle) }, uniquingKeysWith: { first, _ in first })
        return KeyCustody(pool: pool, custody: custody, log: log, handles: handles)
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
            return SignatureValue(checked: value, of: open)
        case .failure(let error):
            let outcome = error.outcome
            do { _ = try await log.conclude(open, outcome, step: step(outcome)) } catch { throw .auditStopped }
            throw error
        }
    }

    private func use(
        _ credential: Credential, on bytes: [UInt8], until deadline: ContinuousClock.Instant
    ) async throws(KeyError) -> [UInt8] {
        guard let handle = handles.withLock({ $0[credential.keyID] }) else { throw .keyMissing(credential.id) }
        let value: [UInt8]
        do {
            value = try await pool.sign(
                Digest(of: bytes, by: credential.algorithm.digestAlgorithm), with: handle,
                by: credential.algorithm.mechanism, deadline: deadline
            )
        } catch { throw .token(error) }
        do {
            try credential.certificate.publicKey.verify(
                signature: value, over: bytes, algorithm: credential.algorithm
            )
        } catch { throw .wrongValue }
        return value
    }
}

extension KeyError {
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
        case .ecdsaP256SHA256: .ecdsa
        }
    }
}
