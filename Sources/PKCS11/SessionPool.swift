package import HPKI
internal import Synchronization

/// A fixed number of sessions, logged in, of which each caller is lent a free one in order of arrival.
///
/// A lost session is opened again, with growing pauses, one at a time, and logged in with the PIN that the pool
/// holds; once the token refuses that PIN it is not tried again. A call of a module cannot be cancelled, nor can its
/// outcome be known while it hangs: a watchdog reports it, and its caller gets `hung`.
package final class SessionPool: Sendable {
    /// How many sessions, how many callers may wait, and how long a call may last.
    package struct Settings: Sendable {
        /// Sessions, each with a thread of its own.
        package var sessions = 8
        /// Callers that may wait for a session; the next one gets `busy`.
        package var queue = 1024
        /// A call that has lasted longer hangs.
        package var hangLimit: Duration = .seconds(10)
        /// The pause after a session could not be opened again; it doubles each time.
        package var firstBackOff: Duration = .milliseconds(100)
        /// The pause never grows beyond this.
        package var longestBackOff: Duration = .seconds(5)
        /// After so many unwrapped keys the module is renewed, since SoftHSM loses memory with each.
        package var unwrapsPerRenewal = 250_000
        /// While no session is left, the module is renewed after so many vain tries to open one.
        package var reopensBeforeRenewal = 3
        /// The module is renewed when so many calls in a row, in whichever sessions, failed as if the device had.
        package var failuresBeforeRenewal = 32
        // Set by a vault: its objects end with a lost session, so their handles must too.
        var ownsObjects = false

        /// The settings that suit a service with one module.
        package init() {}
    }

    /// Whether the pool can sign, for a readiness probe.
    package enum Health: Sendable, Hashable {
        /// So many sessions are logged in and answer.
        case ready(sessions: Int)
        /// No session can be used now, and why.
        case down(PKCS11Error)
    }

    /// The token whose sessions these are.
    package let token: PKCS11Token
    let sessions: [PKCS11Session]
    let pin: PIN
    let settings: Settings
    let onHang: @Sendable (Duration) -> Void
    let state: Mutex<PoolState>

    /// Opens all sessions, logs in, and starts the watchdog.
    ///
    /// `onHang` is called once for each call that outlives `hangLimit`, with its age, on the watchdog's thread. The
    /// process should then exit and be started again, since nothing less ends such a call. Throws what opening and
    /// logging in throw; a wrong PIN is given to the token once.
    package static func open(
        _ token: PKCS11Token, pin: PIN, settings: Settings = Settings(),
        onHang: @escaping @Sendable (Duration) -> Void = { _ in }
    ) async throws(PKCS11Error) -> SessionPool {
        var sessions: [PKCS11Session] = []
        for _ in 0..<max(settings.sessions, 1) {
            let session = try await token.openSession()
            try await session.login(pin)
            sessions.append(session)
        }
        let pool = SessionPool(token: token, sessions: sessions, pin: pin, settings: settings, onHang: onHang)
        pool.startWatchdog()
        return pool
    }

    private init(
        token: PKCS11Token, sessions: [PKCS11Session], pin: PIN, settings: Settings,
        onHang: @escaping @Sendable (Duration) -> Void
    ) {
        self.token = token
        self.sessions = sessions
        self.pin = pin
        self.settings = settings
        self.onHang = onHang
        state = Mutex(PoolState(sessions: sessions.count, backOff: settings.firstBackOff))
    }

    /// Signs `digest` with `key` in the next free session, once.
    ///
    /// `deadline` bounds the wait for a session: after it, `busy`, and nothing was started. Once `C_Sign` has begun
    /// its true outcome is awaited, up to `hangLimit`; then `hung`. A loss before `C_Sign` began is repeated in another
    /// session. The caller's cancellation is not heeded, since an outcome must be recorded for every intent.
    package func sign(
        _ digest: Digest, with key: KeyHandle, by mechanism: SignatureMechanism, deadline: ContinuousClock.Instant
    ) async throws(PKCS11Error) -> [UInt8] {
        try await run(deadline: deadline) { session throws(PKCS11Error) in
            try session.sign(digest, with: key, by: mechanism)
        }
    }

    /// Runs `body` in the next free session; `deadline` and errors are those of `sign`.
    ///
    /// `body` may run again in another session if the first was lost before any `C_Sign` began.
    package func run<Value: Sendable>(
        deadline: ContinuousClock.Instant,
        _ body: @escaping @Sendable (isolated PKCS11Session) throws(PKCS11Error) -> Value
    ) async throws(PKCS11Error) -> Value {
        let result: Result<Value, PKCS11Error> = await withCheckedContinuation { continuation in
            submit(PooledWork(deadline: deadline, continuation: continuation, body: body))
        }
        return try result.get()
    }

    /// Initialises the module anew: calls under way end, later ones wait, all sessions are opened again.
    ///
    /// The pool does this by itself after `unwrapsPerRenewal`, and while nothing else brings a lost module back. Every
    /// handle found before is refused with `keyMissing` afterwards, every other session of the module is lost. Throws
    /// `hung`, and nothing was done, when a call does not return within `hangLimit`; else what initialising, opening and
    /// logging in throw, which the pool then tries again.
    package func renew() async throws(PKCS11Error) {
        let error: PKCS11Error? = await withCheckedContinuation { continuation in
            if let refusal = state.withLock({ $0.await(continuation) }) {
                return continuation.resume(returning: refusal)
            }
            startRenewal(from: token.module.gate.generation)
        }
        if let error { throw error }
    }

    /// How often the module was renewed.
    package var renewals: Int { state.withLock { $0.renewals } }

    /// How long the longest of the running calls has lasted, or nil while none runs.
    package var oldestCallAge: Duration? {
        let now = ContinuousClock.now
        return state.withLock { $0.running.compactMap { $0?.since?.duration(to: now) }.max() }
    }

    /// Whether the pool can sign now.
    package var health: Health {
        state.withLock { $0.health }
    }

    /// Refuses new calls, fails those that wait, and closes each session once its call has returned.
    ///
    /// A call that outlives `hangLimit` is not waited for, and its session stays open.
    package func close() async {
        let (waiting, renewers) = state.withLock { state in
            state.isClosed = true
            return (state.waiting.remove { _ in true }, state.takeRenewers())
        }
        for call in waiting { call.fail(.closed) }
        for renewer in renewers { renewer.resume(returning: .closed) }
        while state.withLock({ $0.isWorking }) { try? await Task.sleep(for: .milliseconds(5)) }
        for index in state.withLock({ $0.usable }) { await sessions[index].close() }
    }
}
