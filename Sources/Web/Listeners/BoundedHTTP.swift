internal import HPKI
internal import HTTPTypes
internal import HummingbirdCore
internal import HummingbirdTLS
internal import NIOCore

extension HTTPServerBuilder {
    /// HTTP/1.1 with every bound of the limits; `problem` is what is answered where no request came through.
    static func bounded(
        by limits: WebSettings.Limits, problem: @escaping @Sendable (Failure) -> (HTTPResponse, ByteBuffer)
    ) -> HTTPServerBuilder {
        .http1(configuration: configuration(limits, handshake: nil, problem))
    }

    /// The same behind the TLS of a listener.
    static func secured(
        _ transport: ListenerTransport, by limits: WebSettings.Limits,
        problem: @escaping @Sendable (Failure) -> (HTTPResponse, ByteBuffer)
    ) throws -> HTTPServerBuilder {
        let tls = transport.configuration
        guard transport.listener.clientCertificate == .ask else {
            return try .tls(bounded(by: limits, problem: problem), tlsConfiguration: tls)
        }
        let configuration = configuration(limits, handshake: .people, problem)
        return HTTPServerBuilder { responder in
            AskingChannel(
                configuration: tls, base: HTTP1Channel(responder: responder, configuration: configuration))
        }
    }

    private static func configuration(
        _ limits: WebSettings.Limits, handshake: ConnectionBounds.Handshake?,
        _ problem: @escaping @Sendable (Failure) -> (HTTPResponse, ByteBuffer)
    ) -> HTTP1Channel.Configuration {
        let counts = ConnectionCounts(limits: limits)
        let bounds = ConnectionBounds.Settings(
            request: .seconds(Int64(limits.requestSeconds)), idle: .seconds(Int64(limits.idleSeconds)),
            linger: .seconds(3), bodyBytes: limits.bodyBytes, handshake: handshake, problem: problem)
        var decoder = HTTP1Channel.Configuration.DecoderConfiguration()
        decoder.maxHeaderListSize = limits.headerBytes
        decoder.maxHeaderFieldSize = limits.headerBytes
        // Twice the count that the middleware refuses with a request id of its own.
        decoder.maxHeaderFieldCount = 2 * limits.headerCount
        return HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionBounds(settings: bounds, counts: counts)],
            httpDecoderConfiguration: decoder
        )
    }
}
