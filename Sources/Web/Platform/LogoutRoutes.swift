internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Platform

/// The logout that a relying system asks for (OpenID Connect RP-Initiated Logout), at once where its ID token says who
/// asks, else after the person has confirmed it.
struct LogoutRoutes: Sendable {
    private static let path = "/oauth2/logout"

    let front: PlatformFront

    func add(to router: Router<APIContext>) {
        router.get(RouterPath(Self.path)) { request, context in
            try await front.visited(request, context) { (visit) async throws(Failure) in
                try await wished(request.uri.query ?? "", visit)
            }
        }
        router.post(RouterPath(Self.path)) { request, context in
            try await front.visited(request, context) { (visit) async throws(Failure) in
                let text = try await front.form(request, context)
                let form = try front.parameters(text)
                return form["form"] == nil ? try await wished(text, visit) : try await confirmed(form, visit)
            }
        }
    }

    private func wished(_ text: String, _ visit: PlatformVisit) async throws(Failure) -> Response {
        let logout: LogoutRequest
        let target: RedirectTarget?
        var client: OAuthClient?
        do {
            logout = try LogoutRequest(try Parameters(text))
            client = logout.client.flatMap { front.clients[$0] }
            if let hint = logout.idTokenHint {
                switch try await hinted(hint, visit) {
                case .ended(let found):
                    guard logout.client == nil || logout.client == found else {
                        throw OAuthError(.invalidRequest, "The client_id is not that of the id_token_hint.")
                    }
                    client = found.flatMap { front.clients[$0] }
                    return try await left(try logout.target(of: client), client, visit)
                case .refused: break
                }
            }
            target = try logout.target(of: client)
        } catch let error as OAuthError {
            return front.fault("O-\(error.code.rawValue)", visit, detail: error.description)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw PlatformFront.unexpected
        }
        return try await confirm(logout, target, client, visit)
    }

    private enum Hint {
        case ended(ClientID?)
        /// The ID token says nothing to core any more; the person may still say it.
        case refused
    }

    private func hinted(_ hint: String, _ visit: PlatformVisit) async throws(Failure) -> Hint {
        do {
            guard case .ended(let client) = try await front.ask(.end(.relyingSystem(idToken: hint)), visit.requestID)
            else { throw PlatformFront.unexpected }
            return .ended(client)
        } catch {
            guard (400..<429).contains(FailureTable.row(error.kind).status) else { throw error }
            return .refused
        }
    }

    /// The relying system's session has ended; where the browser's is another, it is the person who decides of that.
    private func left(
        _ target: RedirectTarget?, _ client: OAuthClient?, _ visit: PlatformVisit
    ) async throws(Failure) -> Response {
        let isStillThere = try await front.session(visit) != nil
        let cookies = isStillThere ? [] : [PlatformVisit.noSession]
        guard let target else { return signedOut(visit, client, cookies: cookies) }
        return PageFence.redirect(to: target.plainLocation, cookies: cookies)
    }

    private func confirm(
        _ logout: LogoutRequest, _ target: RedirectTarget?, _ client: OAuthClient?, _ visit: PlatformVisit
    ) async throws(Failure) -> Response {
        guard visit.request.method == .get else {
            // What another site posts comes without our cookies; the address that it leads to comes with them.
            let pairs = [
                ("client_id", logout.client?.description), ("post_logout_redirect_uri", logout.redirectURI),
                ("state", logout.state), ("ui_locales", logout.uiLocales),
            ]
            return PageFence.redirect(to: Self.path + "?" + PercentEncoding.query(pairs))
        }
        guard let secret = visit.secret, let session = try await front.session(visit) else {
            guard let target else { return signedOut(visit, client, cookies: [PlatformVisit.noSession]) }
            return PageFence.redirect(to: target.plainLocation, cookies: [PlatformVisit.noSession])
        }
        var fields: [(name: String, value: String)] = [("form", PlatformVisit.formToken(secret))]
        if let client { fields.append(("client_id", client.id.description)) }
        if let target {
            fields.append(("post_logout_redirect_uri", target.uri))
            if let state = target.state { fields.append(("state", state)) }
        }
        var view = LogoutConfirmView(
            subject: session.holder.description, logout: .form(Self.path, fields: fields))
        view.relyingSystem = visit.name(client)
        view.stay = target.map { .link($0.plainLocation) } ?? .link("/sessions")
        view.formTargets = [target?.uri].compactMap { $0 }
        return front.page.logoutConfirm(view, visit.page(logout.uiLocales))
    }

    private func confirmed(_ form: Parameters, _ visit: PlatformVisit) async throws(Failure) -> Response {
        guard let secret = visit.secret else { return PageFence.redirect(to: Self.path) }
        try front.check(form, expected: PlatformVisit.formToken(secret), visit)
        let target: RedirectTarget?
        do {
            let logout = try LogoutRequest(form)
            target = try logout.target(of: logout.client.flatMap { front.clients[$0] })
        } catch {
            return front.fault("O-\(error.code.rawValue)", visit, detail: error.description)
        }
        try await front.endOwn(secret, session: nil, visit)
        return PageFence.redirect(to: target?.plainLocation ?? Self.path, cookies: [PlatformVisit.noSession])
    }

    private func signedOut(_ visit: PlatformVisit, _ client: OAuthClient?, cookies: [String]) -> Response {
        var view = SignedOutView()
        view.relyingSystem = visit.name(client)
        var response = front.page.signedOut(view, visit.page)
        for cookie in cookies { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
        return response
    }
}

extension PlatformFront {
    /// Ends the visitor's own session, or another of theirs; that it is gone already is as good.
    func endOwn(_ secret: String, session: String?, _ visit: PlatformVisit) async throws(Failure) {
        do {
            _ = try await ask(.end(.own(secret: secret, session: session)), visit.requestID)
        } catch {
            guard [401, 403, 404].contains(FailureTable.row(error.kind).status) else { throw error }
        }
    }
}

/// What an issuer says of sessions that ended, to the signing service (OpenID Connect Back-Channel Logout 1.0 §2.5).
struct BackchannelLogoutRoute: Sendable {
    private static let bodyLimit = 20 << 10

    let core: any CoreCalling
    let door: APIDoor

    func add(to router: Router<APIContext>) {
        router.post("/v1/backchannel-logout") { request, context in try await told(request, context) }
    }

    private func told(_ request: Request, _ context: APIContext) async throws(Failure) -> Response {
        let key = ClientKey(address: context.peer, client: "backchannel-logout")
        try door.admission.enter(key)
        let held = HeldBytes(door.admission, address: context.peer)
        defer {
            held.release()
            door.admission.leave(key)
        }
        var bounds = door.limits
        bounds.bodyBytes = min(bounds.bodyBytes, Self.bodyLimit)
        let type = (request.headers[.contentType] ?? "").lowercased().prefix { $0 != ";" && $0 != " " }
        guard type == "application/x-www-form-urlencoded",
            let text = String(validating: try await request.collectBody(bounds, held), as: UTF8.self),
            let token = (try? Parameters(text))?["logout_token"], token.utf8.count <= PlatformLimits.token
        else { throw Failure(.malformedRequest, "The body is no form with one logout_token.") }
        let command = PlatformCommand(requestID: context.requestID, act: .logoutToken(token))
        return try await door.working { () async throws(Failure) in
            guard case .platform = try await core.call(.platform(command), deadline: door.deadline) else {
                throw PlatformFront.unexpected
            }
            return Response(status: .ok)
        }
    }
}
