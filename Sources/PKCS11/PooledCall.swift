internal import Synchronization

/// A piece of work for one session, whose caller is answered exactly once.
protocol PooledCall: AnyObject, Sendable {
    /// Until when it may wait for a session.
    var deadline: ContinuousClock.Instant { get }
    /// Does the work and answers the caller, unless the session was lost and the work can be repeated in another.
    func run(in session: isolated PKCS11Session) -> CallEnd
    /// Answers the caller with an error, unless it was answered before.
    func fail(_ error: PKCS11Error)
}

/// How a call ended, for the pool.
enum CallEnd {
    /// The module did what was asked, or said why not.
    case answered
    /// The module failed, although it still knows the session.
    case failed
    /// Nothing that tells of the module.
    case silent
    /// The session turned out to be lost; `canRepeat`: no `C_Sign` had begun, so the call was not answered and may run
    /// elsewhere.
    case lost(canRepeat: Bool)
}

/// The work of a pool's caller.
final class PooledWork<Value: Sendable>: PooledCall {
    typealias Continuation = CheckedContinuation<Result<Value, PKCS11Error>, Never>

    let deadline: ContinuousClock.Instant
    private let body: @Sendable (isolated PKCS11Session) throws(PKCS11Error) -> Value
    // INVARIANT: whoever takes it out answers; both the session's thread and the watchdog's may try.
    private let continuation: Mutex<Continuation?>
    // A token that gives sessions and loses them at once must not keep a call going round.
    private let attempts = Atomic<Int>(0)

    init(
        deadline: ContinuousClock.Instant, continuation: Continuation,
        body: @escaping @Sendable (isolated PKCS11Session) throws(PKCS11Error) -> Value
    ) {
        self.deadline = deadline
        self.body = body
        self.continuation = Mutex(continuation)
    }

    func run(in session: isolated PKCS11Session) -> CallEnd {
        // The watchdog may have answered for a call that hung in a session since lost: then nothing more is done.
        guard continuation.withLock({ $0 != nil }) else { return .silent }
        let before = session.signaturesStarted
        attempts.add(1, ordering: .relaxed)
        do throws(PKCS11Error) {
            answer(.success(try body(session)))
            return .answered
        } catch {
            // A client of a module whose server was started anew answers every call like this, for ever.
            guard error.isLoss || (error.isDeviceFailure && !session.isAnswering()) else {
                answer(.failure(error))
                return error.isDeviceFailure ? .failed : error == .keyMissing ? .silent : .answered
            }
            let canRepeat = session.signaturesStarted == before && attempts.load(ordering: .relaxed) < 64
            if !canRepeat { answer(.failure(error)) }
            return .lost(canRepeat: canRepeat)
        }
    }

    func fail(_ error: PKCS11Error) { answer(.failure(error)) }

    private func answer(_ result: Result<Value, PKCS11Error>) {
        let waiting = continuation.withLock { stored in
            defer { stored = nil }
            return stored
        }
        waiting?.resume(returning: result)
    }
}

/// Opening a lost session again, which counts as a call so that the watchdog sees it hang.
final class Recovery: PooledCall {
    let deadline: ContinuousClock.Instant = .now

    func run(in session: isolated PKCS11Session) -> CallEnd { .silent }

    func fail(_ error: PKCS11Error) {}
}
