import CoreProtocol
import HPKI

/// One frame of each question and each answer of a review, with every optional field both there and not.
enum ReviewSamples {
    static let holder = RegistrationSamples.holder
    static let credential = RegistrationSamples.credential
    static let client = made(ClientID("clinic-1"))
    static let index = IndexFacts(indexed: 9, size: 12, isRebuilding: true)

    static let filter: AuditFilter = {
        var filter = AuditFilter()
        filter.from = Instant(milliseconds: -1)
        filter.to = Instant(milliseconds: .max)
        filter.holder = holder
        filter.credential = credential
        filter.client = client
        filter.facility = "1310000001"
        filter.kinds = [.refusal, .inspection]
        filter.outcome = .unknown
        filter.form = .dispensing
        filter.failure = .denied
        filter.text = "00112233445566778899aabbccddeeff"
        return filter
    }()

    static let questions: [ReviewQuestion] = [
        .me, .head, .policies, .record(.max), .key(credential), .holder(holder),
        .overview(from: Instant(seconds: 1), to: Instant(seconds: 2), step: .hour),
        .overview(from: Instant(milliseconds: .min), to: Instant(milliseconds: .max), step: .day),
        .search(AuditFilter(), before: nil, limit: 1), .search(filter, before: 77, limit: 100),
        .myUses(before: nil, limit: 100), .myUses(before: 0, limit: 1),
        .anomalies(from: Instant(seconds: 1), to: Instant(seconds: 2), before: nil, limit: 50),
        .anomalies(from: Instant(seconds: 1), to: Instant(seconds: 2), before: 3, limit: 100),
    ]

    static let requests: [CoreRequest] = questions.map { question in
        .review(ReviewCommand(requestID: "r-7", token: "a.b.c", question: question))
    }

    static let bare = RecordRow(sequence: 0, time: Instant(seconds: 1), kind: .start, isErased: true)

    static let whole: RecordRow = {
        var row = RecordRow(sequence: .max, time: Instant(milliseconds: 5), kind: .outcome)
        row.outcome = .failed
        row.form = .prescription
        row.holder = holder
        row.holderName = "山田太郎"
        row.credential = credential
        row.client = client
        row.facility = "1310000001"
        row.failure = .windowElapsed
        row.rule = "prescribe"
        row.signature = Samples.signature
        row.request = "request-1"
        row.note = "the token said no"
        row.party = "authority=medis"
        row.counterpart = 8
        return row
    }()

    static let replies: [CoreReply] = answers.map { .review($0) }

    private static let answers: [ReviewReply] = [
        .me(
            ReviewerFacts(
                issuer: "https://id.example", subject: "auditor-1", role: .securityOfficer, until: Instant(seconds: 9))),
        .head(
            LogHeadFacts(
                origin: "log.example", size: 12, root: Samples.digest.bytes, newest: Instant(seconds: 4),
                isRunning: true,
                checkpoint: "log.example\n12\n",
                witnesses: [
                    .init(name: "w1", size: 11, cosignedAt: Instant(seconds: 5), fault: nil),
                    .init(name: "w2", size: nil, cosignedAt: nil, fault: "It does not answer."),
                ], index: index)),
        .head(
            LogHeadFacts(
                origin: "", size: 0, root: [], newest: nil, isRunning: false, checkpoint: nil, witnesses: [],
                index: index)),
        .overview(
            OverviewFacts(
                from: Instant(seconds: 0), step: .hour, buckets: 2, records: 7,
                series: [
                    .init(dimension: .client, name: "clinic-1", facility: "1310000001", total: 7, counts: [3, 4]),
                    .init(dimension: .failure, name: "denied", facility: nil, total: 0, counts: []),
                ], otherClients: 3, otherClientUses: 4, anomalies: 1, index: index)),
        .page(RecordPage(rows: [whole, bare], next: 5, count: 1_000_000, isCountExact: false, index: index)),
        .page(RecordPage(rows: [], next: nil, count: 0, isCountExact: true, index: index)),
        .record(
            RecordFacts(
                row: whole, leaf: [1, 2, 3],
                openings: [.init(field: 1, name: "holder", salt: Array(0..<16), value: "doctor-1")],
                counterpart: bare, evidence: [9])),
        .record(RecordFacts(row: bare, leaf: [], openings: [], counterpart: nil, evidence: nil)),
        .key(
            KeyReview(
                id: credential, facts: RegistrationSamples.whole, authority: AuthorityID("medis"), life: [bare],
                uses: 3,
                days: [.init(start: Instant(seconds: 54_000), uses: 3)], lastUses: [whole, bare], index: index)),
        .key(
            KeyReview(
                id: credential, facts: nil, authority: nil, life: [], uses: 0, days: [], lastUses: [], index: index)),
        .holder(
            HolderReview(
                id: holder, record: RegistrationSamples.record, authority: AuthorityID("medis"), isEnabled: false,
                credentials: [RegistrationSamples.ordered], uses: 1, lastUse: whole, index: index)),
        .holder(
            HolderReview(
                id: holder, record: nil, authority: nil, isEnabled: nil, credentials: [], uses: 0, lastUse: nil,
                index: index)),
        .policies(
            PolicyReview(
                name: "signing", hash: Samples.digest, rules: ["prescribe", "dispense"],
                changes: [.init(sequence: 2, time: Instant(seconds: 1), name: "signing", hash: Samples.digest)])),
        .anomalies(AnomalyPage(anomalies: AnomalyRule.allCases.map(anomaly), next: 1, index: index)),
        .anomalies(
            AnomalyPage(
                anomalies: [
                    Anomaly(
                        id: 0, rule: .burst, from: Instant(seconds: 1), to: Instant(seconds: 1), holder: nil,
                        client: nil,
                        count: 0, limit: 0, records: [], words: "")
                ], next: nil, index: index)),
    ]

    private static func anomaly(_ rule: AnomalyRule) -> Anomaly {
        Anomaly(
            id: 4, rule: rule, from: Instant(seconds: 1), to: Instant(seconds: 2), holder: holder, client: client,
            count: 31, limit: 30, records: [1, .max], words: "31 uses within 10 minutes")
    }
}
