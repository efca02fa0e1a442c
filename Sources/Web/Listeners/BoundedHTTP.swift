internal import HPKI
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

extension HTTPServerBuilder {
    /// HTTP/1.1 with every bound of the limits; `problem` is what is answered where no request came through.
    static func bounded(
        by limits: WebSettings.Limits, problem: @escaping @Sendable (Failure) -> (HTTPResponse, ByteBuffer)
    ) -> HTTPServerBuilder {
        let counts = ConnectionCounts(limits: limits)
        let bounds = ConnectionBounds.Settings(
            request: .seconds(Int64(limits.requestSeconds)), idle: .seconds(Int64(limits.idleSeconds)),
            linger: .seconds(3), bodyBytes: limits.bodyBytes, problem: problem)
        var decoder = HTTP1Channel.Configuration.DecoderConfiguration()
        decoder.maxHeaderListSize = limits.headerBytes
        decoder.maxHeaderFieldSize = limits.headerBytes
        // Twice the count that the middleware refuses with a request id of its own.
        decoder.maxHeaderFieldCount = 2 * limits.headerCount
        return .http1(
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [ConnectionBounds(settings: bounds, counts: counts)],
                httpDecoderConfiguration: decoder
            )
        )
    }
}
