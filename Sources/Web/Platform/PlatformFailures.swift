internal import HPKI
internal import HTTPTypes
internal import Host
internal import Hummingbird

/// Failures at addresses of the platform that people visit, as pages; programs' addresses keep theirs.
struct PlatformFailures: FailurePages {
    let page: PlatformPage
    let clock: WallClock

    private static let places = ["/login", "/sessions", "/help", "/oauth2/authorize", "/oauth2/logout"]

    func response(_ failure: Failure, _ request: Request, _ context: APIContext, allow: String?) -> Response? {
        let path = request.uri.path
        guard Self.places.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) else { return nil }
        let row = FailureTable.row(failure.kind)
        let code = Self.code(failure.kind)
        let visit = PageVisit(request, context.requestID)
        let isRetried = request.method == .get && row.status >= 429
        var view = ErrorView(code: code, requestID: context.requestID, time: clock.now())
        view.source = code == "E20" ? context.peer : nil
        view.detail = code == "S-unexpected" ? nil : failure.detail
        view.retry = isRetried ? .link(Self.place(visit)) : nil
        view.status = row.status
        var response = page.error(view, visit)
        if let seconds = failure.retryAfter ?? row.retryAfter { response.headers[.retryAfter] = String(seconds) }
        if let allow { response.headers[.allow] = allow }
        return response
    }

    /// The visit's address where it is short and plain, else its path alone.
    private static func place(_ visit: PageVisit) -> String {
        let isPlain = visit.place.utf8.count <= 2048 && visit.place.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        return isPlain ? visit.place : visit.path
    }

    /// Which entry of the help a failure has.
    private static func code(_ kind: Failure.Kind) -> String {
        switch kind {
        case .methodNotAllowed: "E20"
        case .notFound: "S-not-found"
        case .malformedRequest, .tooLarge, .tooManyHeaders: "S-malformed-request"
        case .denied: "S-denied"
        case .tooManyRequests, .overloaded: "S-too-many-requests"
        case .coreUnavailable, .auditUnavailable, .timedOut, .tooSlow: "S-unavailable"
        default: "S-unexpected"
        }
    }
}
