internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOSSL

/// TLS that asks for a certificate and takes whichever comes, the client's possession of its key proven.
///
/// Each connection has a context of its own, and so keys of its own for session tickets: none can be resumed on
/// another connection, where it would bring the certificate along without the card.
struct AskingChannel<Base: ServerChildChannel>: ServerChildChannel {
    typealias Value = Base.Value

    let configuration: TLSConfiguration
    let base: Base

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let watch = HandshakeWatch()
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(watch)
            try pipeline.addHandler(
                NIOSSLServerHandler(
                    context: NIOSSLContext(configuration: configuration),
                    customVerificationCallback: { _, promise in promise.succeed(.certificateVerified) },
                    configuration: .init()))
            try pipeline.addHandler(HandshakeEnd(watch))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
