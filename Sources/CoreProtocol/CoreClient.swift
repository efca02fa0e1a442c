package import HPKI
package import Host
internal import Synchronization

/// Front's end of the socket pair: numbers each call, and gives each reply to the one who waits for it.
///
/// The supervisor hands over a new socket whenever it has started core anew; calls that were under way on the old one
/// are answered `.coreUnavailable`.
package final class CoreClient: CoreCalling {
    // INVARIANT: every continuation in `waiting` is resumed exactly once, by whoever removes it; owned by the lock.
    private let state = Mutex(State())

    private struct State {
        var link: FrameLink?
        var generation = 0
        var nextCall: UInt64 = 1
        var waiting: [UInt64: Waiting] = [:]
    }

    private struct Waiting {
        let generation: Int
        let deadline: UInt64
        let answer: CheckedContinuation<Result<CoreReply, Failure>, Never>
    }

    /// A client without a connection; calls fail until `connect`.
    package init() {}

    /// Whether a connection to core stands.
    package var isConnected: Bool { state.withLock { $0.link != nil } }

    /// Takes the socket of a core that has just started.
    package func connect(_ descriptor: Descriptor) {
        let link = FrameLink(descriptor)
        let (old, generation) = state.withLock { state in
            defer { state.link = link }
            state.generation += 1
            return (state.link, state.generation)
        }
        old?.close()
        link.start(
            onFrame: { [self] frame in receive(frame, generation) },
            onClose: { [self] _ in lose(generation) }
        )
    }

    /// Asks core over the socket that stands now; see `CoreCalling.call`.
    package func call(_ request: CoreRequest, deadline: UInt64) async throws(Failure) -> CoreReply {
        let result = await withCheckedContinuation { answer in
            let prepared: (FrameLink, UInt64)? = state.withLock { state in
                guard let link = state.link else { return nil }
                let call = state.nextCall
                state.nextCall += 1
                state.waiting[call] = Waiting(generation: state.generation, deadline: deadline, answer: answer)
                return (link, call)
            }
            guard let (link, call) = prepared else {
                return answer.resume(returning: .failure(Self.away))
            }
            do {
                try link.send(RequestFrame(call: call, request: request).bytes)
            } catch HostError.valueTooLong {
                take(call)?.answer.resume(returning: .failure(Self.tooLong))
            } catch {
                take(call)?.answer.resume(returning: .failure(Self.away))
            }
        }
        if case .failed(let failure) = try result.get() { throw failure }
        return try result.get()
    }

    /// Answers `.timedOut` to the calls whose deadline has passed, until its task is cancelled.
    package func watchDeadlines() async {
        while (try? await Task.sleep(for: .milliseconds(100))) != nil {
            let now = Monotonic.now
            let late = state.withLock { state in
                let late = state.waiting.filter { $0.value.deadline <= now }
                for call in late.keys { state.waiting[call] = nil }
                return late.values
            }
            for waiting in late {
                waiting.answer.resume(
                    returning: .failure(
                        Failure(
                            .timedOut, "The request was not done in time; ask again with the same Idempotency-Key.",
                            retryAfter: 1)
                    )
                )
            }
        }
    }

    private static let away = Failure(
        .coreUnavailable, "The signing core is starting anew; ask again with the same Idempotency-Key.", retryAfter: 1
    )

    private static let tooLong = Failure(.tooLarge, "The request is too long; send less at once.")

    private func take(_ call: UInt64) -> Waiting? {
        state.withLock { $0.waiting.removeValue(forKey: call) }
    }

    private func receive(_ bytes: [UInt8], _ generation: Int) {
        // A frame that cannot be read answers nobody: the call it was for runs into its deadline.
        guard let frame = try? ReplyFrame(bytes) else { return }
        // Nor does what an earlier core still had in its socket.
        let waiting = state.withLock { state in
            state.waiting[frame.call]?.generation == generation
                ? state.waiting.removeValue(forKey: frame.call) : nil
        }
        waiting?.answer.resume(returning: .success(frame.reply))
    }

    private func lose(_ generation: Int) {
        let lost = state.withLock { state in
            if state.generation == generation { state.link = nil }
            let lost = state.waiting.filter { $0.value.generation <= generation }
            for call in lost.keys { state.waiting[call] = nil }
            return lost.values
        }
        for waiting in lost { waiting.answer.resume(returning: .failure(Self.away)) }
    }
}
