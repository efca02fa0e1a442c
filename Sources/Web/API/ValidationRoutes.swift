internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import Signing

/// `POST /v1/validations`: a signed document judged.
///
/// No key is used, so the token is not verified: one must be there, and the client that it names shares the limits of
/// every other request.
struct ValidationRoutes {
    let validate: ValidateDocument
    let admission: Admission
    let limits: WebSettings.Limits

    func add(to router: Router<APIContext>) {
        router.post("/v1/validations") { request, context in try await validation(request, context) }
    }

    private func validation(_ request: Request, _ context: APIContext) async throws(Failure) -> Response {
        let token = try BearerToken(request.headers)
        let key = ClientKey(address: context.peer, client: token.claimedClient)
        try admission.enter(key)
        let held = HeldBytes(admission, address: context.peer)
        defer {
            held.release()
            admission.leave(key)
        }
        guard request.headers.count <= limits.headerCount else {
            throw Failure(.tooManyHeaders, "The request has more than \(limits.headerCount) header fields.")
        }
        try request.requireJSON()
        let fields = try RequestFields(
            try await request.collectBody(limits, held), known: ["document", "content", "format"])
        guard let document = try fields.base64("document") else { throw fields.missing("document") }
        let content = try fields.base64("content")
        var format = ValidateDocument.Format.json
        if let word = try fields.text("format") {
            guard let known = ValidateDocument.Format(rawValue: word) else {
                let words = ValidateDocument.Format.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(.malformedRequest, "The field format must be one of \(words).")
            }
            format = known
        }
        try admission.startWork()
        defer { admission.finishWork() }
        let report = try validate.report(on: document, content: content, as: format)
        var headers: HTTPFields = [.contentType: format.mediaType]
        // A page for people holds no script, and none may be run in it.
        if let policy = HTTPField.Name("Content-Security-Policy") {
            headers[policy] = "default-src 'none'; style-src 'unsafe-inline'"
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: .init(bytes: report)))
    }
}
