internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import Platform

/// The authorization endpoint (RFC 6749 §3.1): a code at once where the browser's session is good for it, else a login.
struct AuthorizeRoutes: Sendable {
    let front: PlatformFront

    func add(to router: Router<APIContext>) {
        router.get("/oauth2/authorize") { request, context in
            try await front.visited(request, context) { (visit) async throws(Failure) in
                try await answer(request.uri.query ?? "", visit)
            }
        }
        router.post("/oauth2/authorize") { request, context in
            try await front.visited(request, context) { (visit) async throws(Failure) in
                let text = try await front.form(request, context)
                return try await posted(text, visit)
            }
        }
    }

    /// What a client may do where nobody pushed: read the parameters where they are, or in the object that it signed.
    private func read(
        _ parameters: RequestParameters, browser: String, _ visit: PlatformVisit
    ) async throws(AuthorizationFault) -> AuthorizationRequest {
        guard let client = front.clients.named(parameters["client_id"]) else {
            throw .untrusted(
                OAuthError(
                    parameters["client_id"] == nil ? .invalidRequest : .invalidClient,
                    "The client_id is missing or not one that is registered."), client: nil)
        }
        guard let reference = parameters["request_uri"] else {
            let inner = try await RequestObjects.parameters(
                parameters, of: client, issuer: front.settings.issuer, now: front.clock.now())
            guard inner["request_uri"] == nil else {
                throw .untrusted(OAuthError(.invalidRequestObject, "A request leads to another."), client: nil)
            }
            return try AuthorizationRequest(
                inner, of: client, isPushed: false, hinted: await front.hinted(inner, client, visit.requestID))
        }
        let known =
            parameters["request"] == nil
            ? front.pushed.use(reference, by: client.id, browser: browser)
                ?? front.posted.use(reference, by: client.id, browser: browser) : nil
        guard let known else {
            throw .untrusted(
                OAuthError(.invalidRequestURI, "The request_uri is not one of this server, was used, or has expired."),
                client: .init(japanese: client.japaneseName, english: client.englishName))
        }
        return known
    }

    /// A request that came by a form is kept, and its reader sent to an address that can be loaded again.
    private func posted(_ text: String, _ visit: PlatformVisit) async throws(Failure) -> Response {
        let request: AuthorizationRequest
        do throws(AuthorizationFault) {
            let parameters = try parameters(text)
            // A pushed one has such an address already.
            if let reference = parameters["request_uri"], let client = parameters["client_id"] {
                return PageFence.redirect(to: Self.address(client: client, reference: reference))
            }
            request = try await read(parameters, browser: "", visit)
        } catch {
            return refused(error, visit)
        }
        let reference = try front.posted.push(request)
        return PageFence.redirect(to: Self.address(client: request.client.description, reference: reference))
    }

    /// A browser that has no name yet gets one with the answer.
    private func answer(_ text: String, _ visit: PlatformVisit) async throws(Failure) -> Response {
        let browser = visit.browser ?? Hex.encode(front.random.bytes(32))
        let request: AuthorizationRequest
        do throws(AuthorizationFault) {
            request = try await read(try parameters(text), browser: browser, visit)
        } catch {
            return refused(error, visit)
        }
        let cookies = visit.browser == nil ? [PlatformVisit.loginField(browser)] : []
        return try await go(request, visit, browser: browser, cookies: cookies)
    }

    private func parameters(_ text: some StringProtocol) throws(AuthorizationFault) -> RequestParameters {
        do throws(OAuthError) { return try RequestParameters(text) } catch { throw .untrusted(error, client: nil) }
    }

    private static func address(client: String, reference: String) -> String {
        "/oauth2/authorize?" + PercentEncoding.query([("client_id", client), ("request_uri", reference)])
    }
}

extension AuthorizeRoutes {
    /// A code for the session that is there, else the way to a login.
    private func go(
        _ request: AuthorizationRequest, _ visit: PlatformVisit, browser: String, cookies: [String]
    ) async throws(Failure) -> Response {
        guard let client = front.clients[request.client] else { throw PlatformFront.unexpected }
        if let hint = request.loginHint {
            try front.rates.take(.account(hint, address: visit.peer), front.settings.accountRate)
        }
        let verdict = SessionVerdict(
            try await front.session(visit), for: request, of: client, opened: nil, now: front.clock.now())
        var reason = SessionVerdict.Reason.nobody
        switch verdict {
        case .good:
            let answer = try await front.granted(request, visit, secret: visit.secret ?? "", startedAt: nil)
            if case .sent(let response) = answer { return response }
        case .login(let found): reason = found
        }
        guard !request.isSilent else {
            let code: OAuthError.Code = reason == .otherMethod ? .interactionRequired : .loginRequired
            return PageFence.redirect(
                to: request.target.location(
                    error: OAuthError(code, "Somebody has to log in, and the request forbids to ask."),
                    issuer: front.settings.issuer))
        }
        let ceremony = try front.ceremonies.begin(request, browser: browser, address: visit.peer)
        return PageFence.redirect(to: LoginRoutes.address(ceremony), cookies: cookies)
    }

    /// The client is told at its own address, and the person where there is none.
    private func refused(_ fault: AuthorizationFault, _ visit: PlatformVisit) -> Response {
        switch fault {
        case .refused(let error, let target):
            return PageFence.redirect(to: target.location(error: error, issuer: front.settings.issuer))
        case .untrusted(let error, let client):
            var view = ErrorView(
                code: "O-\(error.code.rawValue)", requestID: visit.requestID, time: front.clock.now())
            view.status = 400
            view.detail = error.description
            view.relyingSystem = client.map { visit.page.language == .japanese ? $0.japanese : $0.english }
            return front.error(view, visit)
        }
    }
}

extension PlatformFront {
    /// Whom the `id_token_hint` of a request names; nobody while core cannot say by which keys it signs.
    func hinted(
        _ parameters: RequestParameters, _ client: OAuthClient, _ requestID: String
    ) async -> Result<HolderID?, OAuthError> {
        guard let hint = parameters["id_token_hint"], case .claims(let keys)? = try? await ask(.keys, requestID) else {
            return .success(nil)
        }
        return await IDTokenHint.holder(hint, keys: keys, issuer: settings.issuer, client: client.id)
    }

    /// What became of asking core for a code.
    enum Grant {
        /// The browser is led back to the client, or sees why not.
        case sent(Response)
        /// Core wants another login first.
        case loginNeeded
    }

    /// Asks for a code and leads back to the client with it.
    func granted(
        _ request: AuthorizationRequest, _ visit: PlatformVisit, secret: String, startedAt: Instant?,
        cookies: [String] = []
    ) async throws(Failure) -> Grant {
        do throws(Failure) {
            guard
                case .code(let code) = try await ask(
                    .grant(request.order(secret: secret, startedAt: startedAt)), visit.requestID)
            else { throw Self.unexpected }
            return .sent(
                PageFence.redirect(
                    to: request.target.location(code: code, issuer: settings.issuer), cookies: cookies))
        } catch {
            let row = FailureTable.row(error.kind)
            switch error.kind {
            case .loginRequired, .insufficientAuthentication, .windowElapsed: return .loginNeeded
            case .loginRefused where !request.isSilent:
                return .sent(refusal(error, request, visit, retry: nil, otherMethod: nil))
            default:
                // What may be over in a moment is shown with a button, unless the request forbids to show anything.
                if row.status >= 429, !request.isSilent { throw error }
                return .sent(
                    PageFence.redirect(
                        to: request.target.location(
                            error: row.oauthError ?? OAuthError.Code.serverError.rawValue, description: error.detail,
                            issuer: settings.issuer)))
            }
        }
    }

    /// The page for a login that core refused: its first reason is the row that says why, the second the kind of card.
    func refusal(
        _ failure: Failure, _ request: AuthorizationRequest?, _ visit: PlatformVisit, retry: PageAction?,
        otherMethod: PageAction?
    ) -> Response {
        var view = ErrorView(
            code: failure.reasons.first ?? "S-denied", requestID: visit.requestID, time: clock.now())
        view.card = failure.reasons.dropFirst().first.flatMap { CardKind(rawValue: $0) }
        view.status = FailureTable.row(.loginRefused).status
        view.retry = retry
        view.otherMethod = otherMethod
        guard let request else { return error(view, visit) }
        view.relyingSystem = visit.name(clients[request.client], request.uiLocales)
        view.back = .link(back(request))
        return page.error(view, visit.page(request.uiLocales))
    }

    /// Back to the client with nothing done.
    func back(_ request: AuthorizationRequest) -> String {
        request.target.location(
            error: OAuthError(.accessDenied, "The login was given up."), issuer: settings.issuer)
    }
}
