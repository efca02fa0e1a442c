internal import HPKI
internal import Hummingbird

/// The help: every message that people may meet, for anybody.
struct HelpRoutes: Sendable {
    let page: PlatformPage
    let admission: Admission

    func add(to router: Router<APIContext>) {
        router.get("/help") { request, context in
            try await admitted(request, context) { (visit) throws(Failure) in
                let fields = try URLFields(visit.query, known: ["q", "lang"])
                return page.help(fields["q"], visit)
            }
        }
        router.get("/help/{id}") { request, context in
            try await admitted(request, context) { (visit) throws(Failure) in
                _ = try URLFields(visit.query, known: ["lang"])
                let id = context.parameters.get("id").flatMap { PercentEncoding.decode($0[...], plus: "+") }
                guard let entry = HelpCatalogue.of(visit.language)[id ?? ""] else {
                    throw Failure(.notFound, "The help has no message of this id.")
                }
                return page.helpEntry(entry, visit)
            }
        }
    }

    private func admitted(
        _ request: Request, _ context: APIContext, _ body: (PageVisit) throws(Failure) -> Response
    ) async throws(Failure) -> Response {
        let key = ClientKey(address: context.peer, client: "help")
        try admission.enter(key)
        defer { admission.leave(key) }
        return try body(PageVisit(request, context.requestID))
    }
}

/// The files of the platform's pages, on the issuer's host and on the card hosts.
struct PlatformAssetRoutes: Sendable {
    func add(to router: Router<APIContext>) {
        router.get("/platform/assets/{name}") { _, context in
            try PageAsset.response(named: context.parameters.get("name") ?? "", among: PlatformAssets.all)
        }
    }
}
