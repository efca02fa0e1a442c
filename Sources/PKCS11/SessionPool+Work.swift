internal import Foundation
internal import Synchronization

extension SessionPool {
    /// Starts `call` in a free session, or lets it wait, or fails it.
    func submit(_ call: any PooledCall) {
        let outcome: Result<Int?, PKCS11Error> = state.withLock { state in
            if state.isClosed { return .failure(.closed) }
            if let index = state.lend(to: call) { return .success(index) }
            if let reason = state.hopeless { return .failure(reason) }
            guard state.waiting.count < settings.queue else { return .failure(.busy) }
            state.waiting.append(call)
            return .success(nil)
        }
        switch outcome {
        case .success(let index?): sessions[index].thread.perform { [self] in work(index, call) }
        case .success(nil): break
        case .failure(let error): call.fail(error)
        }
    }

    /// Runs `first` and then whatever waits, on the session's own thread, without going back to an idle pool between.
    private func work(_ index: Int, _ first: any PooledCall) {
        var next: (any PooledCall)? = first
        while let call = next {
            guard call.deadline > .now else {
                call.fail(.busy)
                next = state.withLock { $0.next(for: index) }
                continue
            }
            if let loss = sessions[index].assumeIsolated({ call.run(in: $0) }) {
                state.withLock { $0.lose(index) }
                recoverNext()
                failIfHopeless()
                if loss.canRepeat { submit(call) }
                return
            }
            next = state.withLock { $0.next(for: index) }
        }
    }

    /// Opens one lost session again, if it is time to.
    private func recoverNext() {
        guard let index = state.withLock({ $0.nextRecovery(Recovery(), at: .now) }) else { return }
        sessions[index].thread.perform { [self] in recover(index) }
    }

    private func recover(_ index: Int) {
        let failure: PKCS11Error? = sessions[index].assumeIsolated { session in
            do throws(PKCS11Error) {
                try session.reopen(pin)
                return nil
            } catch {
                return error
            }
        }
        if let failure {
            state.withLock { $0.failedToRecover(index, failure, settings: settings) }
            failIfHopeless()
            return
        }
        let next = state.withLock { state in
            state.recovered(settings)
            return state.next(for: index)
        }
        recoverNext()
        if let next { work(index, next) }
    }

    /// Fails those that wait for sessions which nobody can open.
    private func failIfHopeless() {
        let hopeless = state.withLock { state in
            state.hopeless.map { (reason: $0, calls: state.waiting.remove { _ in true }) }
        }
        guard let hopeless else { return }
        for call in hopeless.calls { call.fail(hopeless.reason) }
    }

    /// Starts the thread that ends waits at their deadlines, reports calls that hang, and tries lost sessions again.
    ///
    /// It is a thread, not a task, so that it runs when all of Swift's threads are busy. It ends with the pool.
    func startWatchdog() {
        let thread = Thread { [weak self] in
            while self?.watch() == true { Thread.sleep(forTimeInterval: 0.025) }
        }
        thread.name = "pkcs11-watchdog"
        thread.stackSize = 1 << 18
        thread.start()
    }

    /// One look at the clock; false once the pool is closed and no call can hang any more.
    private func watch() -> Bool {
        let now = ContinuousClock.now
        let (late, hung, isOver) = state.withLock { state in
            (
                state.waiting.remove { $0.deadline <= now },
                state.newlyHung(at: now, limit: settings.hangLimit),
                state.isClosed && !state.isWorking
            )
        }
        for call in late { call.fail(.busy) }
        for (call, age) in hung {
            call.fail(.hung)
            onHang(age)
        }
        recoverNext()
        return !isOver
    }
}
