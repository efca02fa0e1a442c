internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import Platform

/// A login under way, on the issuer's host: the choice of a card, the way back from it, and who goes on.
struct LoginRoutes: Sendable {
    let front: PlatformFront

    func add(to router: Router<APIContext>) {
        router.get("/login") { request, context in
            try await front.visited(request, context) { (visit) async throws(Failure) in
                let fields = try URLFields(visit.page.query, known: ["ceremony", "lang"])
                guard let ceremony = front.ceremonies.find(fields["ceremony"], browser: visit.browser) else {
                    return front.fault("F6", visit)
                }
                return try await shown(ceremony, visit)
            }
        }
        router.post("/login") { request, context in
            try await front.visited(request, context) { (visit) async throws(Failure) in
                let form = try front.parameters(try await front.form(request, context))
                guard let ceremony = front.ceremonies.find(form["ceremony"], browser: visit.browser) else {
                    return front.fault("F6", visit)
                }
                try front.check(form, expected: ceremony.formToken, visit)
                return try await done(form, ceremony, visit)
            }
        }
        router.get("/login/continue") { request, context in
            try await front.visited(request, context) { (visit) async throws(Failure) in
                let fields = try URLFields(visit.page.query, known: ["ticket", "lang"])
                return try await arrived(fields["ticket"] ?? "", visit)
            }
        }
    }

    /// The address of a login's page; of use only with the browser's cookie.
    static func address(_ ceremony: Ceremony) -> String { "/login?ceremony=\(ceremony.id)" }

    /// What a login has come to: over, waiting for a word on who goes on, or for a card.
    private func shown(_ ceremony: Ceremony, _ visit: PlatformVisit) async throws(Failure) -> Response {
        guard let client = front.clients[ceremony.request.client] else { return front.fault("O-invalid_client", visit) }
        let session = try await front.session(visit)
        if let other = ceremony.other {
            guard let session, session.holder != other.facts.holder else {
                return try await goOn(ceremony, other, visit)
            }
            return differentUser(ceremony, session, other, visit)
        }
        let verdict = SessionVerdict(
            session, for: ceremony.request, of: client, opened: ceremony.opened, now: front.clock.now())
        switch verdict {
        case .good:
            let secret = visit.secret ?? ""
            return try await finished(ceremony, visit, secret: secret, facts: session)
        case .login(let reason): return choice(ceremony, client, reason, visit)
        }
    }

    /// The code for a session that counts; where core does not think so, the login begins anew.
    private func finished(
        _ ceremony: Ceremony, _ visit: PlatformVisit, secret: String, facts: SessionFacts?, cookies: [String] = []
    ) async throws(Failure) -> Response {
        let isOfThis = facts?.id == ceremony.opened && facts != nil
        let answer = try await front.granted(
            ceremony.request, visit, secret: secret, startedAt: isOfThis ? ceremony.startedAt : nil, cookies: cookies)
        switch answer {
        case .sent(let response):
            front.ceremonies.finish(ceremony.id, browser: visit.browser)
            return response
        case .loginNeeded:
            guard let client = front.clients[ceremony.request.client] else { throw PlatformFront.unexpected }
            front.ceremonies.update(ceremony.id, browser: visit.browser) { $0.opened = nil }
            return choice(ceremony, client, .again, visit)
        }
    }

    /// The choice of a card; where there is none to be made, the way to the one host at once.
    private func choice(
        _ ceremony: Ceremony, _ client: OAuthClient, _ reason: SessionVerdict.Reason, _ visit: PlatformVisit
    ) -> Response {
        let kinds = front.kinds(ceremony.request, client)
        guard let first = kinds.first else {
            return front.refusal(
                Failure(.loginRefused, "", reasons: ["S-denied"]), ceremony.request, visit, retry: nil, otherMethod: nil
            )
        }
        if kinds.count == 1 { return toCard(first, ceremony, visit) }
        var view = LoginView(relyingSystem: visit.name(client) ?? client.id.description)
        view.choices = kinds.map { $0 == .hpki ? .hpkiCard : .jpkiCard }
        view.notice =
            switch reason {
            case .nobody, .otherHolder: nil
            case .again: .again
            case .otherMethod: .otherMethod
            }
        view.wanted = ceremony.request.loginHint?.description
        view.fields = Self.fields(ceremony)
        view.cancel = .form("/login", fields: Self.fields(ceremony) + [("action", "cancel")])
        view.formTargets = front.targets(ceremony.request)
        return front.page.login(view, visit.page(ceremony.request.uiLocales))
    }

    private func toCard(_ kind: CardKind, _ ceremony: Ceremony, _ visit: PlatformVisit) -> Response {
        guard let origin = front.settings.origin(kind),
            let ticket = front.ceremonies.ticket(ceremony.id, browser: visit.browser, to: kind.evidence)
        else { return front.fault("F6", visit) }
        return PageFence.redirect(
            to: origin + "/login/card?" + PercentEncoding.query([("ceremony", ceremony.id), ("ticket", ticket)]))
    }

    /// E18: somebody else is signed in in this browser.
    private func differentUser(
        _ ceremony: Ceremony, _ session: SessionFacts, _ other: Ceremony.Other, _ visit: PlatformVisit
    ) -> Response {
        let fields = Self.fields(ceremony)
        var view = DifferentUserView(
            signedIn: session.holder.description, requestID: visit.requestID, time: front.clock.now(),
            switchUser: .form("/login", fields: fields + [("action", "switch")]))
        view.wanted = other.facts.holder.description
        view.relyingSystem = visit.name(front.clients[ceremony.request.client])
        view.stay = .form("/login", fields: fields + [("action", "keep")])
        view.back = .form("/login", fields: fields + [("action", "cancel")])
        view.formTargets = front.targets(ceremony.request)
        return front.page.differentUser(view, visit.page(ceremony.request.uiLocales))
    }

    static func fields(_ ceremony: Ceremony) -> [(name: String, value: String)] {
        [("ceremony", ceremony.id), ("form", ceremony.formToken)]
    }
}

// MARK: What was chosen

extension LoginRoutes {
    private func done(
        _ form: RequestParameters, _ ceremony: Ceremony, _ visit: PlatformVisit
    ) async throws(Failure) -> Response {
        switch form["action"] {
        case nil:
            guard let client = front.clients[ceremony.request.client],
                let kind = form["method"].flatMap({ AuthenticationMethod(rawValue: $0) }).flatMap({ CardKind($0) }),
                front.kinds(ceremony.request, client).contains(kind)
            else { throw Failure(.malformedRequest, "The way to log in is not one of those offered.") }
            return toCard(kind, ceremony, visit)
        case "cancel":
            if let other = ceremony.other {
                front.ceremonies.update(ceremony.id, browser: visit.browser) { $0.other = nil }
                await front.end(secret: other.secret, visit.requestID)
            }
            front.ceremonies.finish(ceremony.id, browser: visit.browser)
            return PageFence.redirect(to: front.back(ceremony.request))
        case "switch":
            guard let other = ceremony.other else { return PageFence.redirect(to: Self.address(ceremony)) }
            // Who was signed in is signed out everywhere before the other goes on.
            if let old = visit.secret {
                _ = try await front.ask(.end(.own(secret: old, session: nil)), visit.requestID)
            }
            return try await goOn(ceremony, other, visit)
        case "keep":
            guard let other = ceremony.other else { return PageFence.redirect(to: Self.address(ceremony)) }
            front.ceremonies.update(ceremony.id, browser: visit.browser) {
                $0.other = nil
                $0.opened = nil
            }
            await front.end(secret: other.secret, visit.requestID)
            return PageFence.redirect(to: Self.address(ceremony))
        default: throw Failure(.malformedRequest, "The form has an action that this page does not know.")
        }
    }

    /// The other is the one who is signed in from now on.
    private func goOn(
        _ ceremony: Ceremony, _ other: Ceremony.Other, _ visit: PlatformVisit
    ) async throws(Failure) -> Response {
        front.ceremonies.update(ceremony.id, browser: visit.browser) { $0.other = nil }
        return PageFence.redirect(
            to: Self.address(ceremony),
            cookies: [PlatformVisit.sessionField(other.secret, other.facts, now: front.clock.now())])
    }

    /// Back from a card host with a session that was opened there.
    private func arrived(_ ticket: String, _ visit: PlatformVisit) async throws(Failure) -> Response {
        switch front.ceremonies.arrive(ticket, browser: visit.browser) {
        case .unknown: return front.fault("E19", visit)
        case .repeated(let ceremony): return PageFence.redirect(to: Self.address(ceremony))
        case .foreign(let secret):
            // Somebody led this browser into a login that was begun in another.
            await front.end(secret: secret, visit.requestID)
            return front.fault("F6", visit)
        case .arrived(let ceremony, let other):
            if let old = try await front.session(visit), old.holder != other.facts.holder {
                front.ceremonies.update(ceremony.id, browser: visit.browser) { $0.other = other }
                return PageFence.redirect(to: Self.address(ceremony))
            }
            let field = PlatformVisit.sessionField(other.secret, other.facts, now: front.clock.now())
            return try await finished(ceremony, visit, secret: other.secret, facts: other.facts, cookies: [field])
        }
    }
}

extension PlatformFront {
    /// The cards that count for a request, of those there is a host for.
    func kinds(_ request: AuthorizationRequest, _ client: OAuthClient) -> [CardKind] {
        CardKind.allCases.filter { kind in
            settings.origin(kind) != nil && client.methods.contains(kind.method)
                && (request.methods.isEmpty || request.methods.contains(kind.method))
        }
    }

    /// Where posting a form of a login may lead.
    func targets(_ request: AuthorizationRequest) -> [String] {
        [settings.hpkiOrigin, settings.jpkiOrigin, request.target.uri].compactMap { $0 }
    }
}

extension CardKind {
    /// The same in what core is told.
    var evidence: CardEvidence.Kind {
        switch self {
        case .hpki: .hpki
        case .jpki: .jpki
        }
    }
}
