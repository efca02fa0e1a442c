package import HPKI

/// Unwrapped keys kept for repeated use, in a session of their own.
///
/// The keys are there for every session of the process, so a `SessionPool` signs with them. They end when their
/// `VaultKey` is let go, when the vault's session is lost or closed, and when the module is renewed; handles of theirs
/// are refused with `keyMissing` from then on.
package final class KeyVault: Sendable {
    // One session, with everything that a pool does for it: deadlines, the watch over calls that hang, reopening.
    private let pool: SessionPool

    private init(_ pool: SessionPool) { self.pool = pool }

    /// Opens the vault's session and logs in; errors and `onHang` are those of `SessionPool.open`.
    package static func open(
        _ token: PKCS11Token, pin: PIN, settings: SessionPool.Settings = SessionPool.Settings(),
        onHang: @escaping @Sendable (Duration) -> Void = { _ in }
    ) async throws(PKCS11Error) -> KeyVault {
        var settings = settings
        settings.sessions = 1
        settings.ownsObjects = true
        return KeyVault(try await SessionPool.open(token, pin: pin, settings: settings, onHang: onHang))
    }

    /// Unwraps a key as `PKCS11Session.unwrap` does and keeps it for as long as the answer is held.
    ///
    /// `deadline` bounds the wait for the vault's session, after which `busy` is thrown.
    package func unwrap(
        _ blob: [UInt8], as type: KeyType, under wrappingKey: KeyHandle, deadline: ContinuousClock.Instant
    ) async throws(PKCS11Error) -> VaultKey {
        try await pool.run(deadline: deadline) { session throws(PKCS11Error) in
            VaultKey(try session.unwrap(blob, as: type, under: wrappingKey), in: session)
        }
    }

    /// Whether the vault's session can be used now.
    package var health: SessionPool.Health { pool.health }

    /// Closes the session, which destroys all keys in the vault.
    package func close() async { await pool.close() }
}

extension SessionPool {
    /// Opens a vault beside the pool, with its token, PIN and settings.
    package func openVault() async throws(PKCS11Error) -> KeyVault {
        try await KeyVault.open(token, pin: pin, settings: settings, onHang: onHang)
    }
}

/// An unwrapped key in a `KeyVault`, destroyed when nobody holds it any more.
package final class VaultKey: Sendable {
    /// The key's handle, good in every session with the token.
    package let handle: KeyHandle
    private let session: PKCS11Session
    private let opening: Int

    fileprivate init(_ handle: KeyHandle, in session: isolated PKCS11Session) {
        self.handle = handle
        self.session = session
        opening = session.openings
    }

    deinit {
        // Whoever lets go of the key last must not wait for the module.
        session.thread.perform { [session, object = handle.object, opening] in
            session.assumeIsolated { $0.discard(object, from: opening) }
        }
    }
}
