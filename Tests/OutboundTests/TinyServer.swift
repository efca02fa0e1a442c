import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// An HTTP/1.1 server of a few lines that can misbehave, on a port of its own.
final class TinyServer: Sendable {
    /// What the server does with a request.
    enum Reply: Sendable {
        case bytes(String)
        /// The text, then as many bytes as asked for, in pieces.
        case flood(String, count: Int)
        case silence
        /// The text, one byte every 100 ms.
        case drip(String)
        case hangUp
    }

    let port: Int
    /// The bytes of floods that the sockets took.
    var flooded: Int { counter.bytes.load(ordering: .relaxed) }
    private let counter: FloodCounter
    private let channel: any Channel

    init(_ reply: @escaping @Sendable (_ request: String) -> Reply) async throws {
        let counter = FloodCounter()
        self.counter = counter
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering(reply, counter))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = try #require(channel.localAddress?.port)
    }

    func stop() async { try? await channel.close() }

    static func ok(_ body: String, status: String = "200 OK", headers: String = "") -> Reply {
        .bytes("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }
}

private final class FloodCounter: Sendable {
    let bytes = Atomic(0)
}

private final class Answering: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let reply: @Sendable (String) -> TinyServer.Reply
    private var received = ""
    private let counter: FloodCounter
    private var flood = 0

    init(_ reply: @escaping @Sendable (String) -> TinyServer.Reply, _ counter: FloodCounter) {
        self.reply = reply
        self.counter = counter
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += String(buffer: unwrapInboundIn(data))
        guard let end = received.range(of: "\r\n\r\n") else { return }
        if received.lowercased().contains("content-length: 5"), received[end.upperBound...].utf8.count < 5 { return }
        let answer = reply(received)
        received = ""
        switch answer {
        case .bytes(let text): send(text, context)
        case .flood(let text, let count):
            send(text, context)
            flood = count
            more(context)
        case .silence: break
        case .drip(let text): drip(text[...], context)
        case .hangUp: context.close(promise: nil)
        }
    }

    private func send(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    private func more(_ context: ChannelHandlerContext) {
        guard flood > 0, context.channel.isActive else { return }
        flood -= 65_536
        let piece = ByteBuffer(repeating: 0x61, count: 65_536)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(piece)).whenSuccess {
            bound.value.0.counter.bytes.add(65_536, ordering: .relaxed)
            bound.value.0.more(bound.value.1)
        }
    }

    private func drip(_ text: Substring, _ context: ChannelHandlerContext) {
        guard let first = text.first, context.channel.isActive else { return }
        send(String(first), context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(100)) { bound.value.0.drip(text.dropFirst(), bound.value.1) }
    }
}
