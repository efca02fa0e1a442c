internal import NIOCore
internal import NIOTLS

/// Watches one TLS handshake from the side of the socket: when the server first answered, and whether it has ended.
///
/// What the server sends first asks for the client's certificate, so the time from there is the person's: choosing a
/// certificate and entering its PIN.
/// INVARIANT: all state is touched on the channel's event loop alone.
final class HandshakeWatch: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var firstFlight: NIODeadline?
    private var end: NIODeadline?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if firstFlight == nil { firstFlight = .now() }
        context.write(data, promise: promise)
    }

    /// Notes that the handshake is over.
    func finish() {
        if end == nil { end = .now() }
    }

    /// How long it has been going on, or went on, since the server's first flight; nil before that.
    var elapsed: TimeAmount? { firstFlight.map { (end ?? .now()) - $0 } }

    /// The seconds that the handshake of `channel` took; nil where it was not watched.
    @Sendable static func seconds(_ channel: any Channel) async -> Double? {
        try? await channel.eventLoop.submit {
            let watch = try channel.pipeline.syncOperations.handler(type: HandshakeWatch.self)
            return watch.elapsed.map { Double($0.nanoseconds) / 1_000_000_000 }
        }.get()
    }
}

/// Tells a watch of the handshake's end, which only handlers behind TLS hear of.
final class HandshakeEnd: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let watch: HandshakeWatch

    init(_ watch: HandshakeWatch) {
        self.watch = watch
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent { watch.finish() }
        context.fireUserInboundEventTriggered(event)
    }
}
