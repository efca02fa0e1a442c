import CoreProtocol
import HPKI

/// Seeded numbers (SplitMix64), so that every run sees the same mutations.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// One frame of each kind, with every optional field both there and not.
enum Samples {
    static let digest = Digest(of: Array("a document".utf8))
    static let signature = made(SignatureID("00112233445566778899aabbccddeeff"))
    static let credential = made(CredentialID("doctor-1-a"))

    static let requests: [CoreRequest] =
        chain + RegistrationSamples.requests + ReviewSamples.requests
        + PlatformSamples.requests
    static let replies: [CoreReply] =
        answers + RegistrationSamples.replies + ReviewSamples.replies
        + PlatformSamples.replies

    private static let chain: [CoreRequest] =
        [
            .sign(SignCommand(requestID: "r-1", token: "a.b.c", form: .prescription, digests: [digest])),
            .sign(
                SignCommand(
                    requestID: "r-2", token: "a.b.c", form: .dispensing, digests: [Digest(of: [1], by: .sha512)],
                    credential: credential, idempotency: Idempotency(key: "key 1", body: digest),
                    prescription: PrescriptionJudgement(
                        verdict: .indeterminate, reasons: ["no-path-to-anchor", "two"], acknowledged: ["two"]
                    )
                )
            ),
        ]
        + shapes.map { shape in
            .sign(
                SignCommand(
                    requestID: "r-4", token: "a.b.c", form: .other, shape: shape,
                    digests: DigestAlgorithm.allCases.map { Digest(of: [1], by: $0) }, algorithm: .rsaPSSSHA512))
        } + [
            .lookup(token: "a.b.c", signature: signature),
            .identify(token: "a.b.c"),
            .refuse(RefusalNotice(requestID: "r-3", token: "a.b.c", form: .other, kind: .invalidCSV)),
            .health,
            .admin(.addCheckpointKey, proof: [1]), .admin(.retireCheckpointKey("0123abcd"), proof: [1]),
            .admin(.retireEpoch(.max), proof: []),
            .witness(.submission(witness: "w.example+00000000+BA==", oldSize: nil, size: .max)),
            .witness(.submission(witness: "w", oldSize: 0, size: nil)),
            .witness(.cosigned(witness: "w", size: 7, signature: [UInt8](repeating: 9, count: 72))),
            .witness(.contradicted(witness: "w", size: .max, checkpoint: [], reason: .unknownKey)),
        ] + erasures
        + WitnessFailure.allCases.map { .witness(.failed(witness: "証人", reason: $0)) }

    private static let erasures: [CoreRequest] = [
        ErasureOrder.Scope.expired, .record(.max), .holder(made(HolderID("doctor-1"))),
    ].map { scope in
        let isDue = scope == .expired
        return .admin(
            .erase(ErasureOrder(scope: scope, ground: isDue ? nil : "g-1", archived: 7, isDryRun: isDue)), proof: [1])
    }

    private static let shapes: [SignatureShape] = [
        .cades, .xades(.document, mimeType: nil), .xades(.element(id: "e"), mimeType: "text/xml"),
        .xades(.object(id: "o"), mimeType: nil), .xades(.detached(name: "紹介状.pdf"), mimeType: "application/pdf"),
    ]

    private static let answers: [CoreReply] = [
        .signed(
            SignedReply(
                signature: signature, signedAt: Instant(seconds: 1_700_000_000), certificate: [0x30, 0x03, 1, 2, 3],
                algorithm: .ecdsaP256SHA256, value: [UInt8](repeating: 7, count: 64), rule: "prescribe",
                receipt: ReceiptFacts(
                    origin: "log.example", sequence: 41, leaf: [1, 2, 3], treeSize: 42, rootHash: digest.bytes,
                    custody: "software token"
                ), isReplay: true
            )
        ),
        .signature(facts(outcome: nil, state: .open)),
        .signature(facts(outcome: 9, state: .unknown)),
        .health(
            HealthFacts(
                hsm: true, audit: false, clock: true, alarms: ["a list grows old", "署名"],
                metrics: [HealthFacts.Metric(name: "shirushi_core_keys", value: -1)]
            )
        ),
        .noted,
        .keysReport(KeysReport(objects: ["a key"], faults: ["a fault"], keys: 1, records: 2, erased: 3)),
        .erasure(
            ErasureFacts(
                next: 9, size: 12, counts: [ErasureFacts.Count(name: "signatures", count: 2)], open: 1, repeatable: 2,
                unarchived: 3, isJournalEmpty: false)),
        .erasure(ErasureFacts(next: nil, size: 0)),
        .receipt(Array("{}".utf8)),
        .submission(WitnessSubmission(size: .max, oldSize: 3, body: Array("old 3\n".utf8))),
        .failed(Failure(.denied, "No.", rule: "client-known", reasons: ["a", "b"], retryAfter: 30)),
        .failed(Failure(.unexpected, "")),
    ]

    private static func facts(outcome: UInt64?, state: SignatureFacts.State) -> SignatureFacts {
        SignatureFacts(
            signature: signature, state: state, form: .dispensing, digest: digest, signedAt: Instant(seconds: 5),
            credential: credential, rule: "dispense", intent: 8, outcome: outcome
        )
    }
}

/// The value of an identifier written in a test.
func made<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("a test's identifier is none") }
    return value
}
