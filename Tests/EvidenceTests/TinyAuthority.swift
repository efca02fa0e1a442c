import NIOCore
import NIOPosix
import Synchronization
import Testing

/// An HTTP/1.1 server of a few lines on a port of its own, for one test's authority, responder or repository.
final class TinyAuthority: Sendable {
    /// What comes back for a request's body.
    enum Reply: Sendable {
        case bytes([UInt8], type: String, status: String = "200 OK", headers: String = "")
        case silence
    }

    let port: Int
    private let channel: any Channel
    private let count: Counter

    /// A server that answers with what `reply` gives for a request's path and body.
    init(_ reply: @escaping @Sendable (_ path: String, _ body: [UInt8]) -> Reply) async throws {
        let count = Counter()
        self.count = count
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering(reply, count))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = try #require(channel.localAddress?.port)
    }

    /// Requests that were answered or left unanswered.
    var requests: Int { count.value.load(ordering: .relaxed) }

    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    func stop() async { try? await channel.close() }
}

private final class Counter: Sendable {
    let value = Atomic<Int>(0)
}

private final class Answering: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let reply: @Sendable (String, [UInt8]) -> TinyAuthority.Reply
    private let count: Counter
    private var received: [UInt8] = []

    init(_ reply: @escaping @Sendable (String, [UInt8]) -> TinyAuthority.Reply, _ count: Counter) {
        self.reply = reply
        self.count = count
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += Array(unwrapInboundIn(data).readableBytesView)
        let end = Array("\r\n\r\n".utf8)
        guard let start = received.indices.first(where: { received[$0...].starts(with: end) }) else { return }
        let head = String(decoding: received[..<start], as: UTF8.self)
        let length = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).trimmingPrefix(" ")) }
        let body = Array(received[(start + 4)...])
        guard body.count >= length ?? 0 else { return }
        received = []
        count.value.add(1, ordering: .relaxed)
        let path = head.split(separator: " ").dropFirst().first.map(String.init) ?? "/"
        guard case .bytes(let bytes, let type, let status, let headers) = reply(path, body) else { return }
        let text =
            "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(bytes.count)\r\n\(headers)\r\n"
        var buffer = ByteBuffer(string: text)
        buffer.writeBytes(bytes)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
}
