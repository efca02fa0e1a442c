internal import Glibc
internal import Synchronization

/// Why a link ended.
package enum FrameLinkEnd: Sendable, Hashable {
    case closedHere
    /// The peer closed between two frames.
    case closedByPeer
    /// The peer closed within a frame.
    case truncated
    /// The peer announced a frame over the limit.
    case oversize
    /// A system call failed; the name of its error number.
    case failed(name: String)
}

/// Frames both ways over one stream socket: UInt32 big-endian length, then as many bytes.
///
/// One thread reads; whoever sends writes at once while the socket takes it, else a second thread writes on.
///
/// INVARIANT: while `busy` one thread alone writes to the socket; others leave their frames in `pending`, whose frames
/// then go out in one write; owned by `outgoing`.
package final class FrameLink: Sendable {
    private struct Outgoing {
        /// Frames, with their lengths, that nobody has begun to write.
        var pending: [UInt8] = []
        /// What the writing thread took over from a sender.
        var handed: [UInt8] = []
        var isHandedOver = false
        var busy = false
        var end: FrameLinkEnd?
        var onClose: (@Sendable (FrameLinkEnd) -> Void)?

        mutating func append(_ frame: [UInt8]) {
            pending.reserveCapacity(pending.isEmpty ? frame.count + 4 : 0)
            let length = UInt32(frame.count)
            for shift in [24, 16, 8, 0] as [UInt32] { pending.append(UInt8(truncatingIfNeeded: length >> shift)) }
            pending.append(contentsOf: frame)
        }

        mutating func takePending() -> [UInt8] {
            defer { pending = [] }
            return pending
        }

        /// What the writing thread writes next, or nil when it is not, or no longer, its turn.
        mutating func nextForWriter() -> [UInt8]? {
            guard isHandedOver, end == nil else { return nil }
            if !handed.isEmpty {
                defer { handed = [] }
                return handed
            }
            if !pending.isEmpty { return takePending() }
            isHandedOver = false
            busy = false
            return nil
        }
    }

    private let socket: Descriptor
    private let wake = WakeUp()
    private let frameLimit: Int
    private let queueLimit: Int
    private let outgoing = Mutex(Outgoing())

    /// A link over a connected stream socket, with the bound of a frame and of all that waits to be sent, in bytes.
    package init(_ socket: Descriptor, frameLimit: Int = 1 << 20, queueLimit: Int = 64 << 20) {
        self.socket = socket
        self.frameLimit = frameLimit
        self.queueLimit = queueLimit
    }

    /// Begins to read and write; call it once.
    ///
    /// Both handlers run on the link's reading thread, so they hand over quickly; `onClose` runs once, after the last
    /// frame. A started link lives until it is closed by either side.
    package func start(
        onFrame: @escaping @Sendable ([UInt8]) -> Void, onClose: @escaping @Sendable (FrameLinkEnd) -> Void
    ) {
        outgoing.withLock { $0.onClose = onClose }
        HostThread.start("frames-in") {
            var reader = FrameReader(self.socket, frameLimit: self.frameLimit)
            self.finish(reader.run(onFrame))
        }
        HostThread.start("frames-out") { self.writeOn() }
    }

    /// Sends a frame, or leaves it to be sent; never waits.
    ///
    /// Throws `.closed`, `.valueTooLong` or `.queueFull`.
    package func send(_ frame: [UInt8]) throws(HostError) {
        guard frame.count <= frameLimit else { throw .valueTooLong(limit: frameLimit) }
        let mine = try outgoing.withLock { (outgoing) throws(HostError) -> [UInt8]? in
            guard outgoing.end == nil else { throw .closed }
            guard outgoing.pending.count + outgoing.handed.count + frame.count + 4 <= queueLimit else {
                throw .queueFull
            }
            outgoing.append(frame)
            guard !outgoing.busy else { return nil }
            outgoing.busy = true
            return outgoing.takePending()
        }
        if let mine { writeNow(mine) }
    }

    /// Ends the link both ways; frames that were not written yet are dropped.
    package func close() {
        stop(.closedHere)
    }

    /// Writes what others leave meanwhile too, until the socket would have us wait.
    private func writeNow(_ first: [UInt8]) {
        var bytes = first
        // A bound, so that one sender is not kept for ever by the frames of others.
        for _ in 0..<64 {
            let sent = transmit(bytes, from: 0, wait: false)
            guard sent >= 0 else { return }
            if sent < bytes.count {
                bytes.removeFirst(sent)
                return handOver(bytes)
            }
            let more = outgoing.withLock { outgoing -> [UInt8]? in
                if outgoing.pending.isEmpty { outgoing.busy = false }
                return outgoing.pending.isEmpty ? nil : outgoing.takePending()
            }
            guard let more else { return }
            bytes = more
        }
        handOver(bytes)
    }

    private func handOver(_ bytes: [UInt8]) {
        outgoing.withLock { outgoing in
            outgoing.handed = bytes
            outgoing.isHandedOver = true
        }
        wake.raise()
    }

    /// The writing thread: sleeps until a sender hands over, then writes all there is.
    private func writeOn() {
        while outgoing.withLock({ $0.end == nil }) {
            wake.wait()
            while let bytes = outgoing.withLock({ $0.nextForWriter() }) {
                var sent = 0
                while sent < bytes.count {
                    let more = transmit(bytes, from: sent, wait: true)
                    guard more >= 0 else { break }
                    sent += more
                }
            }
        }
    }

    /// How many bytes the socket took, 0 when it takes none now, or -1 behind the link's end.
    private func transmit(_ bytes: [UInt8], from start: Int, wait: Bool) -> Int {
        let flags = Int32(MSG_NOSIGNAL) | (wait ? 0 : Int32(MSG_DONTWAIT))
        while true {
            let sent = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[start...])
                return unsafe Glibc.send(socket.number, rest.baseAddress, rest.count, flags)
            }
            if sent >= 0 { return sent }
            switch errno {
            case EINTR: continue
            case EAGAIN: return 0
            case EPIPE, ECONNRESET: stop(.closedByPeer)
            default: stop(.failed(name: HostError.name(of: errno)))
            }
            return -1
        }
    }

    /// Ends the link for the reason that comes first; the reading thread wakes and tells the owner.
    private func stop(_ end: FrameLinkEnd) {
        outgoing.withLock { outgoing in
            outgoing.end = outgoing.end ?? end
            outgoing.pending = []
            outgoing.handed = []
        }
        _ = shutdown(socket.number, Int32(SHUT_RDWR))
        wake.raise()
    }

    private func finish(_ end: FrameLinkEnd) {
        stop(end)
        let (end, onClose) = outgoing.withLock { outgoing in
            defer { outgoing.onClose = nil }
            return (outgoing.end ?? end, outgoing.onClose)
        }
        onClose?(end)
    }
}
