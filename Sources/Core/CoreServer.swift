import CoreProtocol
import HPKI
package import Host
package import Logging
internal import Synchronization

/// Answers the frames of front and of operators' commands.
package final class CoreServer: Sendable {
    /// Who is at the other end of a socket: only the operator's own socket may ask for administration.
    package enum Peer: Sendable, Hashable {
        case front
        case operatorCommand
    }

    private let core: CoreInstance
    private let logger: Logger
    private let underWay = Atomic<Int>(0)
    private let counters = Counters()

    /// A server over an opened core.
    package init(_ core: CoreInstance, logger: Logger) {
        self.core = core
        self.logger = logger
    }

    /// Serves one socket; `onEnd` is called once when it closes.
    package func serve(
        _ descriptor: Descriptor, peer: Peer, onEnd: @escaping @Sendable (FrameLinkEnd) -> Void = { _ in }
    ) {
        let link = FrameLink(descriptor)
        link.start(
            onFrame: { [self] bytes in
                // The bridge from the link's reader thread to Swift's pool; nothing else in core starts tasks.
                guard let frame = try? RequestFrame(bytes) else { return link.close() }
                guard underWay.add(1, ordering: .relaxed).newValue <= core.settings.inFlight else {
                    underWay.subtract(1, ordering: .relaxed)
                    let failure = Failure(.overloaded, "The signing core has more to do than it can.", retryAfter: 1)
                    return answer(frame.call, .failed(failure), link)
                }
                Task {
                    let reply = await reply(to: frame.request, from: peer)
                    underWay.subtract(1, ordering: .relaxed)
                    answer(frame.call, reply, link)
                }
            },
            onClose: onEnd
        )
    }

    private func answer(_ call: UInt64, _ reply: CoreReply, _ link: FrameLink) {
        if case .signed = reply { core.sign.failpoint.pass("core.before-reply") }
        do {
            try link.send(ReplyFrame(call: call, reply: reply).bytes)
        } catch .valueTooLong {
            let failure = Failure(.tooLarge, "The answer is too long; ask for less at once.")
            try? link.send(ReplyFrame(call: call, reply: .failed(failure)).bytes)
        } catch {
            // A peer that is gone gets no reply; what was recorded stays recorded.
        }
    }

    private func reply(to request: CoreRequest, from peer: Peer) async -> CoreReply {
        do throws(Failure) {
            switch request {
            case .sign(let command):
                let reply = try await core.sign(command)
                counters.count("signed")
                return .signed(reply)
            case .lookup(let token, let signature):
                return .signature(try await core.sign.lookup(signature, token: token))
            case .receipt(let token, let signature):
                return .receipt(try await core.sign.receipt(of: signature, token: token))
            case .identify(let token):
                try await core.sign.identify(token)
                return .noted
            case .refuse(let notice):
                try await core.sign.note(notice)
                return .noted
            case .health:
                return .health(core.health(counters))
            case .witness(let message):
                guard peer == .front else { throw Failure(.denied, "Front alone speaks with witnesses.") }
                return try await core.witnesses(message)
            case .platform(let command):
                // Codes, secrets and cards come from browsers, through front alone.
                guard peer == .front else { throw Failure(.denied, "Front alone speaks for browsers.") }
                let reply = try await core.platform(command)
                counters.count("platform-\(command.act.name)")
                return .platform(reply)
            case .admin(let request, let proof):
                // Front may reach the operator's socket, which Landlock does not fence; it cannot read the proof.
                guard peer == .operatorCommand, Digest(of: proof) == core.adminKey else {
                    throw Failure(.denied, "Administration is for the operator, who proves it with the admin key.")
                }
                return try await core.administer(request)
            case .registration(let command):
                // The client certificate is front's word; nobody else's is taken for it.
                if case .authority = command.party, peer != .front {
                    throw Failure(.denied, "Authorities come through front; an operator proves it with the admin key.")
                }
                return .registration(try await core.registry(command))
            case .review(let command):
                let reply = try await core.review(command)
                counters.count("review-\(command.question.kind.rawValue)")
                return .review(reply)
            }
        } catch {
            // Refusals of strangers are counted here and never reach the log's tree.
            counters.count(error.kind.rawValue)
            if let cause = error.cause {
                logger.error("request failed", metadata: ["kind": "\(error.kind)", "cause": "\(cause)"])
            }
            return .failed(error)
        }
    }
}

/// Counts by name; bounded, since the names are those of failure kinds.
package final class Counters: Sendable {
    private let values = Mutex<[String: Int64]>([:])

    func count(_ name: String) {
        values.withLock { $0[name, default: 0] += 1 }
    }

    var all: [(name: String, value: Int64)] {
        values.withLock { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }
}
