import Foundation
import Host
import Synchronization
import Testing

/// Figures, printed and only loosely bounded: a machine shared by others proves little.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ProcessInfo.processInfo.environment["SHIRUSHI_MEASURE"] != nil))
struct LinkRates {
    @Test func `round trips and streams of frames`() async throws {
        let (left, right) = try SocketPair.make()
        let (client, server) = (FrameLink(left), FrameLink(right))
        server.start(onFrame: { try? server.send($0) }, onClose: { _ in })
        let rounds = 20_000
        let frame = [UInt8](repeating: 7, count: 1000)
        let seen = Mutex(0)
        let streaming = Mutex(false)
        let done = AsyncStream<Void>.makeStream()
        client.start(
            onFrame: { frame in
                let count = seen.withLock {
                    $0 += 1; return $0
                }
                if count % rounds == 0 { return _ = done.continuation.yield() }
                if !streaming.withLock({ $0 }) { try? client.send(frame) }
            }, onClose: { _ in })
        var waits = done.stream.makeAsyncIterator()
        let first = Monotonic.now
        try client.send(frame)
        await waits.next()
        let second = Monotonic.now
        streaming.withLock { $0 = true }
        for _ in 0..<rounds { try client.send(frame) }
        await waits.next()
        let third = Monotonic.now
        print(
            "FIGURE \(Double(second - first) / 1000 / Double(rounds)) µs a round trip of 1,000 bytes, thread to thread")
        print("FIGURE \(Double(rounds) * 1e9 / Double(third - second)) frames/s there and back, streamed")
        #expect(seen.withLock { $0 } == 2 * rounds)
        client.close()
    }
}
