internal import HPKI
package import Hummingbird

/// Makes the authentication platform's pages.
///
/// Set-Cookie and Location are the routes' to add; `Cache-Control: no-store` comes from the middleware.
package struct PlatformPage: Sendable {
    private let templates: Templates<PlatformTemplate>
    /// Before addresses of the issuer's host: empty on that host, its origin on the card hosts.
    private var issuer = ""

    /// Parses the templates; throws `.templates` naming the first at fault.
    package init() throws(WebError) {
        templates = try Templates()
    }

    /// The same pages as served from a card host, whose help is at `issuer`.
    package func outside(_ issuer: String) -> PlatformPage {
        var page = self
        page.issuer = issuer
        return page
    }

    /// The choice of a way to log in.
    package func login(_ view: LoginView, _ visit: PageVisit, status: Int = 200) -> Response {
        let texts = PlatformTexts.of(visit.language)
        return response(
            .login, visit, heading: texts["loginTitle"],
            [
                "lead": texts.text("loginLead", ["name": view.relyingSystem]),
                "notice": shown(view.notice.map { texts["loginNotice.\($0.rawValue)"] }),
                "wanted": shown(view.wanted), "postTo": view.action, "fields": Self.hidden(view.fields),
                "choices": view.choices.map { choice -> View in
                    [
                        "value": choice.rawValue, "label": texts["method.\(choice.rawValue)"],
                        "hint": texts["methodHint.\(choice.rawValue)"],
                    ]
                },
                "actions": [action(view.cancel, texts["cancel"])].compactMap(\.self),
            ],
            status: status, formTargets: view.formTargets)
    }

    /// A message with its code, cause and next step.
    package func error(_ view: ErrorView, _ visit: PageVisit) -> Response {
        let texts = PlatformTexts.of(visit.language)
        let entry = HelpCatalogue.of(visit.language).shown(view.code)
        let other = HelpCatalogue.of(visit.language.other).shown(view.code)
        let lines = entry.lines(view.card, view.arguments)
        let actions = [
            action(view.retry, texts["retry"], isPrimary: true), action(view.otherMethod, texts["otherMethod"]),
            action(.link(helpLink(entry.id, visit)), texts["openHelp"]),
            action(view.back, backLabel(view.relyingSystem, texts)),
        ]
        return response(
            .fault, visit, heading: lines.first ?? entry.id,
            [
                "message": lines.first ?? entry.id, "more": lines.dropFirst().map { ["text": $0] },
                "other": foreign(other, view.card, view.arguments, visit.language.other),
                "happening": happening(entry.id, view.requestID, view.time, source: view.source),
                "detail": shown(view.detail), "relyingSystem": shown(view.relyingSystem),
                "advice": advice(entry, view.card), "actions": actions.compactMap(\.self),
            ],
            status: view.status, formTargets: view.formTargets)
    }

    /// E18: somebody else is logged in in this browser.
    package func differentUser(_ view: DifferentUserView, _ visit: PageVisit) -> Response {
        let texts = PlatformTexts.of(visit.language)
        let user = ["user": view.signedIn]
        let entry = HelpCatalogue.of(visit.language).shown("E18")
        let other = HelpCatalogue.of(visit.language.other).shown("E18")
        let actions = [
            action(view.switchUser, texts["switchUser"], isPrimary: true),
            action(view.stay, texts.text("stayAs", user)),
            action(.link(helpLink(entry.id, visit)), texts["openHelp"]),
            action(view.back, backLabel(view.relyingSystem, texts)),
        ]
        return response(
            .differentUser, visit, heading: texts["differentUserTitle"],
            [
                "message": entry.lines(nil, user).joined(separator: " "),
                "other": foreign(other, nil, user, visit.language.other), "detail": false,
                "signedIn": view.signedIn, "wanted": shown(view.wanted),
                "relyingSystem": shown(view.relyingSystem),
                "happening": happening(entry.id, view.requestID, view.time),
                "actions": actions.compactMap(\.self),
            ],
            status: 409, formTargets: view.formTargets)
    }

    /// One's own sessions.
    package func sessions(_ view: SessionsView, _ visit: PageVisit) -> Response {
        let texts = PlatformTexts.of(visit.language)
        return response(
            .sessions, visit, heading: texts["sessionsTitle"],
            [
                "subject": view.subject, "notice": shown(view.notice.map { texts["sessionsNotice.\($0.rawValue)"] }),
                "postTo": view.action, "fields": Self.hidden(view.fields),
                "isEmpty": view.sessions.isEmpty, "hasSeveral": view.sessions.count > 1,
                "sessions": view.sessions.map { session -> View in
                    [
                        "id": session.id, "method": texts["method.\(session.method.rawValue)"],
                        "isCurrent": session.isCurrent,
                        "since": JapanTime.view(session.since), "until": JapanTime.view(session.until),
                        "systems": session.relyingSystems.map { ["name": $0] },
                        "hasNoSystem": session.relyingSystems.isEmpty,
                    ]
                },
            ])
    }

    /// After a logout.
    package func signedOut(_ view: SignedOutView, _ visit: PageVisit) -> Response {
        let texts = PlatformTexts.of(visit.language)
        return response(
            .signedOut, visit, heading: texts["signedOutTitle"],
            [
                "hasUntold": !view.untold.isEmpty, "untold": view.untold.map { ["name": $0] },
                "actions": [action(view.back, backLabel(view.relyingSystem, texts), isPrimary: true)].compactMap(
                    \.self),
            ],
            formTargets: view.formTargets)
    }

    /// Asks whether to log out.
    package func logoutConfirm(_ view: LogoutConfirmView, _ visit: PageVisit) -> Response {
        let texts = PlatformTexts.of(visit.language)
        return response(
            .logoutConfirm, visit, heading: texts["logoutTitle"],
            [
                "subject": view.subject, "relyingSystem": shown(view.relyingSystem),
                "actions": [
                    action(view.logout, texts["logoutButton"], isPrimary: true),
                    action(view.stay, texts["logoutStay"]),
                ].compactMap(\.self),
            ],
            formTargets: view.formTargets)
    }

    /// The catalogue of messages, or what was found in it.
    package func help(_ words: String?, _ visit: PageVisit) -> Response {
        let texts = PlatformTexts.of(visit.language)
        let catalogue = HelpCatalogue.of(visit.language)
        let found = words.map(catalogue.search) ?? catalogue.rows
        let tables = HelpEntry.Place.allCases.map { place -> View in
            let entries = found.filter { $0.place == place }
            return [
                "heading": texts["helpPlace.\(place.rawValue)"], "place": place.rawValue,
                "isEmpty": entries.isEmpty,
                "rows": entries.map { entry -> View in
                    [
                        "id": entry.id, "link": helpLink(entry.id, visit),
                        "messages": entry.messages.map { ["text": HelpCatalogue.sample($0.text)] },
                        "makers": makers(entry, texts),
                    ]
                },
            ]
        }
        return response(
            .help, visit, heading: texts["helpTitle"],
            [
                "words": words ?? "", "isSearch": words != nil,
                "allAt": issuer + "/help",
                "count": texts.text("helpCount", ["n": "\(found.count)"]), "isEmpty": found.isEmpty,
                "tables": tables,
            ])
    }

    /// One message of the catalogue.
    package func helpEntry(_ entry: HelpEntry, _ visit: PageVisit) -> Response {
        let texts = PlatformTexts.of(visit.language)
        let other = HelpCatalogue.of(visit.language.other).shown(entry.id)
        let messages = entry.messages.map { HelpCatalogue.sample($0.text) }
        return response(
            .helpEntry, visit, heading: entry.id + " " + (messages.first ?? ""),
            [
                "id": entry.id, "place": texts["helpPlace.\(entry.place.rawValue)"], "makers": makers(entry, texts),
                "messages": messages.map { ["text": $0] },
                "others": other.messages.map { ["text": HelpCatalogue.sample($0.text)] },
                "otherLanguage": visit.language.other.rawValue,
                "isOurs": entry.ours != nil || !entry.shown.isEmpty, "ours": shown(entry.ours),
                "shown": entry.shown.map { ["text": $0.text] }, "advice": advice(entry, nil), "allAt": issuer + "/help",
            ])
    }
}

// MARK: Parts

extension PlatformPage {
    private func response(
        _ template: PlatformTemplate, _ visit: PageVisit, heading: String, _ view: View, status: Int = 200,
        formTargets: [String] = []
    ) -> Response {
        let links = visit.languageLinks
        let frame: View = [
            "t": PlatformTexts.of(visit.language).table, "language": visit.language.rawValue, "title": heading,
            "css": PlatformAssets.css.path, "icon": PlatformAssets.icon.path,
            "languageLinks": links, "hasLanguages": !links.isEmpty, "helpAt": helpLink(nil, visit),
        ]
        let html = templates.render(template, frame.merging(view) { $1 })
        return PageFence.page(html, visit, status: status, formTargets: formTargets)
    }

    /// The help, or its entry `id`; whoever comes from another host keeps the language.
    private func helpLink(_ id: String?, _ visit: PageVisit) -> String {
        let path = "/help" + (id.map { "/" + URLFields.encoded($0) } ?? "")
        return issuer.isEmpty ? path : issuer + path + "?lang=" + visit.language.rawValue
    }

    private func backLabel(_ relyingSystem: String?, _ texts: Texts) -> String {
        relyingSystem.map { texts.text("backTo", ["name": $0]) } ?? texts["back"]
    }

    private func action(_ action: PageAction?, _ label: String, isPrimary: Bool = false) -> View? {
        switch action {
        case nil: nil
        case .link(let address):
            ["link": address, "form": false, "label": label, "isPrimary": isPrimary]
        case .form(let address, let fields):
            [
                "link": false, "label": label, "isPrimary": isPrimary,
                "form": ["postTo": address, "fields": Self.hidden(fields)] as View,
            ]
        }
    }

    private static func hidden(_ fields: [(name: String, value: String)]) -> [View] {
        fields.map { ["name": $0.name, "value": $0.value] }
    }

    /// A message in the other language: help desk and holder may not read the same one.
    private func foreign(
        _ entry: HelpEntry, _ card: CardKind?, _ arguments: [String: String], _ language: Language
    ) -> View {
        ["text": entry.lines(card, arguments).joined(separator: " "), "code": language.rawValue]
    }

    private func happening(
        _ code: String, _ requestID: String, _ time: Instant, source: String? = nil
    ) -> View {
        ["code": code, "time": JapanTime.view(time), "requestID": requestID, "source": shown(source)]
    }

    private func advice(_ entry: HelpEntry, _ card: CardKind?) -> View {
        [
            "causes": entry.causes.filter { $0.fits(card) }.map { ["text": $0.text] },
            "steps": entry.steps.filter { $0.fits(card) }.map { ["text": $0.text] },
        ]
    }

    private func makers(_ entry: HelpEntry, _ texts: Texts) -> [View] {
        entry.makers.map { ["label": texts["helpMaker.\($0.rawValue)"]] }
    }
}
