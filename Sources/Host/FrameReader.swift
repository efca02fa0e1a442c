internal import Glibc

/// Cuts a stream into frames; reads as much at once as there is.
struct FrameReader: ~Copyable {
    private let socket: Descriptor
    private let frameLimit: Int
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var start = 0
    private var end = 0

    init(_ socket: Descriptor, frameLimit: Int) {
        self.socket = socket
        self.frameLimit = frameLimit
    }

    /// Gives every frame to `onFrame` until the stream ends, and tells how it ended.
    mutating func run(_ onFrame: ([UInt8]) -> Void) -> FrameLinkEnd {
        while true {
            while end - start >= 4 {
                let length = buffer[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
                guard length <= frameLimit else { return .oversize }
                guard end - start - 4 >= length else {
                    makeRoom(for: length + 4)
                    break
                }
                onFrame(Array(buffer[start + 4..<start + 4 + length]))
                start += 4 + length
            }
            makeRoom(for: 4)
            let (from, room) = (end, buffer.count - end)
            let received = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe recv(socket.number, UnsafeMutableRawBufferPointer(rebasing: bytes[from...]).baseAddress, room, 0)
            }
            if received > 0 {
                end += received
            } else if received == 0 {
                return start == end ? .closedByPeer : .truncated
            } else if errno == ECONNRESET {
                return .closedByPeer
            } else if errno != EINTR {
                return .failed(name: HostError.name(of: errno))
            }
        }
    }

    /// Makes the buffer hold `count` bytes from `start`, with something left to read into.
    private mutating func makeRoom(for count: Int) {
        if start == end { (start, end) = (0, 0) }
        guard start + count > buffer.count || end == buffer.count else { return }
        if start > 0 {
            buffer.replaceSubrange(0..<end - start, with: Array(buffer[start..<end]))
            (start, end) = (0, end - start)
        }
        if count > buffer.count { buffer.append(contentsOf: repeatElement(0, count: count - buffer.count)) }
    }
}
