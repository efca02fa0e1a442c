internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Host
internal import Hummingbird

/// What every page does before and around its own work: admission, session, form tokens, and asking core.
struct ConsoleDoor: Sendable {
    let core: any CoreCalling
    let admission: Admission
    let limits: WebSettings.Limits
    let sessions: ConsoleSessions
    let random: Random
    let clock: WallClock

    /// Lets a request in that anybody may make.
    func admitted(
        _ request: Request, _ context: APIContext,
        _ body: (ConsoleVisit) async throws(Failure) -> Response
    ) async throws(Failure) -> Response {
        let key = ClientKey(address: context.peer, client: "console")
        try admission.enter(key)
        defer { admission.leave(key) }
        try admission.startWork()
        defer { admission.finishWork() }
        return try await body(ConsoleVisit(request, context.requestID, sessions))
    }

    /// Lets a request in that takes a session.
    ///
    /// Throws `.missingToken` without one.
    func signedIn(
        _ request: Request, _ context: APIContext,
        _ body: (ConsoleVisit, ConsoleSessions.Session) async throws(Failure) -> Response
    ) async throws(Failure) -> Response {
        try await admitted(request, context) { (visit) async throws(Failure) in
            guard let session = visit.session else {
                throw Failure(
                    visit.sessionName == nil ? .missingToken : .expiredToken, "There is no session of this name.")
            }
            return try await body(visit, session)
        }
    }

    /// What core answers to the question of whoever the token makes the caller.
    func ask(_ question: ReviewQuestion, token: String, _ requestID: String) async throws(Failure) -> ReviewReply {
        let command = ReviewCommand(requestID: requestID, token: PresentedToken(token), question: question)
        let deadline = Monotonic.now + UInt64(limits.answerSeconds) * 1_000_000_000
        guard case .review(let reply) = try await core.call(.review(command), deadline: deadline) else {
            throw Self.unexpected
        }
        return reply
    }

    /// The fields of a form that came from a page of ours, in the browser that it was made for.
    ///
    /// `expected` is the token that stands in the form: the session's, or before there is one the browser's cookie.
    func form(
        _ request: Request, _ context: APIContext, expected: String?, known: Set<String>
    ) async throws(Failure) -> URLFields {
        let site = request.headers[.secFetchSite]
        guard site == nil || site == "same-origin" else { throw Self.foreignForm }
        let type = (request.headers[.contentType] ?? "").lowercased().prefix { $0 != ";" }
        guard type == "application/x-www-form-urlencoded" else {
            throw Failure(.malformedRequest, "The body is not a form's.")
        }
        let held = HeldBytes(admission, address: context.peer)
        defer { held.release() }
        var bounds = limits
        bounds.bodyBytes = min(bounds.bodyBytes, URLFields.bodyLimit)
        let body = try await request.collectBody(bounds, held)
        guard let text = String(validating: body, as: UTF8.self) else {
            throw Failure(.malformedRequest, "The form is not UTF-8.")
        }
        let fields = try URLFields(text, known: known.union(["form"]), atMost: URLFields.bodyLimit)
        guard let expected, let given = fields["form"],
            // Digests, so that how long the comparison takes tells nothing.
            Digest(of: Array(given.utf8)) == Digest(of: Array(expected.utf8))
        else { throw Self.foreignForm }
        return fields
    }

    private static let foreignForm = Failure(
        .malformedRequest, "The form did not come from this session's page.", reasons: ["form"])

    static let unexpected = Failure(.unexpected, "Core answered something else.", cause: "another reply to a question")
}
