internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
package import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Transparency
package import Witness

/// The address of a witness (C2SP tlog-witness), apart from every instance: its protocol signs its own messages, so that
/// plain HTTP does where there is a network of one's own, and TLS where there is not.
package struct WitnessListener: Service {
    private let witness: Witness
    private let address: String
    private let port: Int
    private let transport: ListenerTransport?
    private let limits: WebSettings.Limits
    private let logger: Logger
    private let onListening: @Sendable (Int) async -> Void

    /// A listener with TLS where there are paths of PEM files with a certificate chain and its key; throws `WebError`.
    package init(
        _ witness: Witness, address: String, port: Int, tls: (certificateChain: String, key: String)?, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) throws(WebError) {
        self.witness = witness
        self.address = address
        self.port = port
        self.logger = logger
        self.onListening = onListening
        if let tls {
            transport = try ListenerTransport(
                WebSettings.Listener(
                    name: "witness", address: address, port: port, certificateChain: tls.certificateChain, key: tls.key,
                    groups: []))
        } else {
            transport = nil
        }
        var limits = WebSettings.Limits()
        limits.bodyBytes = AddCheckpoint.longest
        self.limits = limits
    }

    /// Serves until graceful shutdown; throws what the system says when the address cannot be bound.
    package func run() async throws {
        let plain = HTTPServerBuilder.bounded(by: limits) { failure in
            let status = failure.kind == .tooSlow ? HTTPResponse.Status.requestTimeout : .badRequest
            return (HTTPResponse(status: status), ByteBuffer())
        }
        let server = try transport.map { try HTTPServerBuilder.tls(plain, tlsConfiguration: $0.configuration) } ?? plain
        try await Application(
            router: router, server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(address, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: logger)),
            onServerRunning: { [onListening, port] channel in await onListening(channel.localAddress?.port ?? port) },
            logger: logger
        ).run()
    }

    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.post("/add-checkpoint") { request, _ in
            guard let body = try? await request.body.collect(upTo: limits.bodyBytes) else {
                return Response(status: .contentTooLarge)
            }
            do {
                return Response(try await witness.add(Array(body.readableBytesView)))
            } catch { return broken(error) }
        }
        router.get("/log/:hash/checkpoint") { _, context in
            guard let hash = context.parameters.get("hash") else { return Response(status: .notFound) }
            do {
                guard let note = try await witness.checkpoint(originHash: hash) else {
                    return Response(status: .notFound, text: "no checkpoint of such a log was cosigned\n")
                }
                return Response(status: .ok, text: note)
            } catch { return broken(error) }
        }
        return router
    }

    private func broken(_ error: any Error) -> Response {
        logger.error("a checkpoint was not cosigned", metadata: ["cause": "\(error)"])
        return Response(status: .serviceUnavailable, text: "the witness cannot keep what it sees\n")
    }
}

extension Response {
    /// The statuses and bodies of C2SP tlog-witness.
    fileprivate init(_ answer: Witness.Answer) {
        switch answer {
        case .cosigned(let lines): self.init(status: .ok, text: lines)
        case .malformed(let fault): self.init(status: .badRequest, text: "\(fault)\n")
        case .unsigned: self.init(status: .forbidden, text: "no trusted key of this log signed\n")
        case .unknownLog: self.init(status: .notFound, text: "this witness does not know the log\n")
        case .conflict(let size): self.init(status: .conflict, text: "\(size)\n", type: "text/x.tlog.size")
        case .inconsistent:
            self.init(status: .unprocessableContent, text: "the checkpoint does not begin with what was cosigned\n")
        }
    }

    fileprivate init(status: HTTPResponse.Status, text: String, type: String = "text/plain; charset=utf-8") {
        self.init(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
