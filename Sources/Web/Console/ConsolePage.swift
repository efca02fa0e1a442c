internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Makes whole pages: the frame around what a page has to say, and the headers that fence it in.
struct ConsolePage: Sendable {
    let templates: PageTemplates

    /// The page as a response; `view` is what the template of that name needs, and `heading` what the window is called.
    func response(
        _ name: PageTemplates.Name, _ visit: ConsoleVisit, heading: String, _ view: View, status: Int = 200
    ) -> Response {
        let isChecked = name == .record
        let frame: View = [
            "t": visit.texts.table, "language": visit.language.rawValue, "title": heading,
            "css": ConsoleAssets.css.path, "icon": ConsoleAssets.icon.path,
            "script": shown(isChecked ? ConsoleAssets.proof.path : nil),
            "languageLinks": Language.allCases.map { language -> View in
                [
                    "link": visit.link(in: language), "code": language.rawValue, "name": language.name,
                    "isCurrent": language == visit.language,
                ]
            },
            "person": shown(visit.session.map { person($0, visit) }),
            "navigation": navigation(visit),
            "footText": visit.texts[visit.session?.role == nil ? "footHolder" : "foot"],
        ]
        let html = templates.render(name, frame.merging(view) { $1 })
        var headers: HTTPFields = [.contentType: "text/html; charset=utf-8"]
        headers.append(contentsOf: Self.fence(runsScript: isChecked))
        if visit.choosesLanguage {
            headers.append(
                HTTPField(
                    name: .setCookie,
                    value: ConsoleVisit.setCookie(
                        ConsoleVisit.languageCookie, visit.language.rawValue, seconds: 31_536_000)))
        }
        return Response(
            status: HTTPResponse.Status(code: status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: html))
        )
    }

    private func person(_ session: ConsoleSessions.Session, _ visit: ConsoleVisit) -> View {
        [
            "subject": session.subject, "role": visit.texts.word("role", session.role?.rawValue ?? "holder"),
            "formToken": session.formToken,
        ]
    }

    /// Only doors that open: `ReviewerRole.mayAsk` says which.
    private func navigation(_ visit: ConsoleVisit) -> [View] {
        guard let session = visit.session else { return [] }
        let doors: [(kind: ReviewQuestion.Kind, path: String, text: String)] = [
            (.overview, "/console", "navOverview"), (.search, "/console/search", "navSearch"),
            (.anomalies, "/console/anomalies", "navAnomalies"), (.key, "/console/find", "navFind"),
            (.policies, "/console/policies", "navPolicies"), (.head, "/console/log", "navLog"),
            (.myUses, "/console/my-key", "navUses"),
        ]
        return doors.filter { door in
            guard let role = session.role else { return door.kind == .myUses }
            return role.mayAsk(door.kind)
        }.map { ["link": $0.path, "label": visit.texts[$0.text], "isCurrent": $0.path == visit.path] }
    }

    /// No page loads anything but our own style, icon and, on a record's page, the check of its proof.
    static func fence(runsScript: Bool) -> HTTPFields {
        let script = runsScript ? "'self'" : "'none'"
        return [
            .contentSecurityPolicy: """
            default-src 'none'; style-src 'self'; img-src 'self'; script-src \(script); form-action 'self'; \
            base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'
            """,
            .referrerPolicy: "same-origin",
            .crossOriginOpenerPolicy: "same-origin",
            .crossOriginResourcePolicy: "same-origin",
            .permissionsPolicy: "camera=(), geolocation=(), microphone=(), payment=()",
            .xFrameOptions: "DENY",
        ]
    }

    /// An answer that leads elsewhere.
    static func redirect(to place: String, cookies: [String] = []) -> Response {
        var headers: HTTPFields = [.location: place]
        headers.append(contentsOf: fence(runsScript: false))
        for cookie in cookies { headers.append(HTTPField(name: .setCookie, value: cookie)) }
        return Response(status: .seeOther, headers: headers)
    }
}
