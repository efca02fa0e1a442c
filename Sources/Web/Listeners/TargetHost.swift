internal import NIOCore
internal import NIOHTTP1

/// Makes the host of an absolute-form target the request's host (RFC 9112 §3.2.2), so that it is judged as one;
/// the codec behind keeps the path alone.
final class TargetHost: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), !head.uri.hasPrefix("/"),
            let scheme = head.uri.firstRange(of: "://"), head.headers["Host"].count <= 1
        else {
            context.fireChannelRead(data)
            return
        }
        let authority = head.uri[scheme.upperBound...].prefix { !"/?#".contains($0) }
        head.headers.replaceOrAdd(name: "Host", value: String(authority))
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}
