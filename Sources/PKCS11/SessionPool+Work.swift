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
        state.withLock { $0.begin(index) }
        var next: (any PooledCall)? = first
        while let call = next {
            guard call.deadline > .now else {
                call.fail(.busy)
                next = state.withLock { $0.next(for: index) }
                continue
            }
            let end = sessions[index].assumeIsolated { call.run(in: $0) }
            if case .lost(let canRepeat) = end {
                if settings.ownsObjects { token.noteLogin() }
                state.withLock { $0.lose(index) }
                recoverNext()
                failIfHopeless()
                if canRepeat { submit(call) }
                return
            }
            next = state.withLock { state in
                switch end {
                case .answered: state.noteAnswer(settings)
                case .failed: state.noteFailure()
                case .silent, .lost: break
                }
                return state.next(for: index)
            }
        }
    }

    /// Opens one lost session again, if it is time to.
    private func recoverNext() {
        guard let index = state.withLock({ $0.nextRecovery(Recovery(), at: .now) }) else { return }
        sessions[index].thread.perform { [self] in recover(index) }
    }

    private func recover(_ index: Int) {
        state.withLock { $0.begin(index) }
        let failure: PKCS11Error? = sessions[index].assumeIsolated { session in
            do throws(PKCS11Error) {
                try session.reopen(pin)
                return nil
            } catch {
                return error
            }
        }
        if let failure {
            let renewers = state.withLock { $0.failedToRecover(index, failure, settings: settings) }
            for renewer in renewers { renewer.resume(returning: failure) }
            failIfHopeless()
            return
        }
        if settings.ownsObjects { token.noteLogin() }
        let (next, renewers) = state.withLock { state in
            let renewers = state.recovered(settings)
            return (state.next(for: index), renewers)
        }
        for renewer in renewers { renewer.resume(returning: nil) }
        recoverNext()
        if let next { work(index, next) }
    }

    /// Renews the module, unless that is being done or it was since `generation`.
    func startRenewal(from generation: Int) {
        guard state.withLock({ $0.beginRenewal(settings) }) else { return }
        token.module.renew(from: generation, patience: settings.hangLimit) { [self] failure in
            let renewers = state.withLock { state in
                if let failure { state.failedToRenew(failure) } else { state.renewed() }
            }
            for renewer in renewers { renewer.resume(returning: failure) }
            failIfHopeless()
            recoverNext()
            while let (index, call) = state.withLock({ $0.nextToStart() }) {
                sessions[index].thread.perform { [self] in work(index, call) }
            }
        }
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
                state.late(at: now),
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
        // The generation is read first: whoever renews meanwhile has renewed for this pool too.
        let generation = token.module.gate.generation
        let unwraps = token.module.gate.unwraps
        if state.withLock({ $0.wantsRenewal(unwraps: unwraps, settings: settings) }) { startRenewal(from: generation) }
        return !isOver
    }
}
