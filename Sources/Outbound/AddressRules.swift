internal import Dispatch
internal import NIOCore
internal import Synchronization

extension OutboundRules {
    /// The address to connect to in place of the host's name, nil where the name may be resolved as usual.
    ///
    /// Throws `.refusedAddress` for what the rules forbid and `.unreachable` for a name without an address.
    func permit(_ target: OutboundURL) async throws(OutboundError) -> String? {
        switch target.kind {
        case .file: throw .refusedAddress("a file where a server is meant")
        case .http where !allowHTTP: throw .refusedAddress("http is not allowed, only https")
        case .http, .https: break
        }
        guard !allowPrivateAddresses else { return nil }
        if let literal = InternetAddress(target.host) {
            guard literal.isPublic else { throw .refusedAddress("a private or local address") }
            return nil
        }
        guard target.host != "localhost", !target.host.hasSuffix(".localhost"), !target.host.hasSuffix(".local") else {
            throw .refusedAddress("a local name")
        }
        guard let text = await resolve(target.host) else { throw .unreachable("the name has no address") }
        guard let address = InternetAddress(text), address.isPublic else {
            throw .refusedAddress("the name of a private or local address")
        }
        return text
    }
}

/// The first address of a name as the system resolves it; nil where there is none, or when the task is cancelled.
private func resolve(_ host: String) async -> String? {
    // getaddrinfo blocks and cannot be stopped: it runs on a thread of its own, and whoever is first answers.
    let answer = FirstAnswer()
    return await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            answer.wait(continuation)
            DispatchQueue.global().async {
                answer.give(try? SocketAddress.makeAddressResolvingHost(host, port: 0).ipAddress)
            }
        }
    } onCancel: {
        answer.give(nil)
    }
}

/// Resumes a continuation with the first of several answers.
// INVARIANT: the continuation is resumed exactly once, owned by `state`.
private final class FirstAnswer: Sendable {
    private enum State {
        case idle
        case waiting(CheckedContinuation<String?, Never>)
        case answered(String?)
    }

    private let state = Mutex(State.idle)

    func wait(_ continuation: CheckedContinuation<String?, Never>) {
        let early: String?? = state.withLock { state in
            if case .answered(let answer) = state { return .some(answer) }
            state = .waiting(continuation)
            return .none
        }
        if let early { continuation.resume(returning: early) }
    }

    func give(_ answer: String?) {
        let waiting = state.withLock { state -> CheckedContinuation<String?, Never>? in
            switch state {
            case .answered: return nil
            case .idle:
                state = .answered(answer)
                return nil
            case .waiting(let continuation):
                state = .answered(answer)
                return continuation
            }
        }
        waiting?.resume(returning: answer)
    }
}
