extension SessionPool {
    /// Runs `body` in a session of its own beside the pool's: for work that takes long, or that makes token objects.
    ///
    /// The pool's login holds for it; no watchdog watches it. Throws what opening it throws, and what `body` throws.
    package func runApart<Value: Sendable>(
        writable: Bool = false, _ body: @Sendable (isolated PKCS11Session) throws(PKCS11Error) -> Value
    ) async throws(PKCS11Error) -> Value {
        let session = try await token.openSession(writable: writable)
        do throws(PKCS11Error) {
            let value = try await body(session)
            await session.close()
            return value
        } catch {
            await session.close()
            throw error
        }
    }
}
