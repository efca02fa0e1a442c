internal import HPKI
package import Hummingbird
package import NIOCore
internal import NIOSSL

/// What one request carries on its way through the middleware.
package struct APIContext: RequestContext {
    /// Hummingbird's part.
    package var coreContext: CoreRequestContextStorage
    /// 32 lower-case hexadecimal digits, made here and never taken from the client.
    var requestID = ""
    /// When the request's head had come: monotonic, in nanoseconds.
    var start: UInt64 = 0
    /// The peer's address as text, without its port.
    let peer: String
    /// The connection, whose TLS knows the client's certificate.
    let channel: any Channel

    /// The context of a request on `source`.
    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress?.ipAddress ?? "local"
        channel = source.channel
    }

    /// The certificate (DER) that the client showed in TLS and proved to own; nil where it showed none.
    @Sendable package static func clientCertificate(_ channel: any Channel) async -> [UInt8]? {
        try? await channel.nioSSL_peerCertificate().get()?.toDERBytes()
    }
}
