internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import Platform

/// A person's own sessions: which there are, and their end.
struct SessionRoutes: Sendable {
    let front: PlatformFront

    func add(to router: Router<APIContext>) {
        router.get("/sessions") { request, context in
            try await front.visited(request, context) { (visit) async throws(Failure) in
                let fields = try URLFields(visit.page.query, known: ["done", "lang"])
                return try await list(fields["done"].flatMap(SessionsView.Notice.init), visit)
            }
        }
        router.post("/sessions/end") { request, context in
            try await front.visited(request, context) { (visit) async throws(Failure) in
                let form = try front.parameters(try await front.form(request, context))
                guard let secret = visit.secret else { return PageFence.redirect(to: "/sessions") }
                try front.check(form, expected: PlatformVisit.formToken(secret), visit)
                return try await end(form, secret, visit)
            }
        }
    }

    private func list(_ notice: SessionsView.Notice?, _ visit: PlatformVisit) async throws(Failure) -> Response {
        guard let secret = visit.secret, let all = try await sessions(secret, visit) else {
            return nobody(visit)
        }
        guard let holder = (all.first { $0.isCurrent } ?? all.first)?.holder else { return nobody(visit) }
        var view = SessionsView(
            subject: holder.description,
            sessions: all.map { facts in
                var session = SessionsView.Session(
                    id: facts.id, method: facts.method, since: facts.authenticatedAt, until: facts.endsAt)
                session.relyingSystems = facts.clients.map { visit.name(front.clients[$0]) ?? $0.description }
                session.isCurrent = facts.isCurrent
                return session
            })
        view.notice = notice
        view.fields = [("form", PlatformVisit.formToken(secret))]
        return front.page.sessions(view, visit.page)
    }

    /// Nil where core knows of no session by this secret.
    private func sessions(_ secret: String, _ visit: PlatformVisit) async throws(Failure) -> [SessionFacts]? {
        do {
            guard case .sessions(let all) = try await front.ask(.sessions(secret: secret), visit.requestID) else {
                throw PlatformFront.unexpected
            }
            return all
        } catch {
            guard [401, 403, 404].contains(FailureTable.row(error.kind).status) else { throw error }
            return nil
        }
    }

    private func nobody(_ visit: PlatformVisit) -> Response {
        var response = front.page.signedOut(SignedOutView(), visit.page)
        response.headers.append(HTTPField(name: .setCookie, value: PlatformVisit.noSession))
        return response
    }

    private func end(
        _ form: Parameters, _ secret: String, _ visit: PlatformVisit
    ) async throws(Failure) -> Response {
        if form["all"] != nil {
            do {
                _ = try await front.ask(.end(.all(secret: secret)), visit.requestID)
            } catch {
                guard [401, 403, 404].contains(FailureTable.row(error.kind).status) else { throw error }
            }
            return PageFence.redirect(to: "/sessions?done=endedAll", cookies: [PlatformVisit.noSession])
        }
        guard let session = form["session"], session.utf8.count <= 64 else {
            throw Failure(.malformedRequest, "The form names no session.")
        }
        try await front.endOwn(secret, session: session, visit)
        return PageFence.redirect(to: "/sessions?done=ended")
    }
}
