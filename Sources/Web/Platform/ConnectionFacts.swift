package import NIOCore

/// What TLS knows of a connection, for the routes of one listener.
package struct ConnectionFacts: Sendable {
    /// The certificate (DER) whose key the client proved to have; nil where it showed none.
    package var clientCertificate: @Sendable (any Channel) async -> [UInt8]?
    /// Whether a certificate that is shown is one that TLS verified.
    package var isCertificateTrusted: Bool
    /// The seconds that the handshake took from the server's first flight on; nil where nobody watched.
    package var handshakeSeconds: @Sendable (any Channel) async -> Double?

    /// Facts by what tells them; other than TLS's word they are for tests.
    package init(
        clientCertificate: @escaping @Sendable (any Channel) async -> [UInt8]?, isCertificateTrusted: Bool = false,
        handshakeSeconds: @escaping @Sendable (any Channel) async -> Double? = { _ in nil }
    ) {
        self.clientCertificate = clientCertificate
        self.isCertificateTrusted = isCertificateTrusted
        self.handshakeSeconds = handshakeSeconds
    }

    /// TLS's own word on the connections of a listener.
    init(_ listener: WebSettings.Listener) {
        switch listener.clientCertificate {
        case .none: self.init { _ in nil }
        case .ask:
            self.init(
                clientCertificate: APIContext.clientCertificate, handshakeSeconds: { await HandshakeWatch.seconds($0) })
        case .request, .require:
            self.init(clientCertificate: APIContext.clientCertificate, isCertificateTrusted: true)
        }
    }
}
