internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Host
internal import Hummingbird
internal import Signing

/// The API: a prescription signed, a dispensing result signed, a signature looked up.
struct SigningRoutes {
    let sign: SignDocument
    let core: any CoreCalling
    let admission: Admission
    let limits: WebSettings.Limits
    let failpoint: Failpoint

    func add(to router: Router<APIContext>) {
        router.post("/v1/prescriptions") { request, context in try await prescription(request, context) }
        router.post("/v1/dispensings") { request, context in try await dispensing(request, context) }
        router.get("/v1/signatures/{id}") { request, context in try await signature(request, context) }
    }

    private func prescription(_ request: Request, _ context: APIContext) async throws -> Response {
        try await admitted(request, context) { (token, held) async throws(Failure) -> Response in
            let (source, origin) = try await recorded(.prescription, token, context) {
                () async throws(Failure) -> (UnsignedPrescription, RequestOrigin) in
                let (fields, origin) = try await read(
                    request, context, token, held, known: ["csv", "document", "credentialID"]
                )
                switch (try fields.base64("csv"), try fields.base64("document")) {
                case (let csv?, nil): return (.csv(csv), origin)
                case (nil, let document?): return (.document(document), origin)
                default:
                    throw Failure(.malformedRequest, "The body must have either the field csv or the field document.")
                }
            }
            return try await working { () async throws(Failure) in
                Response(answer: try await sign.prescription(source, origin))
            }
        }
    }

    private func dispensing(_ request: Request, _ context: APIContext) async throws -> Response {
        try await admitted(request, context) { (token, held) async throws(Failure) -> Response in
            let (prescription, csv, acknowledged, origin) = try await recorded(.dispensing, token, context) {
                () async throws(Failure) -> ([UInt8], [UInt8], [String], RequestOrigin) in
                let (fields, origin) = try await read(
                    request, context, token, held, known: ["prescription", "csv", "acknowledge", "credentialID"]
                )
                guard let prescription = try fields.base64("prescription"), let csv = try fields.base64("csv") else {
                    throw Failure(.malformedRequest, "The body must have the fields prescription and csv.")
                }
                return (prescription, csv, try fields.texts("acknowledge", atMost: 32, bytes: 128), origin)
            }
            return try await working { () async throws(Failure) in
                Response(
                    answer: try await sign.dispensing(
                        prescription: prescription, csv: csv, acknowledged: acknowledged, origin
                    )
                )
            }
        }
    }

    private func signature(_ request: Request, _ context: APIContext) async throws -> Response {
        try await admitted(request, context) { (token, _) async throws(Failure) -> Response in
            guard let id = context.parameters.get("id").flatMap({ SignatureID($0) }) else {
                throw Failure(.notFound, "No signature of this caller has this identifier.")
            }
            return try await working { () async throws(Failure) in
                Response(facts: try await sign.lookup(token: token.text, signature: id, deadline: deadline))
            }
        }
    }

    // MARK: What every route does

    /// Reads the token and counts the request in and out, before any of its body is read.
    private func admitted(
        _ request: Request, _ context: APIContext,
        _ body: (BearerToken, HeldBytes) async throws(Failure) -> Response
    ) async throws(Failure) -> Response {
        let token = try BearerToken(request.headers)
        let key = ClientKey(address: context.peer, client: token.claimedClient)
        try admission.enter(key)
        let held = HeldBytes(admission, address: context.peer)
        defer {
            held.release()
            admission.leave(key)
        }
        return try await body(token, held)
    }

    /// Tells core of what front refuses here, so that it is recorded where the token makes a known caller.
    ///
    /// What core says to that comes first: a token that is none, or an audit that cannot be written.
    private func recorded<Value>(
        _ form: DocumentForm, _ token: BearerToken, _ context: APIContext,
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        do {
            return try await body()
        } catch {
            guard error.kind != .overloaded, error.kind != .tooManyRequests else { throw error }
            try admission.startWork()
            defer { admission.finishWork() }
            let notice = RefusalNotice(
                requestID: context.requestID, token: token.text, form: form, kind: error.kind
            )
            _ = try await core.call(.refuse(notice), deadline: deadline)
            throw error
        }
    }

    /// Takes a place among the work in hand while `body` runs.
    private func working(_ body: () async throws(Failure) -> Response) async throws(Failure) -> Response {
        try admission.startWork()
        defer { admission.finishWork() }
        failpoint.pass("front.accepted")
        let response = try await body()
        failpoint.pass("front.before-answer")
        return response
    }

    private func read(
        _ request: Request, _ context: APIContext, _ token: BearerToken, _ held: HeldBytes, known: [String]
    ) async throws(Failure) -> (RequestFields, RequestOrigin) {
        guard request.headers.count <= limits.headerCount else {
            throw Failure(.tooManyHeaders, "The request has more than \(limits.headerCount) header fields.")
        }
        try request.requireJSON()
        let key = try Self.idempotencyKey(request.headers)
        let fields = try RequestFields(try await request.collectBody(limits, held), known: known)
        var credential: CredentialID?
        if let text = try fields.text("credentialID") {
            credential = CredentialID(text)
            if credential == nil {
                throw Failure(.malformedRequest, "The field credentialID must be 1 to 64 printable ASCII characters.")
            }
        }
        return (
            fields,
            RequestOrigin(
                requestID: context.requestID, token: token.text, credential: credential, idempotencyKey: key,
                deadline: deadline
            )
        )
    }

    private var deadline: UInt64 { Monotonic.now + UInt64(limits.answerSeconds) * 1_000_000_000 }

    private static func idempotencyKey(_ headers: HTTPFields) throws(Failure) -> String? {
        let fields = headers[values: .idempotencyKey]
        guard let key = fields.first else { return nil }
        guard fields.count == 1, (1...255).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw Failure(
                .invalidIdempotencyKey, "There must be one Idempotency-Key of 1 to 255 printable ASCII characters."
            )
        }
        return key
    }
}

extension Response {
    fileprivate init(answer: Answer) {
        let document = Base64.encode(answer.document)
        var json = JSONWriter(capacity: document.utf8.count + 4096)
        json.plain("document", document)
        json.plain("signatureId", answer.signature.description)
        json.plain("signedAt", answer.signedAt.rfc3339 ?? "")
        json.object("receipt") { receipt in
            let facts = answer.receipt
            receipt.string("origin", facts.origin)
            receipt.integer("sequence", facts.sequence)
            receipt.plain("leaf", Base64.encode(facts.leaf))
            receipt.integer("treeSize", facts.treeSize)
            receipt.plain("rootHash", Hex.encode(facts.rootHash))
            receipt.string("custody", facts.custody)
        }
        self.init(json: json.finish())
    }

    fileprivate init(facts: SignatureFacts) {
        var json = JSONWriter(capacity: 1024)
        json.plain("signatureId", facts.signature.description)
        json.plain("state", facts.state.name)
        json.plain("form", facts.form.rawValue)
        json.plain("digestAlgorithm", facts.digest.algorithm.rawValue)
        json.plain("digest", facts.digest.hex)
        json.plain("signedAt", facts.signedAt.rfc3339 ?? "")
        json.string("credentialID", facts.credential.description)
        json.string("rule", facts.rule)
        json.integer("intent", facts.intent)
        if let outcome = facts.outcome { json.integer("outcome", outcome) }
        self.init(json: json.finish())
    }
}

extension SignatureFacts.State {
    fileprivate var name: String {
        switch self {
        case .open: "open"
        case .signed: "signed"
        case .failed: "failed"
        case .unknown: "unknown"
        }
    }
}
