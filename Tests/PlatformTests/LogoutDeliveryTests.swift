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
                // The real one brings what failed again, later.
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
            }, report: { _, _ in })
        await deliveries.runOnce()
        #expect(posts.all.withLock { $0.sorted() }.first == "https://rp.example/1 logout_token=l.t.1")
        #expect(core.told.withLock { $0 } == [1: true, 2: false, 3: true], "each attempt is told, failed ones too")
        await deliveries.runOnce()
        #expect(posts.all.withLock { $0.count } == 3, "when the second is due again is core's to say")
    }

    @Test func `no answer is told to the operator and to core`() async {
        let core = Core(1...1)
        let faults = Posts()
        let deliveries = LogoutDeliveries(
            core: core, post: { _, _ in nil }, report: { _, cause in faults.all.withLock { $0.append(cause) } })
        await deliveries.runOnce()
        #expect(faults.all.withLock { $0 } == ["it did not answer"])
        #expect(core.told.withLock { $0 } == [1: false])
    }

    @Test func `so many are told at once and no more`() async {
        let core = Core(1...100)
        let posts = Posts()
        let deliveries = LogoutDeliveries(
            core: core,
            post: { url, _ in
                posts.all.withLock { $0.append(url) }
                return 200
            }, report: { _, _ in })
        await deliveries.runOnce()
        #expect(posts.all.withLock { $0.count } == 16)
        for _ in 0..<6 { await deliveries.runOnce() }
        #expect(core.told.withLock { $0.count } == 100)
    }
}
