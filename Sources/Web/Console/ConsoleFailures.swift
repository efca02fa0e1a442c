internal import HPKI
internal import HTTPTypes
internal import Hummingbird

/// Failures as pages that say what to do next.
struct ConsoleFailures: FailurePages {
    let page: ConsolePage
    let sessions: ConsoleSessions

    /// The page for a failure at an address of the console; nil at any other.
    func response(_ failure: Failure, _ request: Request, _ context: APIContext, allow: String?) -> Response? {
        let path = request.uri.path
        guard path == "/console" || path.hasPrefix("/console/") else { return nil }
        let visit = ConsoleVisit(request, context.requestID, sessions)
        let row = FailureTable.row(failure.kind)
        if row.status == 401 || failure.kind == .unknownHolder {
            // What core no longer accepts does not stay.
            if let name = visit.sessionName { sessions.end(name) }
            return SignIn.redirect(visit, hasEnded: visit.sessionName != nil)
        }
        let name = Self.name(failure)
        let texts = visit.texts
        var response = page.response(
            .error, visit, heading: texts["error.\(name)"],
            [
                "heading": texts["error.\(name)"], "next": texts["errorNext.\(name)"],
                "rule": shown(failure.rule), "detail": shown(name == "unexpected" ? nil : failure.detail),
                "requestID": context.requestID,
                "retry": shown(request.method == .get && row.status >= 429 ? ConsoleVisit.safePlace(visit.place) : nil),
            ],
            status: row.status)
        if let seconds = failure.retryAfter ?? row.retryAfter { response.headers[.retryAfter] = String(seconds) }
        if let allow { response.headers[.allow] = allow }
        return response
    }

    /// Which words a failure has here.
    private static func name(_ failure: Failure) -> String {
        switch failure.kind {
        case .malformedRequest: failure.reasons == ["form"] ? "form" : "malformedRequest"
        case .notFound, .methodNotAllowed, .denied, .auditUnavailable, .timedOut: failure.kind.rawValue
        case .tooLarge, .tooManyHeaders, .tooSlow: "tooLarge"
        case .tooManyRequests, .overloaded: "tooManyRequests"
        case .coreUnavailable: "coreUnavailable"
        default: "unexpected"
        }
    }
}
