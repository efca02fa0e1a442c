internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import Signing

/// `POST /v1/validations`: a signed document judged, for a known caller; no key is used.
struct ValidationRoutes {
    let validate: ValidateDocument
    let door: APIDoor

    func add(to router: Router<APIContext>) {
        router.post("/v1/validations") { request, context in try await validation(request, context) }
    }

    private func validation(_ request: Request, _ context: APIContext) async throws -> Response {
        try await door.admitted(request, context) { (token, held) async throws(Failure) -> Response in
            let (fields, origin) = try await door.read(
                request, context, token, held, known: ["document", "content", "format"])
            guard let document = try fields.base64("document") else { throw fields.missing("document") }
            let content = try fields.base64("content")
            let format = try fields.choice("format", ValidateDocument.Format.self) ?? .json
            return try await door.working { () async throws(Failure) in
                let report = try await validate.report(on: document, content: content, as: format, origin)
                return Response(report: report, as: format)
            }
        }
    }
}

extension Response {
    fileprivate init(report: [UInt8], as format: ValidateDocument.Format) {
        var headers: HTTPFields = [.contentType: format.mediaType]
        // A page for people holds no script, and none may be run in it.
        if let policy = HTTPField.Name("Content-Security-Policy") {
            headers[policy] = "default-src 'none'; style-src 'unsafe-inline'"
        }
        self.init(status: .ok, headers: headers, body: ResponseBody(byteBuffer: .init(bytes: report)))
    }
}
