internal import CoreProtocol
internal import HPKI
internal import Hummingbird
internal import Signing

/// The API: a prescription signed, a dispensing result signed, a signature looked up.
struct SigningRoutes {
    let sign: SignDocument
    let door: APIDoor

    func add(to router: Router<APIContext>) {
        router.post("/v1/prescriptions") { request, context in try await prescription(request, context) }
        router.post("/v1/dispensings") { request, context in try await dispensing(request, context) }
        router.get("/v1/signatures/{id}") { request, context in try await signature(request, context) }
        router.get("/v1/signatures/{id}/receipt") { request, context in try await receipt(request, context) }
    }

    private func prescription(_ request: Request, _ context: APIContext) async throws -> Response {
        try await door.admitted(request, context) { (token, held) async throws(Failure) -> Response in
            let (source, origin) = try await door.recorded(.prescription, token, context) {
                () async throws(Failure) -> (UnsignedPrescription, RequestOrigin) in
                let (fields, origin) = try await door.read(
                    request, context, token, held, known: ["csv", "document", "credentialID"]
                )
                switch (try fields.base64("csv"), try fields.base64("document")) {
                case (let csv?, nil): return (.csv(csv), origin)
                case (nil, let document?): return (.document(document), origin)
                default:
                    throw Failure(.malformedRequest, "The body must have either the field csv or the field document.")
                }
            }
            return try await door.working { () async throws(Failure) in
                try await response(sign.prescription(source, origin), origin)
            }
        }
    }

    private func dispensing(_ request: Request, _ context: APIContext) async throws -> Response {
        try await door.admitted(request, context) { (token, held) async throws(Failure) -> Response in
            let (prescription, csv, acknowledged, origin) = try await door.recorded(.dispensing, token, context) {
                () async throws(Failure) -> ([UInt8], [UInt8], [String], RequestOrigin) in
                let (fields, origin) = try await door.read(
                    request, context, token, held, known: ["prescription", "csv", "acknowledge", "credentialID"]
                )
                guard let prescription = try fields.base64("prescription"), let csv = try fields.base64("csv") else {
                    throw Failure(.malformedRequest, "The body must have the fields prescription and csv.")
                }
                return (prescription, csv, try fields.texts("acknowledge", atMost: 32, bytes: 128), origin)
            }
            return try await door.working { () async throws(Failure) in
                try await response(
                    sign.dispensing(prescription: prescription, csv: csv, acknowledged: acknowledged, origin), origin)
            }
        }
    }

    private func signature(_ request: Request, _ context: APIContext) async throws -> Response {
        try await door.admitted(request, context) { (token, _) async throws(Failure) -> Response in
            let id = try Self.signatureID(context)
            return try await door.working { () async throws(Failure) in
                Response(facts: try await sign.lookup(token: token.presented, signature: id, deadline: door.deadline))
            }
        }
    }

    private func receipt(_ request: Request, _ context: APIContext) async throws -> Response {
        try await door.admitted(request, context) { (token, _) async throws(Failure) -> Response in
            let id = try Self.signatureID(context)
            return try await door.working { () async throws(Failure) in
                Response(
                    json: JSONWriter.whole(
                        try await sign.receipt(token: token.presented, signature: id, deadline: door.deadline)))
            }
        }
    }

    private static func signatureID(_ context: APIContext) throws(Failure) -> SignatureID {
        guard let id = context.parameters.get("id").flatMap({ SignatureID($0) }) else {
            throw Failure(.notFound, "No signature of this caller has this identifier.")
        }
        return id
    }

    private func response(_ answer: Answer, _ origin: RequestOrigin) async -> Response {
        Response(answer: answer, evidence: await door.receipt(answer.signature, origin, sign))
    }
}

extension Response {
    fileprivate init(answer: Answer, evidence: [UInt8]?) {
        let document = Base64.encode(answer.document)
        var json = JSONWriter(capacity: document.utf8.count + 4096)
        json.plain("document", document)
        json.plain("signatureId", answer.signature.description)
        json.plain("signedAt", answer.signedAt.rfc3339 ?? "")
        json.object("receipt") { $0.members(of: answer.receipt) }
        if let evidence { json.json("evidence", evidence) }
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

extension JSONWriter {
    /// A receipt's members.
    mutating func members(of receipt: ReceiptFacts) {
        string("origin", receipt.origin)
        integer("sequence", receipt.sequence)
        plain("leaf", Base64.encode(receipt.leaf))
        integer("treeSize", receipt.treeSize)
        plain("rootHash", Hex.encode(receipt.rootHash))
        string("custody", receipt.custody)
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
