internal import HPKI
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1
internal import NIOSSL
internal import NIOTLS

/// The client did not send the whole of its request in time.
struct RequestTooSlow: Error {}

/// Bounds what one connection may cost: how long a request may take to arrive, how long a connection may idle, and
/// how long a client that was answered early may go on sending.
///
/// Hummingbird bounds none of the three by itself: its idle limit starts anew with every byte.
/// INVARIANT: all state is touched on the channel's event loop alone.
final class ConnectionBounds: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    struct Settings: Sendable {
        let request: TimeAmount
        let idle: TimeAmount
        /// How long an early answer waits for the client to stop sending, so that it reads the answer.
        let linger: TimeAmount
        let bodyBytes: Int
        /// Where people take part in the handshake; nil where it counts as a part of the first request.
        let handshake: Handshake?
        /// A problem written here, where no request came through: its head and its body.
        let problem: @Sendable (Failure) -> (HTTPResponse, ByteBuffer)
    }

    /// How long people may take over a certificate and its PIN, from the server's first flight on.
    struct Handshake: Sendable {
        let longest: TimeAmount
        /// The same while there is little room: enough for whoever does it within the time that counts.
        let crowded: TimeAmount

        static let people = Handshake(longest: .seconds(300), crowded: .seconds(60))
    }

    /// How often an idle connection looks whether it must make room.
    private static let idleStep = TimeAmount.seconds(1)

    private let settings: Settings
    private let counts: ConnectionCounts
    /// The address that this connection counts for, while it does.
    private var counted: String?
    /// Requests whose head has come and whose answer has not ended; more than one only of a pipelining client.
    private var pending = 0
    /// Whether the youngest of them has not come whole.
    private var isReceiving = false
    private var hasServed = false
    /// Whether the handshake is going on that people take part in.
    private var isShakingHands: Bool
    /// An answer went out before its request's end: what still comes is thrown away.
    private var isLingering = false
    /// The answer under way says that it is the last on this connection.
    private var isLast = false
    private var isClosed = false
    private var deadline = NIODeadline.distantFuture
    /// When an idle connection ends even with room for all.
    private var idleEnd = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    private var timerDeadline = NIODeadline.distantFuture

    init(settings: Settings, counts: ConnectionCounts) {
        self.settings = settings
        self.counts = counts
        isShakingHands = settings.handshake != nil
    }

    // MARK: Life of the connection

    func handlerAdded(context: ChannelHandlerContext) {
        let address = context.remoteAddress?.ipAddress ?? "local"
        if counts.enter(address) { counted = address }
        do {
            let pipeline = context.pipeline.syncOperations
            let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
            try pipeline.addHandler(TargetHost(), position: .before(codec))
        } catch {
            close(context)
            return
        }
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        if counted == nil { close(context) } else { arm(settings.request, context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isShakingHands, case .handshakeCompleted = event as? TLSUserEvent {
            isShakingHands = false
            arm(settings.request, context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Whether people may go on with the handshake; before the server's first flight it is not theirs to be slow.
    private func mayShakeHands(_ context: ChannelHandlerContext) -> Bool {
        guard let bounds = settings.handshake,
            let watch = try? context.pipeline.syncOperations.handler(type: HandshakeWatch.self),
            let elapsed = watch.elapsed
        else { return false }
        return elapsed < (counts.isCrowded ? bounds.crowded : bounds.longest)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        if let counted { counts.leave(counted) }
        counted = nil
    }

    // MARK: The request

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if isLingering {
            if case .end = part { close(context) }
            return
        }
        switch part {
        case .head(let head):
            pending += 1
            isReceiving = true
            if pending == 1 {
                arm(settings.request, context)
                invite(head, context)
            }
        case .body: break
        case .end:
            isReceiving = false
            if pending == 1 { disarm() }
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // The reader behind us has stopped asking; the rest is read to be thrown away.
        if isLingering { context.read() }
    }

    /// RFC 9110 §10.1.1: a client that waits for leave to send its body gets it, unless the body is too large.
    private func invite(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
        guard head.headerFields[.expect]?.lowercased() == "100-continue",
            head.headerFields[.contentLength].map({ (Int($0) ?? .max) <= settings.bodyBytes }) ?? true
        else { return }
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard pending == 0, !isLingering, !Self.isOfTransport(error) else {
            context.fireErrorCaught(error)
            return
        }
        if case HTTPParserError.headerOverflow = error {
            answer(Failure(.tooManyHeaders, "The header fields are longer or more than this service takes."), context)
        } else {
            answer(Failure(.malformedRequest, "What came is not an HTTP/1.1 request."), context)
        }
    }

    private static func isOfTransport(_ error: any Error) -> Bool {
        error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError || error is IOError
            || error is ChannelError
    }

    // MARK: The answer

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.headerFields[.connection] == "close" && !isReceiving:
            isLast = pending == 1
            context.write(data, promise: promise)
        case .head(var head) where pending == 1 && isReceiving:
            head.headerFields[.connection] = "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .head, .body:
            context.write(data, promise: promise)
        case .end:
            finished(context)
            context.write(data, promise: promise)
            if isLast {
                // Nothing more is read from a connection whose answer said that it was the last.
                isLingering = true
                arm(settings.linger, context)
                context.flush()
                context.close(mode: .output, promise: nil)
            }
        }
    }

    private func finished(_ context: ChannelHandlerContext) {
        // Hummingbird may add a 400 of its own when what follows an early answer is not HTTP.
        guard !isLingering, pending > 0 else { return }
        hasServed = true
        pending -= 1
        switch (pending, isReceiving) {
        case (0, true):
            isLingering = true
            arm(settings.linger, context)
        case (0, false):
            idleEnd = .now() + settings.idle
            arm(min(settings.idle, Self.idleStep), context)
        case (1, true): arm(settings.request, context)
        default: disarm()
        }
    }

    /// Writes a problem for which there is no request, and closes.
    private func answer(_ failure: Failure, _ context: ChannelHandlerContext) {
        isLingering = true
        arm(settings.linger, context)
        let (head, body) = settings.problem(failure)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(mode: .output, promise: nil)
    }

    // MARK: Time

    private func arm(_ amount: TimeAmount, _ context: ChannelHandlerContext) {
        deadline = .now() + amount
        // A timer that fires too early is set again then: most requests are over long before, at no cost.
        guard timer == nil || timerDeadline > deadline else { return }
        timer?.cancel()
        schedule(context)
    }

    private func disarm() { deadline = .distantFuture }

    private func schedule(_ context: ChannelHandlerContext) {
        timerDeadline = deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
            self?.timerFired(context)
        }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timer = nil
        guard !isClosed, deadline != .distantFuture else { return }
        guard deadline <= .now() else {
            schedule(context)
            return
        }
        if isShakingHands {
            if mayShakeHands(context) { arm(Self.idleStep, context) } else { close(context) }
            return
        }
        if !isLingering, pending == 0, hasServed, idleEnd > .now(), !counts.isCrowded {
            arm(min(idleEnd - .now(), Self.idleStep), context)
            return
        }
        disarm()
        if isLingering || (pending == 0 && hasServed) {
            close(context)
        } else if pending == 0 {
            answer(Failure(.tooSlow, "No complete request came in time."), context)
        } else {
            // Ends the body that the handler is reading, which answers 408.
            context.fireErrorCaught(RequestTooSlow())
        }
    }

    private func close(_ context: ChannelHandlerContext) {
        end()
        context.close(promise: nil)
    }

    private func end() {
        isClosed = true
        timer?.cancel()
        timer = nil
    }
}
