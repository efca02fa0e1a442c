internal import HPKI
internal import HTTPTypes
internal import Host
internal import Hummingbird
internal import Signing

/// Time stamps for callers whose documents stay at home: a digest in, a time-stamp token out.
struct TimestampRoutes {
    private static let digestBytes = 64
    private static let policyBytes = 128

    let stamp: StampDigest
    let admission: Admission
    let limits: WebSettings.Limits

    func add(to router: Router<APIContext>) {
        router.post("/v1/timestamps") { request, context in try await timestamp(request, context) }
    }

    private func timestamp(_ request: Request, _ context: APIContext) async throws(Failure) -> Response {
        let token = try BearerToken(request.headers)
        let key = ClientKey(address: context.peer, client: token.claimedClient)
        try admission.enter(key)
        let held = HeldBytes(admission, address: context.peer)
        defer {
            held.release()
            admission.leave(key)
        }
        let (digest, policy) = try await read(request, held)
        try admission.startWork()
        defer { admission.finishWork() }
        return Response(
            stamped: try await stamp(
                digest, policy: policy, token: token.text,
                deadline: Monotonic.now + UInt64(limits.answerSeconds) * 1_000_000_000))
    }

    private func read(_ request: Request, _ held: HeldBytes) async throws(Failure) -> (Digest, policy: String?) {
        guard request.headers.count <= limits.headerCount else {
            throw Failure(.tooManyHeaders, "The request has more than \(limits.headerCount) header fields.")
        }
        try request.requireJSON()
        let fields = try RequestFields(
            try await request.collectBody(limits, held), known: ["digest", "digestAlgorithm", "policy"])
        let bytes = try fields.requiredBase64("digest", atMost: Self.digestBytes)
        guard let algorithm = DigestAlgorithm(rawValue: try fields.requiredText("digestAlgorithm")) else {
            let names = DigestAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.malformedRequest, "The field digestAlgorithm must be one of \(names).")
        }
        guard let digest = Digest(algorithm: algorithm, bytes: bytes) else {
            throw Failure(
                .malformedRequest,
                "A digest by \(algorithm.rawValue) has \(algorithm.byteCount) bytes, not \(bytes.count).")
        }
        let policy = try fields.text("policy")
        if let policy, policy.utf8.count > Self.policyBytes || !ObjectIdentifierText.isValid(policy) {
            throw Failure(.malformedRequest, "The field policy must be an object identifier in dotted decimal.")
        }
        return (digest, policy)
    }
}

extension Response {
    fileprivate init(stamped: StampedDigest) {
        var json = JSONWriter(capacity: 8192)
        json.plain("token", Base64.encode(stamped.token))
        json.plain("time", stamped.time.rfc3339 ?? "")
        json.string("authority", stamped.authority)
        json.plain("policy", stamped.policy)
        json.plain("serialNumber", stamped.serialNumber)
        if let accuracy = stamped.accuracyMicroseconds { json.integer("accuracyMicroseconds", accuracy) }
        self.init(json: json.finish())
    }
}
