internal import CoreProtocol
internal import HPKI
internal import Hummingbird

/// Makes whole pages: the frame around what a page has to say, and the headers that fence it in.
struct ConsolePage: Sendable {
    let templates: Templates<ConsoleTemplate>

    /// The page as a response; `view` is what the template of that name needs, and `heading` what the window is called.
    func response(
        _ name: ConsoleTemplate, _ visit: ConsoleVisit, heading: String, _ view: View, status: Int = 200
    ) -> Response {
        let isChecked = name == .record
        let frame: View = [
            "t": visit.texts.table, "language": visit.language.rawValue, "title": heading,
            "css": ConsoleAssets.css.path, "icon": ConsoleAssets.icon.path,
            "script": shown(isChecked ? ConsoleAssets.proof.path : nil),
            "languageLinks": visit.page.languageLinks, "hasLanguages": true,
            "person": shown(visit.session.map { person($0, visit) }),
            "navigation": navigation(visit),
            "footText": visit.texts[visit.session?.role == nil ? "footHolder" : "foot"],
        ]
        let html = templates.render(name, frame.merging(view) { $1 })
        return PageFence.page(html, visit.page, status: status, runsScript: isChecked)
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
}
