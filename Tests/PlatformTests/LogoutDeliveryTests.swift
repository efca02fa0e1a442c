import CoreProtocol
import HPKI
import Platform
import Synchronization
import Testing

@Suite struct LogoutDeliveryTests {
    /// A core with logouts to be told, and what it was told of them.
    private final class Core: CoreCalling {
        let waiting = Mutex<[LogoutNotice]>([])
        let told = Mutex<[Int64: Bool]>([:])

        init(_ numbers: ClosedRange<Int64>) {
            waiting.withLock {
                $0 = numbers.map {
                    LogoutNotice(
                        number: $0, client: OAuthClient.plain.id, url: "https://rp.example/\($0)",
                        logoutToken: "l.t.\($0)")
                }
            }
        }

        func call(_ request: CoreRequest, deadline: UInt64) async throws(Failure) -> CoreReply {
            guard case .platform(let command) = request else { throw Failure(.unexpected, "not asked") }
            switch command.act {
            case .logouts: return .platform(.logouts(waiting.withLock { $0 }))
            case .told(let number, let isDone):
                told.withLock { $0[number] = isDone }
                waiting.withLock { $0 = $0.filter { $0.number != number } }
                return .platform(.noted)
            default: throw Failure(.unexpected, "not asked")
            }
        }
    }

    private final class Posts: Sendable {
        let all = Mutex<[String]>([])
    }

    @Test func `each relying system is told once it answers, and core that it was`() async {
        let core = Core(1...3)
        let posts = Posts()
        let deliveries = LogoutDeliveries(
            core: core,
            post: { url, form in
                posts.all.withLock { $0.append("\(url) \(form)") }
                return url.hasSuffix("2") ? 503 : 204
            }, now: TestClock().now, report: { _, _ in })
        await deliveries.runOnce()
        #expect(posts.all.withLock { $0.sorted() }.first == "https://rp.example/1 logout_token=l.t.1")
        #expect(core.told.withLock { $0 } == [1: true, 3: true])
        await deliveries.runOnce()
        #expect(posts.all.withLock { $0.count } == 3, "the second waits before it is tried again")
    }

    @Test func `a relying system that does not answer is tried ever more rarely, for a day`() async {
        let core = Core(1...1)
        let clock = TestClock()
        let posts = Posts()
        let faults = Posts()
        let deliveries = LogoutDeliveries(
            core: core,
            post: { url, _ in
                posts.all.withLock { $0.append(url) }
                return nil
            }, now: clock.now, report: { _, cause in faults.all.withLock { $0.append(cause) } })
        for _ in 0..<8 {
            await deliveries.runOnce()
            clock.pass(seconds: 1)
        }
        // At 0, 1, 3 and 7 seconds.
        #expect(posts.all.withLock { $0.count } == 4 && faults.all.withLock { $0.count } == 4)
        for _ in 0..<25 {
            clock.pass(seconds: 3600)
            await deliveries.runOnce()
        }
        #expect(core.told.withLock { $0 } == [1: false])
        #expect(posts.all.withLock { $0.count } < 40)
    }

    @Test func `so many are told at once and no more`() async {
        let core = Core(1...100)
        let posts = Posts()
        let deliveries = LogoutDeliveries(
            core: core,
            post: { url, _ in
                posts.all.withLock { $0.append(url) }
                return 200
            }, now: TestClock().now, report: { _, _ in })
        await deliveries.runOnce()
        #expect(posts.all.withLock { $0.count } == 16)
        for _ in 0..<6 { await deliveries.runOnce() }
        #expect(core.told.withLock { $0.count } == 100)
    }
}
