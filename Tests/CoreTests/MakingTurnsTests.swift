import Core
import HPKI
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct MakingTurnsTests {
    private let turns = MakingTurns()

    /// What is made now, how much at most, and in which order it was begun.
    private final class Bench: Sendable {
        let state = Mutex<(now: [CredentialID], most: Int, begun: [CredentialID])>(([], 0, []))
        let doubled = Mutex(0)
        let overloaded = Mutex(0)

        func work(_ id: CredentialID, for duration: Duration) async {
            state.withLock { state in
                state.now.append(id)
                state.most = max(state.most, state.now.count)
                state.begun.append(id)
            }
            try? await Task.sleep(for: duration)
            state.withLock { $0.now.removeAll { $0 == id } }
        }
    }

    @Test func `one credential is made by one at a time, and no more than a few at once`() async throws {
        let bench = Bench()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<24 {
                let key = made(CredentialID("key-\(number % 4)"))
                group.addTask { [turns] in
                    try? await turns.take(key, for: made(AuthorityID("medis"))) { () async throws(Failure) in
                        if bench.state.withLock({ $0.now.contains(key) }) { bench.doubled.withLock { $0 += 1 } }
                        await bench.work(key, for: .milliseconds(5))
                    }
                }
            }
        }
        #expect(bench.doubled.withLock { $0 } == 0)
        #expect(bench.state.withLock { $0.begun.count } == 24)
        #expect(bench.state.withLock { $0.most } == MakingTurns.parallel)
    }

    @Test func `an authority with one order does not wait for another's thirty`() async throws {
        let bench = Bench()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<30 {
                let key = made(CredentialID("many-\(number)"))
                group.addTask { [turns] in
                    try? await turns.take(key, for: made(AuthorityID("jma"))) { () async throws(Failure) in
                        await bench.work(key, for: .milliseconds(20))
                    }
                }
            }
            while bench.state.withLock({ $0.begun.count }) < 2 { await Task.yield() }
            try? await Task.sleep(for: .milliseconds(5))
            let key = made(CredentialID("one"))
            let before = bench.state.withLock { $0.begun.count }
            try? await turns.take(key, for: made(AuthorityID("jpa"))) { () async throws(Failure) in
                await bench.work(key, for: .zero)
            }
            let place = bench.state.withLock { $0.begun.firstIndex(of: key) }
            // Some of the thirty may begin between the look and the order.
            #expect(place.map { $0 <= before + 10 } == true)
        }
    }

    @Test func `more of an authority than may wait are told to come again`() async throws {
        let bench = Bench()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<(MakingTurns.waiting + MakingTurns.parallel + 5) {
                let key = made(CredentialID("key-\(number)"))
                group.addTask { [turns] in
                    do throws(Failure) {
                        try await turns.take(key, for: made(AuthorityID("jma"))) { () async throws(Failure) in
                            try? await Task.sleep(for: .milliseconds(30))
                        }
                    } catch  where error.kind == .overloaded && error.retryAfter != nil {
                        bench.overloaded.withLock { $0 += 1 }
                    } catch { Issue.record("\(error)") }
                }
            }
        }
        #expect((3...5).contains(bench.overloaded.withLock { $0 }))
    }
}
