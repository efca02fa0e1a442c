internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore

/// One address on loopback over plain HTTP, that takes one kind of message and answers with another.
///
/// For development authorities, whose protocols sign their own messages; nothing else may be served without TLS.
package struct ExchangeListener: Sendable {
    private let port: Int
    private let path: String
    private let takes: String
    private let gives: String
    private let limit: Int
    private let logger: Logger
    private let answer: @Sendable ([UInt8]) -> [UInt8]

    /// A listener on 127.0.0.1 that answers POST requests to `path` of the media type `takes`, at most `limit` bytes.
    package init(
        port: Int, path: String, takes: String, gives: String, atMost limit: Int, logger: Logger,
        answer: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) {
        self.port = port
        self.path = path
        self.takes = takes
        self.gives = gives
        self.limit = limit
        self.logger = logger
        self.answer = answer
    }

    /// Serves until its task is cancelled; throws what the system says when the address cannot be bound.
    package func run() async throws {
        let router = Router()
        router.post(RouterPath(path)) { request, _ in
            guard request.headers[.contentType] == takes else { return Response(status: .unsupportedMediaType) }
            guard let body = try? await request.body.collect(upTo: limit) else {
                return Response(status: .contentTooLarge)
            }
            return Response(
                status: .ok, headers: [.contentType: gives],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer(Array(body.readableBytesView)))))
        }
        let application = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            logger: logger)
        try await application.run()
    }
}
