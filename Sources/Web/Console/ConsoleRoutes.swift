internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird

/// The reviewer's console: each page asks core one question, and core decides who may ask it.
struct ConsoleRoutes: Sendable {
    let door: ConsoleDoor
    let page: ConsolePage

    func add(to router: Router<APIContext>) {
        let group = router.group("/console")
        SignIn(door: door, page: page).add(to: group)
        group.get("assets/{name}") { _, context in
            try ConsoleAssets.response(named: context.parameters.get("name") ?? "")
        }
        addSearch(to: group)
        addSubjects(to: group)
        addStanding(to: group)
    }

    private func addSearch(to group: RouterGroup<APIContext>) {
        group.get("search") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                let search = try SearchFilter(
                    try URLFields(visit.query, known: SearchFilter.names.union(["before", "lang"])))
                let before = try Self.number("before", search.fields)
                let question = ReviewQuestion.search(search.filter, before: before, limit: SearchPage.pageSize)
                guard case .page(let found) = try await ask(question, session, visit) else {
                    throw ConsoleDoor.unexpected
                }
                let view = SearchPage(
                    search: search, isFirst: before == nil, found: found, session: session, words: RecordWords(visit)
                ).view
                return page.response(.search, visit, heading: visit.texts["searchTitle"], view)
            }
        }
        group.post("export") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                let fields = try await door.form(
                    request, context, expected: session.formToken, known: SearchFilter.names.union(["format"]))
                guard let format = fields["format"].flatMap(ConsoleExport.Format.init) else {
                    throw Failure(.malformedRequest, "The format is not one of those offered.")
                }
                let rows = try await all(try SearchFilter(fields).filter, session, visit)
                return ConsoleExport(format: format, rows: rows).response
            }
        }
        group.get("records/{sequence}") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                _ = try URLFields(visit.query, known: ["lang"])
                guard let sequence = context.parameters.get("sequence").flatMap(UInt64.init) else {
                    throw Failure(.notFound, "A record has a number.")
                }
                guard case .record(let facts) = try await ask(.record(sequence), session, visit) else {
                    throw ConsoleDoor.unexpected
                }
                let one = OneRecordPage(facts: facts, words: RecordWords(visit))
                return page.response(.record, visit, heading: one.heading, one.view)
            }
        }
    }

    private func addSubjects(to group: RouterGroup<APIContext>) {
        group.get("keys/{credential}") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                _ = try URLFields(visit.query, known: ["lang"])
                guard let id = Self.identifier("credential", context).flatMap(CredentialID.init) else {
                    throw Failure(.notFound, "No key has such an id.")
                }
                guard case .key(let review) = try await ask(.key(id), session, visit) else {
                    throw ConsoleDoor.unexpected
                }
                let one = KeyPage(review: review, now: door.clock.now(), words: RecordWords(visit))
                return page.response(.key, visit, heading: one.heading, one.view)
            }
        }
        group.get("holders/{holder}") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                _ = try URLFields(visit.query, known: ["lang"])
                guard let id = Self.identifier("holder", context).flatMap(HolderID.init) else {
                    throw Failure(.notFound, "No holder has such an id.")
                }
                guard case .holder(let review) = try await ask(.holder(id), session, visit) else {
                    throw ConsoleDoor.unexpected
                }
                let one = HolderPage(review: review, words: RecordWords(visit))
                return page.response(.holder, visit, heading: one.heading, one.view)
            }
        }
        group.get("find") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                let fields = try URLFields(visit.query, known: ["key", "holder", "lang"])
                guard session.role?.mayAsk(.key) == true else {
                    throw Failure(.denied, "This role sees no key and no holder.")
                }
                if let key = fields["key"] {
                    return PageFence.redirect(to: "/console/keys/" + URLFields.encoded(key))
                }
                if let holder = fields["holder"] {
                    return PageFence.redirect(to: "/console/holders/" + URLFields.encoded(holder))
                }
                let forms = [("key", "findKey"), ("holder", "findHolder")].map { name, text -> View in
                    ["name": name, "label": visit.texts[text]]
                }
                return page.response(.find, visit, heading: visit.texts["findTitle"], ["forms": forms])
            }
        }
        group.get("my-key") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                guard session.role == nil else {
                    throw Failure(.denied, "This page is for holders; reviewers find a holder's uses by the search.")
                }
                let before = try Self.number("before", try URLFields(visit.query, known: ["before", "lang"]))
                let question = ReviewQuestion.myUses(before: before, limit: SearchPage.pageSize)
                guard case .page(let found) = try await ask(question, session, visit) else {
                    throw ConsoleDoor.unexpected
                }
                let view = UsesPage(isFirst: before == nil, found: found, words: RecordWords(visit)).view
                return page.response(.uses, visit, heading: visit.texts["usesTitle"], view)
            }
        }
    }

    private func addStanding(to group: RouterGroup<APIContext>) {
        group.get("") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                guard session.role != nil else { return PageFence.redirect(to: "/console/my-key") }
                let span = try ConsoleSpan.reading(try URLFields(visit.query, known: ["period", "lang"]))
                let (from, to) = span.bounds(door.clock.now())
                let question = ReviewQuestion.overview(from: from, to: to, step: span.shape.step)
                guard case .overview(let facts) = try await ask(question, session, visit) else {
                    throw ConsoleDoor.unexpected
                }
                let view = OverviewPage(facts: facts, span: span, words: RecordWords(visit)).view
                return page.response(.overview, visit, heading: visit.texts["overviewTitle"], view)
            }
        }
        group.get("anomalies") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                let fields = try URLFields(visit.query, known: ["period", "before", "lang"])
                let span = try ConsoleSpan.reading(fields)
                let before = try Self.number("before", fields)
                let (from, to) = span.bounds(door.clock.now())
                let question = ReviewQuestion.anomalies(
                    from: from, to: to, before: before, limit: AnomaliesPage.pageSize)
                guard case .anomalies(let found) = try await ask(question, session, visit) else {
                    throw ConsoleDoor.unexpected
                }
                let view = AnomaliesPage(
                    page: found, span: span, isFirst: before == nil, words: RecordWords(visit)
                ).view
                return page.response(.anomalies, visit, heading: visit.texts["anomaliesTitle"], view)
            }
        }
        group.get("policies") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                _ = try URLFields(visit.query, known: ["lang"])
                guard case .policies(let review) = try await ask(.policies, session, visit) else {
                    throw ConsoleDoor.unexpected
                }
                let view = PoliciesPage(review: review, words: RecordWords(visit)).view
                return page.response(.policies, visit, heading: visit.texts["policiesTitle"], view)
            }
        }
        group.get("log") { request, context in
            try await door.signedIn(request, context) { (visit, session) async throws(Failure) in
                _ = try URLFields(visit.query, known: ["lang"])
                guard case .head(let facts) = try await ask(.head, session, visit) else { throw ConsoleDoor.unexpected }
                let view = LogPage(facts: facts, words: RecordWords(visit)).view
                return page.response(.log, visit, heading: visit.texts["logTitle"], view)
            }
        }
    }

    private func ask(
        _ question: ReviewQuestion, _ session: ConsoleSessions.Session, _ visit: ConsoleVisit
    ) async throws(Failure) -> ReviewReply {
        try await door.ask(question, token: session.token, visit.requestID)
    }

    /// Every record that fits, a hundred at a time, up to the export's limit.
    private func all(
        _ filter: AuditFilter, _ session: ConsoleSessions.Session, _ visit: ConsoleVisit
    ) async throws(Failure) -> [RecordRow] {
        var rows: [RecordRow] = []
        var before: UInt64?
        repeat {
            let question = ReviewQuestion.search(filter, before: before, limit: UInt16(ReviewLimits.page))
            guard case .page(let found) = try await ask(question, session, visit) else { throw ConsoleDoor.unexpected }
            rows += found.rows
            before = found.next
        } while before != nil && rows.count < ConsoleExport.limit
        return Array(rows.prefix(ConsoleExport.limit))
    }

    private static func number(_ name: String, _ fields: URLFields) throws(Failure) -> UInt64? {
        guard let text = fields[name] else { return nil }
        guard let number = UInt64(text) else {
            throw Failure(.malformedRequest, "The field \(name) must be a number.")
        }
        return number
    }

    /// A part of the address, its percent-encoding resolved.
    private static func identifier(_ name: String, _ context: APIContext) -> String? {
        context.parameters.get(name).flatMap { PercentEncoding.decode($0[...], plus: "+") }
    }
}
