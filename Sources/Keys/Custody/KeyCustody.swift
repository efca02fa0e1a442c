package import Audit
import Certificates
package import HPKI
package import PKCS11
internal import Synchronization

/// The second keys, resident in the token or wrapped in the custody database, and the one way to use them.
package final class KeyCustody: Sendable {
    /// What receipts call the module: `software token` or `hsm`.
    package let custody: String
    /// Closed while a key's life ends, so that no use starts behind it.
    package let gate = UseGate()
    let pool: SessionPool
    let seals: CustodyKey
    private let log: AuditLog
    private let cache: KeyCache
    // Handles are looked up here on the hot path and never searched for in the token.
    private let handles: Mutex<TokenKeys>
    // Uses in a row that the module failed, and when the last of them did; a value that holds ends the row.
    private let failures = Mutex<(count: Int, last: ContinuousClock.Instant, key: CredentialID?)>((0, .now, nil))
    private static let failuresThatCount = 3
    /// How long the module counts as failing, unless it fails again: nobody may use a key just to find out.
    private static let failingFor: Duration = .seconds(10)

    /// Enumerates the token's keys; throws when the token cannot be read.
    package static func open(
        _ pool: SessionPool, custody: String, log: AuditLog, seals: CustodyKey, epochs: [WrappingEpoch],
        cache: KeyCache.Settings
    ) async throws(PKCS11Error) -> KeyCustody {
        let keys = try await TokenKeys.find(in: pool, epochs: epochs, until: .now.advanced(by: .seconds(60)))
        return KeyCustody(
            pool: pool, custody: custody, log: log, seals: seals, cache: KeyCache(pool: pool, settings: cache),
            handles: keys)
    }

    private init(
        pool: SessionPool, custody: String, log: AuditLog, seals: CustodyKey, cache: KeyCache, handles: TokenKeys
    ) {
        self.pool = pool
        self.custody = custody
        self.log = log
        self.seals = seals
        self.cache = cache
        self.handles = Mutex(handles)
    }

    /// Whether the last uses of keys failed, three or more in a row, and the last of them a short while ago.
    ///
    /// The module may answer all else and yet sign nothing, so a probe of readiness asks this too.
    package var isFailing: Bool {
        let failures = failures.withLock { $0 }
        return failures.count >= Self.failuresThatCount && failures.last.duration(to: .now) < Self.failingFor
    }

    /// Counts a failure; one key that gives wrong values again and again tells of itself and not of the module.
    private func note(_ error: KeyError, of credential: CredentialID) {
        failures.withLock { failures in
            if error == .wrongValue, failures.key == credential { return }
            failures = (failures.count + 1, .now, credential)
        }
    }

    /// The number of private keys in the token.
    package var keyCount: Int { handles.withLock { $0.resident.count } }

    /// How often a wrapped key was found in the cache, and how often not.
    package var cacheCounts: (hits: Int64, misses: Int64) { cache.counts }

    /// Uses the key that `intent` names, once, on the bytes that it recorded, and checks the value.
    ///
    /// Where no good value comes out, the outcome is recorded here and the reason thrown: `failed` when the key was
    /// surely not used or the value does not hold, `unknown` when it may have been used. `failed` and `unknown` run
    /// `step` in the same transaction. `lease` is one that was taken before the intent was recorded. Not cancelled with its task: an intent must not stay open.
    package func sign(
        _ intent: consuming Intent, as key: SigningKey, holding lease: borrowing UseLease,
        until deadline: ContinuousClock.Instant,
        onFailure step: @escaping @Sendable (Outcome) -> AuditLog.Step
    ) async throws(KeyError) -> SignatureValue {
        let bytesToSign = intent.bytesToSign
        let named = intent.credential
        let holder = intent.holder
        let leased = lease.credential
        let open = intent.begin()
        let used: Result<[UInt8], KeyError> = await {
            do throws(KeyError) {
                guard named == key.credential, named == leased, holder == key.holder else { throw .keyMissing(named) }
                return .success(try await use(key, on: bytesToSign, until: deadline))
            } catch {
                return .failure(error)
            }
        }()
        switch used {
        case .success(let value):
            failures.withLock { $0.count = 0 }
            return SignatureValue(checked: value, of: open)
        case .failure(let error):
            if error.isOfModule { note(error, of: key.credential) }
            let outcome = error.outcome
            do { _ = try await log.conclude(open, outcome, step: step(outcome)) } catch { throw .auditStopped }
            throw error
        }
    }

    /// Destroys the unwrapped copy of a key, if there is one.
    package func forget(_ credential: CredentialID) { cache.forget(credential) }

    /// Destroys every unwrapped key.
    package func forgetAll() { cache.forgetAll() }

    /// Whether the token holds a sound wrapping key of the epoch.
    package func holdsWrappingKey(of epoch: Int64) -> Bool { handles.withLock { $0.wrapping[epoch] != nil } }

    /// Whether a wrapped key is sealed for this place.
    package func holds(_ wrapped: WrappedKey, for binding: KeyBinding) -> Bool {
        (try? seals.check(wrapped, for: binding)) != nil
    }

    /// Every private and secret object that a session sees, with its attributes.
    package func listObjects() async throws(KeyError) -> (privateKeys: [KeyObject], secretKeys: [KeyObject]) {
        do {
            return try await pool.run(deadline: .now.advanced(by: .seconds(60))) { session throws(PKCS11Error) in
                (try session.privateKeys(), try session.secretKeys())
            }
        } catch { throw .token(error) }
    }

    /// The handle of an epoch's wrapping key; throws `.epochMissing`.
    func wrappingKey(of epoch: Int64) throws(KeyError) -> KeyHandle {
        guard let handle = handles.withLock({ $0.wrapping[epoch] }) else { throw .epochMissing(epoch) }
        return handle
    }

    /// Looks the token's keys up again, as after a new epoch or a new login; leaves a moment where none is seen.
    package func findKeys(
        epochs: [WrappingEpoch]? = nil, until deadline: ContinuousClock.Instant
    ) async throws(PKCS11Error) {
        let known = handles.withLock { $0.epochs }
        let found = try await TokenKeys.find(in: pool, epochs: epochs ?? known, until: deadline)
        handles.withLock { handles in
            // While nobody is logged in none is seen, or the wrapping keys alone, which may be public objects.
            guard !found.isEmpty, !found.resident.isEmpty || handles.resident.isEmpty else { return }
            handles = found
        }
        try? await Task.sleep(for: .milliseconds(20))
    }

    // MARK: One use

    private func use(
        _ key: SigningKey, on bytes: [UInt8], until deadline: ContinuousClock.Instant
    ) async throws(KeyError) -> [UInt8] {
        let digest = Digest(of: bytes, by: key.algorithm.digestAlgorithm)
        let value = try await value(of: digest, with: key, until: deadline)
        do {
            try key.publicKey.verify(signature: value, over: bytes, algorithm: key.algorithm)
        } catch { throw .wrongValue }
        return value
    }

    /// Once the token was logged in to anew all handles are others; the old ones were refused before any use.
    private func value(
        of digest: Digest, with key: SigningKey, until deadline: ContinuousClock.Instant
    ) async throws(KeyError) -> [UInt8] {
        if case .wrapped(let wrapped) = key.material { try seals.check(wrapped, for: key.binding) }
        for _ in 0..<20 {
            do throws(PKCS11Error) {
                switch key.material {
                case .resident(let keyID):
                    guard let handle = handles.withLock({ $0.resident[keyID] }) else { break }
                    return try await pool.sign(digest, with: handle, by: key.algorithm.mechanism, deadline: deadline)
                case .wrapped(let wrapped):
                    guard let handle = handles.withLock({ $0.wrapping[wrapped.epoch] }) else { break }
                    return try await value(of: digest, with: key, wrapped, under: handle, until: deadline)
                }
            } catch .keyMissing {
                cache.forget(key.credential)
                do { try await findKeys(until: deadline) } catch { throw .token(error) }
                continue
            } catch .wrappedKeyRefused {
                throw .unwrapRefused(key.credential)
            } catch { throw .token(error) }
            // The token's list of keys lacks it: ask the token once more, unless it was asked just now.
            switch key.material {
            case .resident: throw .keyMissing(key.credential)
            case .wrapped(let wrapped): throw .epochMissing(wrapped.epoch)
            }
        }
        throw .token(.keyMissing)
    }

    private func value(
        of digest: Digest, with key: SigningKey, _ wrapped: WrappedKey, under wrappingKey: KeyHandle,
        until deadline: ContinuousClock.Instant
    ) async throws(PKCS11Error) -> [UInt8] {
        let mechanism = key.algorithm.mechanism
        if let unwrapped = try await cache.key(
            key.credential, wrapped, as: key.keyType, under: wrappingKey, until: deadline)
        {
            let value = try await pool.sign(digest, with: unwrapped.handle, by: mechanism, deadline: deadline)
            withExtendedLifetime(unwrapped) {}
            return value
        }
        let (blob, keyType) = (wrapped.blob, key.keyType)
        return try await pool.run(deadline: deadline) { session throws(PKCS11Error) in
            try session.sign(digest, withWrapped: blob, as: keyType, under: wrappingKey, by: mechanism)
        }
    }
}

/// The keys that a token holds, by what names them in the registry.
struct TokenKeys: Sendable {
    /// Second keys by CKA_ID.
    var resident: [[UInt8]: KeyHandle] = [:]
    /// Wrapping keys by epoch.
    var wrapping: [Int64: KeyHandle] = [:]
    var epochs: [WrappingEpoch] = []

    var isEmpty: Bool { resident.isEmpty && wrapping.isEmpty }

    static func find(
        in pool: SessionPool, epochs: [WrappingEpoch], until deadline: ContinuousClock.Instant
    ) async throws(PKCS11Error) -> TokenKeys {
        let (privateKeys, secretKeys) = try await pool.run(deadline: deadline) { session throws(PKCS11Error) in
            (try session.privateKeys(), try session.secretKeys())
        }
        var keys = TokenKeys()
        keys.epochs = epochs
        for key in privateKeys where key.attributes.isToken != false { keys.resident[key.id] = key.handle }
        for epoch in epochs where epoch.state != .retired {
            // A key that could unwrap readable copies is no wrapping key, whatever its name.
            keys.wrapping[epoch.epoch] =
                secretKeys.first { $0.id == epoch.keyID && $0.isSoundWrappingKey }?.handle
        }
        return keys
    }
}

extension KeyError {
    /// Whether the module is at fault, rather than how much it has to do, or what is in it.
    fileprivate var isOfModule: Bool {
        switch self {
        case .token(.busy), .keyMissing, .auditStopped, .sealBroken, .closed, .unwrapRefused, .noWrappingKey: false
        case .token, .wrongValue, .epochMissing: true
        }
    }

    /// How the use ended, for the record.
    fileprivate var outcome: Outcome {
        switch self {
        case .keyMissing, .auditStopped: .failed("the key is not in the token")
        case .sealBroken: .failed("the key's row was altered; the key was not used")
        case .unwrapRefused: .failed("the token did not unwrap the key; it was not used")
        case .epochMissing(let epoch): .failed("the token lacks the wrapping key of epoch \(epoch)")
        case .noWrappingKey: .failed("there is no wrapping key")
        case .closed: .failed("the key was being suspended, revoked or destroyed; it was not used")
        case .token(let error) where error.keyMayHaveBeenUsed: .unknown("the module did not tell: \(error)")
        case .token(let error): .failed("the key was not used: \(error)")
        case .wrongValue: .failed("the module's value does not hold against the public key")
        }
    }
}

extension SignatureAlgorithm {
    fileprivate var mechanism: SignatureMechanism {
        switch family {
        case .rsaPKCS1: .rsaPKCS1
        case .rsaPSS: .rsaPSS
        case .ecdsa: .ecdsa
        }
    }
}
