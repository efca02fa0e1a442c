import Foundation
import Host
import Synchronization
import Testing

/// Collects what a link delivers, for a test to wait on.
private final class Inbox: Sendable {
    let frames: AsyncStream<[UInt8]>
    let ends: AsyncStream<FrameLinkEnd>
    private let frame: AsyncStream<[UInt8]>.Continuation
    private let end: AsyncStream<FrameLinkEnd>.Continuation

    init(_ link: FrameLink) {
        (frames, frame) = AsyncStream.makeStream()
        (ends, end) = AsyncStream.makeStream()
        link.start(
            onFrame: { [frame] in frame.yield($0) },
            onClose: { [frame, end] in
                frame.finish()
                end.yield($0)
            })
    }

    func end() async -> FrameLinkEnd? { await ends.first { _ in true } }
}

@Suite(.timeLimit(.minutes(10))) struct FrameLinks {
    private func pair(limit: Int = 1 << 20, queue: Int = 64 << 20) throws -> (FrameLink, FrameLink) {
        let (left, right) = try SocketPair.make()
        return (
            FrameLink(left, frameLimit: limit, queueLimit: queue),
            FrameLink(right, frameLimit: limit, queueLimit: queue)
        )
    }

    @Test(arguments: [0, 1, 3, 4, 5, 65_531, 65_532, 65_533, 65_536, 200_000, 1 << 20])
    func `a frame of any size arrives as it was sent, between others`(size: Int) async throws {
        let (left, right) = try pair()
        let inbox = Inbox(right)
        _ = Inbox(left)
        let frame = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let sent = [[1], frame, [2, 3], frame, []]
        for one in sent { try left.send(one) }
        var received: [[UInt8]] = []
        for await one in inbox.frames {
            received.append(one)
            if received.count == sent.count { break }
        }
        #expect(received == sent)
        left.close()
        #expect(await inbox.end() == .closedByPeer)
    }

    @Test func `frames of many senders arrive whole, each sender's in order, also when the reader is slow`()
        async throws
    {
        let (left, right) = try pair()
        let inbox = Inbox(right)
        _ = Inbox(left)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<8 as Range<UInt8> {
                group.addTask {
                    for number in 0..<250 as Range<UInt8> {
                        try left.send([sender, number] + [UInt8](repeating: number, count: Int(number) * 40))
                    }
                }
            }
            try await group.waitForAll()
        }
        var next = [UInt8](repeating: 0, count: 8)
        var count = 0
        for await frame in inbox.frames {
            let (sender, number) = (Int(frame[0]), frame[1])
            #expect(number == next[sender])
            #expect(frame.count == 2 + Int(number) * 40)
            #expect(frame.dropFirst(2).allSatisfy { $0 == number })
            next[sender] += 1
            count += 1
            if count == 2000 { break }
        }
        #expect(count == 2000)
        left.close()
        #expect(await inbox.end() == .closedByPeer)
    }

    @Test(arguments: [[0, 0, 0, 101], [0xFF, 0xFF, 0xFF, 0xFF]] as [[UInt8]])
    func `a frame over the limit is not sent, and ends the link of who receives it`(header: [UInt8]) async throws {
        let (ours, theirs) = try SocketPair.make()
        let link = FrameLink(ours, frameLimit: 100)
        let inbox = Inbox(link)
        #expect(throws: HostError.valueTooLong(limit: 100)) { try link.send([UInt8](repeating: 0, count: 101)) }
        unsafe _ = write(theirs.number, header, 4)
        #expect(await inbox.end() == .oversize)
        #expect(throws: HostError.closed) { try link.send([1]) }
    }

    @Test(arguments: [1, 3, 4, 9])
    func `a peer that closes within a frame is told from one that closes between two`(bytes: Int) async throws {
        let (ours, theirs) = try SocketPair.make()
        let inbox = Inbox(FrameLink(ours))
        let stream: [UInt8] = [0, 0, 0, 1, 42] + [0, 0, 0, 10, 1, 2, 3, 4, 5]
        unsafe _ = write(theirs.number, stream, 5 + bytes)
        theirs.close()
        #expect(await inbox.frames.first { _ in true } == [42])
        #expect(await inbox.end() == .truncated)
    }

    @Test func `bytes that come one by one make the same frames`() async throws {
        let (ours, theirs) = try SocketPair.make()
        let inbox = Inbox(FrameLink(ours))
        for byte in [0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 1, 9] as [UInt8] {
            unsafe _ = write(theirs.number, [byte], 1)
            usleep(300)
        }
        theirs.close()
        var frames: [[UInt8]] = []
        for await frame in inbox.frames { frames.append(frame) }
        #expect(frames == [[7, 8], [], [9]])
        #expect(await inbox.end() == .closedByPeer)
    }

    @Test func `a peer that does not read fills the queue and blocks nobody`() async throws {
        let (ours, theirs) = try SocketPair.make()
        let link = FrameLink(ours, queueLimit: 3 << 20)
        let inbox = Inbox(link)
        let frame = [UInt8](repeating: 5, count: 1 << 20)
        let started = Monotonic.now
        var sent = 0
        #expect(throws: HostError.queueFull) {
            for _ in 0..<20 {
                try link.send(frame)
                sent += 1
            }
        }
        #expect(Monotonic.now - started < 5_000_000_000)
        #expect((2..<20).contains(sent))
        link.close()
        #expect(await inbox.end() == .closedHere)
        theirs.close()
    }

    @Test func `all that was queued arrives when the peer reads at last`() async throws {
        let (ours, theirs) = try SocketPair.make()
        let link = FrameLink(ours)
        _ = Inbox(link)
        for number in 0..<30 as Range<UInt8> { try link.send([UInt8](repeating: number, count: 300_000)) }
        let late = Inbox(FrameLink(theirs))
        var number: UInt8 = 0
        for await frame in late.frames {
            #expect(frame.count == 300_000)
            #expect(frame.allSatisfy { $0 == number })
            number += 1
            if number == 30 { break }
        }
        link.close()
    }

    @Test func `closing ends both sides, once, and sending afterwards says so`() async throws {
        let (left, right) = try pair()
        let calls = Mutex(0)
        let ended = AsyncStream<Void>.makeStream()
        left.start(onFrame: { _ in }) { _ in
            calls.withLock { $0 += 1 }
            ended.continuation.yield()
        }
        let inbox = Inbox(right)
        left.close()
        left.close()
        #expect(await inbox.end() == .closedByPeer)
        _ = await ended.stream.first { true }
        #expect(calls.withLock { $0 } == 1)
        #expect(throws: HostError.closed) { try left.send([1]) }
        #expect(throws: HostError.closed) { try right.send([1]) }
    }
}

@Suite(.timeLimit(.minutes(10))) struct LocalSockets {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func `a descriptor passes to the other side and works there`() throws {
        let (left, right) = try SocketPair.make()
        try Files.write([9], to: scratch("file"))
        let (inner, outer) = try SocketPair.make()
        try DescriptorPassing.send(inner, over: left)
        inner.close()
        let received = try DescriptorPassing.receive(over: right)
        unsafe _ = write(received.number, [77] as [UInt8], 1)
        var byte: [UInt8] = [0]
        #expect(unsafe read(outer.number, &byte, 1) == 1)
        #expect(byte == [77])
        unsafe _ = write(left.number, [0] as [UInt8], 1)
        #expect(throws: HostError.noDescriptor) { try DescriptorPassing.receive(over: right) }
        left.close()
        #expect(throws: HostError.closed) { try DescriptorPassing.receive(over: right) }
        #expect(throws: HostError.closed) { try DescriptorPassing.send(outer, over: right) }
    }

    @Test func `a listener is its owner's alone, takes a stale name over, and closes`() async throws {
        let path = scratch("sock")
        for _ in 0..<2 {
            let listener = try UnixListener.listen(at: path)
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let peers = AsyncStream<Descriptor>.makeStream()
            listener.start { peers.continuation.yield($0) }
            let client = try UnixListener.connect(to: path)
            let server = try #require(await peers.stream.first { _ in true })
            unsafe _ = write(client.number, [5] as [UInt8], 1)
            var byte: [UInt8] = [0]
            #expect(unsafe read(server.number, &byte, 1) == 1)
            listener.close()
            #expect(throws: HostError.missing(path: path)) { try UnixListener.connect(to: path) }
        }
        // A name that a dead process left: bound, not removed.
        _ = try UnixListener.listen(at: path)
        let listener = try UnixListener.listen(at: path)
        listener.close()
        try Files.write([], to: path)
        #expect(throws: HostError.notRegularFile(path: path)) { try UnixListener.listen(at: path) }
        let long = scratch(String(repeating: "x", count: 100))
        #expect(throws: HostError.valueTooLong(limit: 107)) { try UnixListener.listen(at: long) }
    }
}
