internal import CoreProtocol
internal import HPKI
internal import Hummingbird
internal import Logging
internal import Signing

/// Baseline signatures over documents of any kind, or over their digests alone.
struct SignatureRoutes {
    let sign: SignDocument
    let door: APIDoor

    func add(to router: Router<APIContext>) {
        router.post("/v1/signatures") { request, context in try await signatures(request, context) }
        router.post("/v1/augmentations") { request, context in try await augmentation(request, context) }
    }

    private func signatures(_ request: Request, _ context: APIContext) async throws -> Response {
        try await door.admitted(request, context) { (token, held) async throws(Failure) -> Response in
            let (order, origin) = try await door.recorded(.other, token, context) {
                () async throws(Failure) -> (SignatureOrder, RequestOrigin) in
                let (fields, origin) = try await door.read(request, context, token, held, known: SignatureOrder.known)
                return (try SignatureOrder(fields), origin)
            }
            return try await door.working { () async throws(Failure) in
                let results = try await sign(order, origin)
                // What fails all of them alike, such as a token that has expired, is the answer to the request.
                let failures = results.compactMap(\.failure)
                if failures.count == results.count, Set(failures.map(\.kind)).count == 1, let first = failures.first {
                    throw first
                }
                log(failures, context)
                var evidence: [SignatureID: [UInt8]] = [:]
                for case .success(let answer) in results {
                    evidence[answer.signature] = await door.receipt(answer.signature, origin, sign)
                }
                return Response(results: results, evidence: evidence, requestID: context.requestID)
            }
        }
    }

    private func augmentation(_ request: Request, _ context: APIContext) async throws -> Response {
        try await door.admitted(request, context) { (token, held) async throws(Failure) -> Response in
            let (fields, origin) = try await door.read(
                request, context, token, held, known: ["signature", "level", "content", "name"])
            guard let bytes = try fields.base64("signature") else { throw fields.missing("signature") }
            let order = AugmentationOrder(
                signature: bytes, level: try fields.choice("level", SignatureLevel.self) ?? .bT,
                content: try fields.base64("content"), name: try fields.text("name"))
            return try await door.working { () async throws(Failure) in
                let raised = try await sign.augment(order, origin)
                let text = Base64.encode(raised)
                var json = JSONWriter(capacity: text.utf8.count + 256)
                json.plain("signature", text)
                json.plain("level", order.level.rawValue)
                return Response(json: json.finish())
            }
        }
    }

    /// Causes reach the operator as those of whole requests do.
    private func log(_ failures: [Failure], _ context: APIContext) {
        for failure in failures {
            var metadata: Logger.Metadata = [
                "id": .string(context.requestID), "failure": .string(FailureTable.row(failure.kind).slug),
            ]
            if let rule = failure.rule { metadata["rule"] = .string(rule) }
            if let cause = failure.cause { metadata["cause"] = .string(cause) }
            context.logger.info("a document of the request was not signed", metadata: metadata)
        }
    }
}

extension SignatureOrder {
    static let known = [
        "format", "packaging", "level", "form", "signatureAlgorithm", "documents", "documentDigests", "acknowledge",
        "credentialID",
    ]

    /// Reads the fields of a body.
    init(_ fields: RequestFields) throws(Failure) {
        let form = try fields.choice("form", DocumentForm.self) ?? .other
        self.init(
            form: form, packaging: try Self.packaging(fields, form),
            level: try fields.choice("level", SignatureLevel.self) ?? .bB,
            algorithm: try fields.choice("signatureAlgorithm", SignatureAlgorithm.self),
            acknowledged: try fields.texts("acknowledge", atMost: 32, bytes: 128), items: try Self.items(fields)
        )
    }

    private static func packaging(_ fields: RequestFields, _ form: DocumentForm) throws(Failure) -> Packaging {
        guard form == .other else {
            guard !fields.has("format"), !fields.has("packaging") else {
                throw Failure(.malformedRequest, "Prescriptions and dispensing results have no format or packaging.")
            }
            return .ofForm
        }
        switch try fields.text("format") {
        case "xades": return .xades(try fields.choice("packaging", Packaging.XAdES.self) ?? .enveloped)
        case "cades": return .cades(try fields.choice("packaging", Packaging.CAdES.self) ?? .detached)
        default: throw Failure(.malformedRequest, "The field format must be xades or cades.")
        }
    }

    private static func items(_ fields: RequestFields) throws(Failure) -> [Item] {
        let words = ["name", "elementId", "mimeType"]
        switch (fields.has("documents"), fields.has("documentDigests")) {
        case (true, false):
            var items: [Item] = []
            for each in try fields.objects("documents", atMost: itemLimit, known: ["document"] + words) {
                guard let bytes = try each.base64("document") else { throw each.missing("document") }
                items.append(try Item(.document(bytes), each))
            }
            return items
        case (false, true):
            var items: [Item] = []
            let known = ["digest", "digestAlgorithm"] + words
            for each in try fields.objects("documentDigests", atMost: itemLimit, known: known) {
                let algorithm = try each.choice("digestAlgorithm", DigestAlgorithm.self) ?? .sha256
                guard let bytes = try each.base64("digest") else { throw each.missing("digest") }
                guard let digest = Digest(algorithm: algorithm, bytes: bytes) else {
                    throw Failure(
                        .malformedRequest,
                        "The field \(each.path("digest")) must have \(algorithm.byteCount) bytes for \(algorithm.rawValue)."
                    )
                }
                items.append(try Item(.digest(digest), each))
            }
            return items
        default:
            throw Failure(.malformedRequest, "The body must have either documents or documentDigests.")
        }
    }
}

extension SignatureOrder.Item {
    fileprivate init(_ source: Source, _ fields: RequestFields) throws(Failure) {
        self.init(
            source: source, name: try fields.text("name"), elementID: try fields.text("elementId"),
            mimeType: try fields.text("mimeType"))
    }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}

extension Response {
    fileprivate init(results: [Result<SignatureAnswer, Failure>], evidence: [SignatureID: [UInt8]], requestID: String) {
        let size = results.reduce(0) { $0 + (((try? $1.get())?.bytes.count ?? 0) * 4 / 3) + 4096 }
        var json = JSONWriter(capacity: size)
        json.objects("signatures", results) { json, result in
            switch result {
            case .success(let answer):
                json.plain("signature", Base64.encode(answer.bytes))
                json.plain("level", answer.level.rawValue)
                json.plain("signatureAlgorithm", answer.algorithm.rawValue)
                json.plain("signatureId", answer.signature.description)
                json.plain("signedAt", answer.signedAt.rfc3339 ?? "")
                json.object("receipt") { $0.members(of: answer.receipt) }
                if let receipt = evidence[answer.signature] { json.json("evidence", receipt) }
            case .failure(let failure):
                json.object("problem") {
                    Problem.write(failure, FailureTable.row(failure.kind), requestID, to: &$0)
                }
            }
        }
        self.init(json: json.finish())
    }
}
