internal import HPKI
internal import Hummingbird
internal import Signing

/// Time stamps for callers whose documents stay at home: a digest in, a time-stamp token out.
struct TimestampRoutes {
    private static let digestBytes = 64
    private static let policyBytes = 128

    let stamp: StampDigest
    let door: APIDoor

    func add(to router: Router<APIContext>) {
        router.post("/v1/timestamps") { request, context in try await timestamp(request, context) }
    }

    private func timestamp(_ request: Request, _ context: APIContext) async throws -> Response {
        try await door.admitted(request, context) { (token, held) async throws(Failure) -> Response in
            let (fields, origin) = try await door.read(
                request, context, token, held, known: ["digest", "digestAlgorithm", "policy"])
            let (digest, policy) = try read(fields)
            return try await door.working { () async throws(Failure) in
                Response(
                    stamped: try await stamp(
                        digest, policy: policy, origin))
            }
        }
    }

    private func read(_ fields: RequestFields) throws(Failure) -> (Digest, policy: String?) {
        let bytes = try fields.requiredBase64("digest", atMost: Self.digestBytes)
        guard let algorithm = try fields.choice("digestAlgorithm", DigestAlgorithm.self) else {
            throw fields.missing("digestAlgorithm")
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
