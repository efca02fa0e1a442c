internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird

/// The development sign-in: whoever brings a token that core accepts has a session; and the way out.
struct SignIn: Sendable {
    let door: ConsoleDoor
    let page: ConsolePage

    /// A holder's session, whose token says when it ends only to core, which judges it anew with each request.
    private static let holderSeconds: Int64 = 3600

    func add(to group: RouterGroup<APIContext>) {
        group.get("sign-in") { request, context in
            try await door.admitted(request, context) { (visit) async throws(Failure) in
                let fields = try URLFields(visit.query, known: ["to", "ended", "out", "lang"])
                let notice = fields["ended"] != nil ? "signInEnded" : fields["out"] != nil ? "signInDone" : nil
                return form(visit, to: ConsoleVisit.safePlace(fields["to"]), notice: notice)
            }
        }
        group.post("sign-in") { request, context in
            try await door.admitted(request, context) { (visit) async throws(Failure) in
                let fields = try await door.form(
                    request, context, expected: visit.formName, known: ["to", "token"])
                return try await begin(visit, fields)
            }
        }
        group.post("sign-out") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                _ = try await door.form(request, context, expected: session.formToken, known: [])
                if let name = visit.sessionName { door.sessions.end(name) }
                return PageFence.redirect(to: "/console/sign-in?out=1", cookies: [Self.noSession])
            }
        }
    }

    /// Where a request without a session is led to.
    static func redirect(_ visit: ConsoleVisit, hasEnded: Bool) -> Response {
        let pairs: [(String, String?)] = [
            ("to", ConsoleVisit.safePlace(visit.place).flatMap { $0 == "/console" ? nil : $0 }),
            ("ended", hasEnded ? "1" : nil),
        ]
        let query = URLFields.query(pairs)
        return PageFence.redirect(
            to: "/console/sign-in" + (query.isEmpty ? "" : "?" + query), cookies: hasEnded ? [noSession] : [])
    }

    private static let noSession = PageCookies.field(ConsoleVisit.sessionCookie, "", seconds: 0)

    private func begin(_ visit: ConsoleVisit, _ fields: URLFields) async throws(Failure) -> Response {
        let place = ConsoleVisit.safePlace(fields["to"])
        do {
            let token = try BearerToken([.authorization: "Bearer " + (fields["token"] ?? "")])
            let person = try await identify(token, visit)
            // Nobody keeps a name that was known before they signed in.
            if let old = visit.sessionName { door.sessions.end(old) }
            let name = door.sessions.begin(
                token: token.text, issuer: person.issuer, subject: person.subject, role: person.role,
                seconds: person.seconds)
            let home = person.role == nil ? "/console/my-key" : "/console"
            return PageFence.redirect(
                to: place ?? home, cookies: [PageCookies.field(ConsoleVisit.sessionCookie, name)])
        } catch {
            guard [400, 401, 403].contains(FailureTable.row(error.kind).status) else { throw error }
            return form(visit, to: place, notice: "signInRefused", failure: error)
        }
    }

    /// A reviewer with a role, or a holder who may ask of their own keys.
    private func identify(
        _ token: BearerToken, _ visit: ConsoleVisit
    ) async throws(Failure) -> (issuer: String, subject: String, role: ReviewerRole?, seconds: Int64) {
        let refusal: Failure
        do throws(Failure) {
            guard case .me(let facts) = try await door.ask(.me, token: token.text, visit.requestID) else {
                throw ConsoleDoor.unexpected
            }
            return (facts.issuer, facts.subject, facts.role, facts.until.seconds - door.clock.now().seconds)
        } catch {
            guard [401, 403].contains(FailureTable.row(error.kind).status) else { throw error }
            refusal = error
        }
        do {
            _ = try await door.ask(.myUses(before: nil, limit: 1), token: token.text, visit.requestID)
        } catch {
            // What core said of a reviewer's token is what a reviewer needs to know.
            throw [401, 403].contains(FailureTable.row(error.kind).status) ? refusal : error
        }
        return ("", token.claimedSubject, nil, Self.holderSeconds)
    }

    private func form(
        _ visit: ConsoleVisit, to place: String?, notice: String?, failure: Failure? = nil
    ) -> Response {
        let formName = visit.formName ?? Hex.encode(door.random.bytes(32))
        var response = page.response(
            .signIn, visit, heading: visit.texts["signInTitle"],
            [
                "formToken": formName, "to": place ?? "",
                "command": "shirushi token --home var/run/home --reviewer auditor",
                "notice": shown(
                    notice.map { notice -> View in
                        [
                            "isFault": failure != nil, "head": visit.texts[notice],
                            "next": notice == "signInDone" ? "" : visit.texts[notice + "Next"],
                            "detail": shown(failure?.detail),
                        ]
                    }),
            ],
            status: failure.map { FailureTable.row($0.kind).status } ?? 200)
        response.headers.append(
            HTTPField(name: .setCookie, value: PageCookies.field(ConsoleVisit.formCookie, formName)))
        return response
    }
}

extension BearerToken {
    /// The subject that the token claims; for show alone.
    fileprivate var claimedSubject: String {
        let parts = text.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].utf8.count <= 8192, let payload = Base64URL.decode(parts[1]),
            let claims = try? JSONReader.object(payload), case .string(let subject)? = claims["sub"]
        else { return "" }
        return String(decoding: subject.prefix(256), as: UTF8.self)
    }
}
