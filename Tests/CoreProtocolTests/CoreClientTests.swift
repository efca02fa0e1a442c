import CoreProtocol
import HPKI
import Host
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct CoreClientTests {
    @Test func `each of 500 callers gets its own reply though the replies come in another order`() async throws {
        let client = CoreClient()
        let core = try FakeCore(client)
        let answering = Task {
            let requests = await core.requests(500)
            for frame in requests.reversed() {
                guard case .admin(.retireEpoch(let epoch), _) = frame.request else { continue }
                core.reply(frame.call, answer(to: epoch))
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<500 as Range<Int64> {
                group.addTask {
                    let reply = try await client.call(
                        .admin(.retireEpoch(number), proof: []), deadline: .max)
                    #expect(reply == answer(to: number))
                }
            }
            try await group.waitForAll()
        }
        await answering.value
    }

    @Test func `a failure that core answers is thrown`() async throws {
        let client = CoreClient()
        let core = try FakeCore(client)
        let failure = Failure(.denied, "No.", rule: "client-known")
        core.answerAll(with: .failed(failure))
        await #expect(throws: failure) { try await client.call(.health, deadline: .max) }
    }

    @Test func `a call that core never answers runs into its deadline, and a late reply answers nobody`() async throws {
        let client = CoreClient()
        let core = try FakeCore(client)
        let watch = Task { await client.watchDeadlines() }
        defer { watch.cancel() }
        let deadline = Monotonic.now + 200_000_000
        let failure = await #expect(throws: Failure.self) { try await client.call(.health, deadline: deadline) }
        #expect(failure?.kind == .timedOut)
        #expect(Monotonic.now >= deadline)
        let late = try #require(await core.requests(1).first)
        core.reply(late.call, .noted)
        core.answerAll(with: health)
        #expect(try await client.call(.health, deadline: .max) == health)
    }

    @Test func `when the link is lost all who wait are told so, and so is who asks next`() async throws {
        let client = CoreClient()
        let core = try FakeCore(client)
        let calls = (0..<50).map { _ in Task { try await client.call(.health, deadline: .max) } }
        _ = await core.requests(50)
        #expect(client.isConnected)
        core.link.close()
        for call in calls {
            let failure = await #expect(throws: Failure.self) { try await call.value }
            #expect(failure?.kind == .coreUnavailable)
        }
        #expect(!client.isConnected)
        let next = await #expect(throws: Failure.self) { try await client.call(.health, deadline: .max) }
        #expect(next?.kind == .coreUnavailable)
    }

    @Test func `behind a new connection calls are answered again`() async throws {
        let client = CoreClient()
        let first = try FakeCore(client)
        let waiting = Task { try await client.call(.health, deadline: .max) }
        _ = await first.requests(1)
        let second = try FakeCore(client)
        let failure = await #expect(throws: Failure.self) { try await waiting.value }
        #expect(failure?.kind == .coreUnavailable)
        second.answerAll(with: health)
        #expect(try await client.call(.health, deadline: .max) == health)
        #expect(client.isConnected)
    }

    @Test func `a frame from an earlier generation answers nobody`() async throws {
        // The old core floods the numbers to come while the new one takes over.
        for _ in 0..<20 {
            let client = CoreClient()
            let old = try FakeCore(client)
            for _ in 0..<2000 { old.reply(1, .noted) }
            let new = try FakeCore(client)
            new.answerAll(with: health, after: .milliseconds(20))
            #expect(try await client.call(.health, deadline: .max) == health)
        }
    }

    @Test func `frames that cannot be read answer nobody and harm nobody`() async throws {
        let client = CoreClient()
        let core = try FakeCore(client)
        let call = Task { try await client.call(.health, deadline: .max) }
        let number = try #require(await core.requests(1).first?.call)
        for bytes in [[], [1], [UInt8](repeating: 0xFF, count: 100)] { try core.link.send(bytes) }
        core.reply(number + 1, .noted)
        core.reply(number, health)
        #expect(try await call.value == health)
    }
}

private let health = CoreReply.health(HealthFacts(hsm: true, audit: true, clock: true, alarms: [], metrics: []))

private func answer(to number: Int64) -> CoreReply {
    .health(HealthFacts(hsm: true, audit: true, clock: true, alarms: ["\(number)"], metrics: []))
}

/// The other end of a client's socket, which answers what its test says.
private final class FakeCore: Sendable {
    let link: FrameLink
    private let state = Mutex<(seen: [RequestFrame], answer: CoreReply?, delay: Duration)>(([], nil, .zero))

    init(_ client: CoreClient) throws {
        let (front, core) = try SocketPair.make()
        link = FrameLink(core)
        client.connect(front)
        link.start(
            onFrame: { [self] bytes in
                guard let frame = try? RequestFrame(bytes) else { return }
                let (answer, delay) = state.withLock { state in
                    state.seen.append(frame)
                    return (state.answer, state.delay)
                }
                guard let answer else { return }
                Task {
                    try await Task.sleep(for: delay)
                    reply(frame.call, answer)
                }
            }, onClose: { _ in }
        )
    }

    func answerAll(with reply: CoreReply, after delay: Duration = .zero) {
        state.withLock { $0 = ($0.seen, reply, delay) }
    }

    func reply(_ call: UInt64, _ reply: CoreReply) {
        try? link.send(ReplyFrame(call: call, reply: reply).bytes)
    }

    /// The first `count` requests, once they have come.
    func requests(_ count: Int) async -> [RequestFrame] {
        while true {
            let seen = state.withLock { $0.seen }
            if seen.count >= count { return seen }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }
}
