internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// Where requests may go and what is trusted there.
package struct OutboundRules: Sendable, Hashable {
    /// Whether private, loopback and link-local addresses may be asked.
    package var allowPrivateAddresses: Bool
    /// Whether `http:` may be asked, as for CRLs, which are signed themselves.
    package var allowHTTP: Bool
    /// Certificates in PEM that replace the system's trust roots; nil for the system's.
    package var trustRootsPEM: [UInt8]?
    /// Absolute folders below which `file:` URLs may read.
    package var allowFiles: [String]
    /// How many redirects `fetch` follows, each judged anew and none from `https:` to `http:`.
    package var redirects: Int

    /// Rules that, unless told otherwise, allow HTTPS to public addresses only.
    package init(
        allowPrivateAddresses: Bool = false, allowHTTP: Bool = false, trustRootsPEM: [UInt8]? = nil,
        allowFiles: [String] = [], redirects: Int = 0
    ) {
        self.allowPrivateAddresses = allowPrivateAddresses
        self.allowHTTP = allowHTTP
        self.trustRootsPEM = trustRootsPEM
        self.allowFiles = allowFiles
        self.redirects = redirects
    }
}

/// The only HTTP client: one request on one connection, with its size, time and addresses bounded.
package struct Outbound: Sendable {
    private let rules: OutboundRules
    private let tls: TLSConfiguration

    /// A client under `rules`; throws `.badTrustRoots`.
    package init(rules: OutboundRules) throws(OutboundError) {
        self.rules = rules
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let pem = rules.trustRootsPEM {
            guard let roots = try? NIOSSLCertificate.fromPEMBytes(pem), !roots.isEmpty else { throw .badTrustRoots }
            tls.trustRoots = .certificates(roots)
        }
        self.tls = tls
    }

    /// What a GET gives, or the content of a `file:` URL as status 200; any other status than 2xx throws `.status`.
    ///
    /// `limit` bounds the body in bytes and `timeoutSeconds` the whole exchange with all redirects.
    package func fetch(_ url: String, limit: Int, timeoutSeconds: Int) async throws(OutboundError) -> OutboundResponse {
        let target = try OutboundURL(url)
        if case .file(let path) = target.kind {
            let body = try FileTarget.read(path, below: rules.allowFiles, limit: limit)
            return OutboundResponse(status: 200, headers: [], body: body)
        }
        return try await withDeadline(timeoutSeconds) { () async throws(OutboundError) in
            var target = target
            var left = rules.redirects
            while true {
                let request = OutboundRequest(target.text, limit: limit, timeoutSeconds: timeoutSeconds)
                let response = try await exchange(request, with: target)
                if (200..<300).contains(response.status) { return response }
                guard [301, 302, 303, 307, 308].contains(response.status), left > 0,
                    let location = response.header("location")
                else { throw .status(response.status) }
                left -= 1
                target = try target.redirected(to: location)
            }
        }
    }

    /// The answer to any request, whatever its status; redirects are not followed and `file:` is refused.
    package func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let target = try OutboundURL(request.url)
        return try await withDeadline(request.timeoutSeconds) { () async throws(OutboundError) in
            try await exchange(request, with: target)
        }
    }

    private func exchange(
        _ request: OutboundRequest, with target: OutboundURL
    ) async throws(OutboundError) -> OutboundResponse {
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout = .init(connect: .seconds(Int64(clamping: max(1, request.timeoutSeconds))))
        // A name is resolved once, judged, and then pinned, so that a second answer cannot lead elsewhere.
        if let pinned = try await rules.permit(target) { configuration.dnsOverride = [target.host: pinned] }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<OutboundResponse, OutboundError>
        do {
            result = .success(try await exchange(request, at: target.text, by: client))
        } catch {
            result = .failure(OutboundError(error, limit: request.limit))
        }
        try? await client.shutdown()
        return try result.get()
    }

    private func exchange(
        _ request: OutboundRequest, at url: String, by client: HTTPClient
    ) async throws -> OutboundResponse {
        var message = HTTPClientRequest(url: url)
        message.method = .init(rawValue: request.method)
        for header in request.headers { message.headers.add(name: header.name, value: header.value) }
        if !request.body.isEmpty { message.body = .bytes(request.body) }
        let response = try await client.execute(message, deadline: .distantFuture)
        let body = try await response.body.collect(upTo: request.limit)
        return OutboundResponse(
            status: Int(response.status.code),
            headers: response.headers.map { OutboundHeader($0.name, $0.value) },
            body: Array(body.readableBytesView)
        )
    }
}

/// Runs `body` and cancels it after `seconds`; throws `.timedOut` then.
private func withDeadline<Value: Sendable>(
    _ seconds: Int, _ body: @escaping @Sendable () async throws(OutboundError) -> Value
) async throws(OutboundError) -> Value {
    let first = await withTaskGroup(of: Result<Value, OutboundError>?.self) { group in
        group.addTask {
            do throws(OutboundError) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }
        group.addTask {
            try? await Task.sleep(for: .seconds(max(1, seconds)))
            return .failure(.timedOut)
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first
    }
    guard let first else { throw .timedOut }
    return try first.get()
}
