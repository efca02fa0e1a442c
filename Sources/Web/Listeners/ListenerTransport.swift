internal import NIOCore
internal import NIOSSL

/// Why a listener cannot be made.
package enum WebError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The PEM file of the server's certificates cannot be read or holds none.
    case unreadableCertificate(listener: String, path: String)
    /// The PEM file of the server's key cannot be read.
    case unreadableKey(listener: String, path: String)
    /// The PEM file of the clients' authorities cannot be read or holds none.
    case unreadableAuthorities(listener: String, path: String)
    /// Certificate, key and authorities do not make a TLS context: the key may be of another certificate.
    case unusable(listener: String)
    /// A template of a page cannot be parsed: a fault of this program.
    case templates(String)

    package var description: String {
        switch self {
        case .unreadableCertificate(let listener, let path):
            "listener \(listener): no certificates can be read from \(path)"
        case .unreadableKey(let listener, let path): "listener \(listener): no private key can be read from \(path)"
        case .unreadableAuthorities(let listener, let path):
            "listener \(listener): no authorities of clients can be read from \(path)"
        case .unusable(let listener): "listener \(listener): the key does not belong to the certificate"
        case .templates(let fault): "the pages' templates: \(fault)"
        }
    }
}

/// A listener with its TLS configuration: versions 1.2 and 1.3, HTTP/1.1.
struct ListenerTransport: Sendable {
    let listener: WebSettings.Listener
    let configuration: TLSConfiguration

    /// Reads the files that `listener` names; throws `WebError`.
    init(_ listener: WebSettings.Listener) throws(WebError) {
        self.listener = listener
        let chain = Self.certificates(listener.certificateChain)
        guard !chain.isEmpty else {
            throw .unreadableCertificate(listener: listener.name, path: listener.certificateChain)
        }
        guard let key = try? NIOSSLPrivateKey(file: listener.key, format: .pem) else {
            throw .unreadableKey(listener: listener.name, path: listener.key)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        // A client that never says goodbye must not hold up a shutdown.
        configuration.shutdownTimeout = .milliseconds(500)
        switch listener.clientCertificate {
        case .none: configuration.certificateVerification = .none
        case .ask:
            configuration.certificateVerification = .optionalVerification
            // Nothing is verified by TLS: without this the system's authorities would be read for every connection.
            configuration.trustRoots = .certificates([])
        case .request(let path):
            configuration.certificateVerification = .optionalVerification
            configuration.trustRoots = try Self.authorities(path, listener)
        case .require(let path):
            // Clients have no host name to be verified.
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = try Self.authorities(path, listener)
        }
        guard (try? NIOSSLContext(configuration: configuration)) != nil else {
            throw .unusable(listener: listener.name)
        }
        self.configuration = configuration
    }

    private static func certificates(_ path: String) -> [NIOSSLCertificate] {
        (try? NIOSSLCertificate.fromPEMFile(path)) ?? []
    }

    private static func authorities(
        _ path: String, _ listener: WebSettings.Listener
    ) throws(WebError) -> NIOSSLTrustRoots {
        let certificates = certificates(path)
        guard !certificates.isEmpty else { throw .unreadableAuthorities(listener: listener.name, path: path) }
        return .certificates(certificates)
    }
}

extension WebSettings.Listener {
    /// The hosts that requests may name, in lower case; empty for any.
    var servedHosts: Set<String> {
        hostNames.isEmpty ? [] : Set((hostNames + [address]).map { $0.lowercased() })
    }
}
