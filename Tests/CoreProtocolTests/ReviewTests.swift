import CoreProtocol
import HPKI
import Testing

@Suite struct ReviewTests {
    @Test func `a page of no records or of more than a hundred cannot be asked for`() {
        for limit in [0, 101, .max] as [UInt16] {
            for question: ReviewQuestion in [
                .search(AuditFilter(), before: nil, limit: limit), .myUses(before: nil, limit: limit),
                .anomalies(from: Instant(seconds: 0), to: Instant(seconds: 1), before: nil, limit: limit),
            ] { refuse(question, .invalidValue) }
        }
    }

    @Test func `a filter over its bounds is refused by its length alone`() {
        var long = AuditFilter()
        long.text = String(repeating: "a", count: 65)
        refuse(.search(long, before: nil, limit: 1), .tooLong)
        long = AuditFilter()
        long.facility = String(repeating: "a", count: 65)
        refuse(.search(long, before: nil, limit: 1), .tooLong)
        long = AuditFilter()
        long.kinds = Array(repeating: .intent, count: RecordKind.allCases.count + 1)
        refuse(.search(long, before: nil, limit: 1), .tooLong)
    }

    @Test func `the fullest page of records fits a frame`() throws {
        var row = ReviewSamples.whole
        let word = String(repeating: "w", count: ReviewLimits.wordBytes)
        row.holder = HolderID(String(repeating: "h", count: 64))
        row.holderName = String(repeating: "n", count: RegistrationLimits.nameBytes)
        row.credential = CredentialID(String(repeating: "c", count: 64))
        row.client = ClientID(word)
        row.facility = word
        row.rule = word
        row.request = word
        row.note = String(repeating: "n", count: ReviewLimits.noteBytes)
        row.party = row.note
        let page = RecordPage(
            rows: Array(repeating: row, count: ReviewLimits.page), next: 1, count: 1, isCountExact: true,
            index: ReviewSamples.index)
        try expectToFit(.page(page))
    }

    @Test func `the fullest overview, record and holder fit a frame`() throws {
        let series = OverviewFacts.Series(
            dimension: .client, name: String(repeating: "w", count: 128), facility: String(repeating: "w", count: 128),
            total: .max, counts: Array(repeating: .max, count: ReviewLimits.buckets))
        try expectToFit(
            .overview(
                OverviewFacts(
                    from: Instant(seconds: 0), step: .hour, buckets: UInt16(ReviewLimits.buckets), records: 1,
                    series: Array(repeating: series, count: ReviewLimits.series), otherClients: 0, otherClientUses: 0,
                    anomalies: 0, index: ReviewSamples.index)))
        let opening = RecordFacts.Opening(
            field: 1, name: "note", salt: Array(repeating: 0, count: 16),
            value: String(repeating: "v", count: ReviewLimits.valueBytes))
        try expectToFit(
            .record(
                RecordFacts(
                    row: ReviewSamples.whole, leaf: Array(repeating: 0, count: ReviewLimits.leafBytes),
                    openings: Array(repeating: opening, count: 32), counterpart: ReviewSamples.whole,
                    evidence: Array(repeating: 0, count: ReviewLimits.evidenceBytes))))
        let facts = CredentialFacts(
            id: ReviewSamples.credential, holder: ReviewSamples.holder, state: .active, keyType: .rsa4096,
            custody: "wrapped", publicKey: Array(repeating: 0, count: RegistrationLimits.certificateBytes),
            certificate: Array(repeating: 0, count: RegistrationLimits.certificateBytes), replaces: nil,
            takesOverAt: nil, reason: nil, changedAt: Instant(seconds: 0))
        try expectToFit(
            .holder(
                HolderReview(
                    id: ReviewSamples.holder, record: nil, authority: nil, isEnabled: true,
                    credentials: Array(repeating: facts, count: ReviewLimits.credentials), uses: 0, lastUse: nil,
                    index: ReviewSamples.index)))
    }

    @Test func `buckets begin at whole hours and at Japan's midnight, before 1970 as after`() {
        let noon = Instant(seconds: 1_767_323_045)
        #expect(OverviewStep.hour.floor(noon) == Instant(seconds: 1_767_322_800))
        #expect(OverviewStep.day.floor(noon).rfc3339 == "2026-01-01T15:00:00Z")
        #expect(OverviewStep.hour.floor(Instant(seconds: -1)) == Instant(seconds: -3600))
        #expect(OverviewStep.day.floor(Instant(seconds: -1)) == Instant(seconds: -9 * 3600))
        _ = OverviewStep.day.floor(Instant(milliseconds: .min))
        _ = OverviewStep.day.floor(Instant(milliseconds: .max))
    }

    @Test func `no role may ask everything, and each may ask who it is`() {
        for role in ReviewerRole.allCases {
            let may = ReviewQuestion.Kind.allCases.filter(role.mayAsk)
            #expect(may.contains(.me) && may.contains(.head))
            #expect(may.count < ReviewQuestion.Kind.allCases.count)
        }
        #expect(ReviewerRole.allCases.filter(\.seesInspections) == [.auditor])
        #expect(!ReviewerRole.systemOperator.mayAsk(.search) && !ReviewerRole.administrator.mayAsk(.record))
    }

    private func expectToFit(
        _ reply: ReviewReply, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let frame = ReplyFrame(call: 1, reply: .review(reply))
        #expect(frame.bytes.count < 1 << 20, sourceLocation: sourceLocation)
        #expect(try ReplyFrame(frame.bytes) == frame, sourceLocation: sourceLocation)
    }

    private func refuse(
        _ question: ReviewQuestion, _ error: WireError, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let frame = RequestFrame(
            call: 1, request: .review(ReviewCommand(requestID: "r", token: "t", question: question)))
        #expect(throws: error, sourceLocation: sourceLocation) { try RequestFrame(frame.bytes) }
    }
}
