internal import HPKI
internal import HTTPTypes
internal import Host
internal import Hummingbird
internal import Logging

/// Outermost of all middleware: gives the request its id, turns whatever is thrown into a problem, and writes the
/// access log's line and the metrics of every request.
struct FailureMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let random: Random
    let metrics: WebMetrics
    let logger: Logger
    let groups: Set<WebSettings.RouteGroup>
    let hosts: Set<String>
    /// Where people see failures as pages.
    var pages: [any FailurePages] = []

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = Hex.encode(random.bytes(16))
        context.start = Monotonic.now
        metrics.began()
        var response: Response
        var failure: Failure?
        do {
            try checkHost(request)
            try checkPath(request)
            try checkCoding(request)
            response = try await next(request, context)
        } catch {
            let (cause, allow) = translate(error, request)
            failure = cause
            response =
                pages.lazy.compactMap { $0.response(cause, request, context, allow: allow) }.first
                ?? Problem.response(
                    for: cause, requestID: context.requestID, allow: allow, isDPoP: Challenge.isDPoP(request))
        }
        response.headers.append(contentsOf: Self.security)
        response.headers[.requestID] = context.requestID
        finish(request, response, failure, context)
        return response
    }

    static let security: HTTPFields = [
        .cacheControl: "no-store",
        .strictTransportSecurity: "max-age=31536000",
        .xContentTypeOptions: "nosniff",
    ]

    private func checkHost(_ request: Request) throws(Failure) {
        // The first Host field has become the authority (RFC 9112 §3.2: a second one is a fault).
        guard request.headers.allSatisfy({ $0.name.canonicalName != "host" }) else {
            throw Failure(.malformedRequest, "The request has more than one Host.")
        }
        guard !hosts.isEmpty else { return }
        guard let authority = request.head.authority, hosts.contains(Self.host(of: authority)) else {
            throw Failure(.malformedRequest, "The request names a host that this listener does not serve.")
        }
    }

    /// No coding but chunked is undone here (RFC 9112 §6.1); a proxy before us may undo others and see another body.
    private func checkCoding(_ request: Request) throws(Failure) {
        let codings = request.headers[values: .transferEncoding]
        guard codings.isEmpty || codings.map({ $0.lowercased() }) == ["chunked"] else {
            throw Failure(.malformedRequest, "The request has another Transfer-Encoding than chunked.")
        }
    }

    /// A route has one address: the router takes an empty part for none, a rule of a proxy before us may not.
    private func checkPath(_ request: Request) throws(Failure) {
        let parts = request.uri.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard parts.count <= 1 || !parts.contains("") else { throw Failure(.notFound, "No route has this address.") }
    }

    /// The host of `host:port`, an IPv6 address without its brackets, in lower case.
    private static func host(of authority: String) -> String {
        let text = authority.lowercased()
        if text.first == "[" { return String(text.dropFirst().prefix { $0 != "]" }) }
        return String(text.prefix { $0 != ":" })
    }

    /// The failure behind an error, and the methods that the address does take.
    private func translate(_ error: any Error, _ request: Request) -> (Failure, allow: String?) {
        if let failure = error as? Failure { return (failure, nil) }
        guard let status = (error as? any HTTPResponseError)?.status else {
            // An error's own text may hold what must not reach the log; its type says enough to find it.
            return (
                Failure(.unexpected, "The service met a fault of its own.", cause: "\(type(of: error))"), nil
            )
        }
        switch status {
        case .notFound:
            let methods = RouteTable.methods(of: request.uri.path[...], in: groups)
            if methods.isEmpty { return (Failure(.notFound, "No route has this address."), nil) }
            let allow = methods.joined(separator: ", ")
            return (Failure(.methodNotAllowed, "This address takes \(allow) only."), allow)
        case .contentTooLarge: return (Failure(.tooLarge, "The body is too long."), nil)
        case .internalServerError: return (Failure(.unexpected, "The service met a fault of its own."), nil)
        default: return (Failure(.malformedRequest, "The request is not one that this service understands."), nil)
        }
    }

    private func finish(_ request: Request, _ response: Response, _ failure: Failure?, _ context: APIContext) {
        let nanoseconds = Monotonic.now &- context.start
        let route = context.endpointPath ?? "NotFound"
        metrics.ended(route: route, status: response.status.code, nanoseconds: nanoseconds)
        var metadata: Logger.Metadata = [
            "id": .string(context.requestID), "method": .string(Self.knownMethod(request.method)),
            "route": .string(route), "status": .stringConvertible(response.status.code),
            "ms": .stringConvertible(Double(nanoseconds / 10_000) / 100),
            "bytes": .stringConvertible(response.body.contentLength ?? 0),
        ]
        // The detail may speak of the document, so it is for the caller alone.
        if let failure {
            let row = FailureTable.row(failure.kind)
            metadata["failure"] = .string(row.slug)
            if row.status == 401 || failure.kind == .unknownHolder || failure.kind == .unknownAuthority {
                metrics.refusedStranger(row.slug)
            }
            if let rule = failure.rule { metadata["rule"] = .string(rule) }
            if let cause = failure.cause { metadata["cause"] = .string(cause) }
        }
        logger.log(level: response.status.code == 500 ? .error : .info, "request", metadata: metadata)
    }

    /// A method that is not ours is the client's own text, which has no place in the log.
    private static func knownMethod(_ method: HTTPRequest.Method) -> String {
        switch method {
        case .get, .post, .head, .put, .delete, .options, .patch: method.rawValue
        default: "other"
        }
    }
}
