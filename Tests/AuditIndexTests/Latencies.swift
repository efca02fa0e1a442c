import Audit
import AuditIndex
import CoreProtocol
import Foundation
import HPKI
import Storage
import Testing

/// Figures, printed, over the synthetic records that `scripts/bench-audit` wrote.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SHIRUSHI_AUDIT_BENCH"] != nil)) struct Latencies {
    /// What is searched by.
    private enum Search: String, CaseIterable {
        case nothing, holder, key, client, kind, outcome, form, failure
        case id = "an id"
        case day = "a day"
        case dayAndKind = "a day and a kind"
        case holderAndOutcome = "holder and outcome"
        case clientAndForm = "client and form"
        case clientAndKind = "client and kind"
        case formAndKind = "form and kind"
        case formAndOutcome = "form and outcome"
        case many = "six kinds, form and outcome"

        func filter(_ generator: inout Seeded) -> AuditFilter {
            var filter = AuditFilter()
            func number(_ end: Int, _ width: Int) -> String {
                let text = "\(Int.random(in: 0..<end, using: &generator))"
                return String(repeating: "0", count: max(0, width - text.count)) + text
            }
            switch self {
            case .holder, .holderAndOutcome: filter.holder = HolderID("holder-" + number(20_000, 6))
            case .key: filter.credential = CredentialID("key-" + number(20_000, 6))
            case .client, .clientAndForm, .clientAndKind: filter.client = ClientID("client-" + number(3000, 5))
            case .id: filter.text = "r-" + number(1_000_000, 12)
            case .day, .dayAndKind:
                let from = Latencies.start.adding(seconds: .random(in: 0..<36, using: &generator) * 86_400)
                (filter.from, filter.to) = (from, from.adding(seconds: 86_400))
            default: break
            }
            switch self {
            case .kind: filter.kinds = [[.intent, .outcome, .refusal][Int.random(in: 0..<3, using: &generator)]]
            case .dayAndKind, .clientAndKind: filter.kinds = [.refusal]
            case .formAndKind: filter.kinds = [.intent]
            case .many: filter.kinds = Array(RecordKind.allCases.prefix(6))
            case .failure: filter.failure = [.denied, .windowElapsed].randomElement(using: &generator)
            default: break
            }
            switch self {
            case .outcome: filter.outcome = RecordOutcome.allCases.randomElement(using: &generator)
            case .holderAndOutcome: filter.outcome = .failed
            case .formAndOutcome, .many: filter.outcome = .signed
            default: break
            }
            switch self {
            case .form, .formAndKind, .formAndOutcome:
                filter.form = DocumentForm.allCases.randomElement(using: &generator)
            case .clientAndForm, .many: filter.form = .other
            default: break
            }
            return filter
        }
    }

    /// The synthetic log's first day in Japan.
    private static let start = Instant(milliseconds: 1_767_193_200_000)

    @Test func `pages of fifty records`() async throws {
        let folder = try #require(ProcessInfo.processInfo.environment["SHIRUSHI_AUDIT_BENCH"])
        let database = try Database.open(at: folder + "/core.sqlite", parts: [AuditSchema.part, ErasureSchema.part])
        let log = LogSource(database)
        let index = AuditIndex(at: folder + "/audit-index.sqlite", of: log)
        let clock = ContinuousClock()
        let filled = try clock.measure { try index.catchUp() }
        let count = index.facts.indexed
        print("FIGURE synthetic records \(count), taken in within \(filled)")
        for search in Search.allCases {
            var generator = Seeded(7)
            var times: [Duration] = []
            var found: UInt64 = 0
            for round in 0..<61 {
                let query = IndexQuery(search.filter(&generator))
                let before = round % 2 == 0 ? nil : UInt64.random(in: 0..<max(1, count), using: &generator)
                times.append(
                    try await clock.measure {
                        let page = try await index.search(query, before: before, limit: 50)
                        found += page.count
                        let numbers = page.records.map(\.sequence) + page.records.compactMap(\.counterpart)
                        _ = try await log.entries(numbers)
                    })
            }
            report("search by \(search.rawValue) (\(found / 61) fit)", times)
        }
        let end = Self.start.adding(seconds: Int64(clamping: count) * 3154 / 1000)
        for (name, days, step) in [
            ("a day by hours", 1, .hour), ("a month by hours", 31, .hour), ("a year by days", 365, .day),
        ] as [(String, Int64, OverviewStep)] {
            var times: [Duration] = []
            for _ in 0..<11 {
                times.append(
                    try await clock.measure {
                        _ = try await index.overview(from: end.adding(seconds: -days * 86_400), to: end, step: step)
                    })
            }
            report("overview of \(name)", times)
        }
        let (from, to) = (Instant(seconds: 0), end)
        var times: [Duration] = []
        for _ in 0..<11 {
            times.append(
                try await clock.measure { _ = try await index.anomalies(from: from, to: to, before: nil, limit: 50) })
        }
        report("a page of anomalies", times)
        await index.stop()
        try database.close()
    }

    private func report(_ name: String, _ times: [Duration]) {
        let sorted = times.sorted()
        let p99 = sorted[(sorted.count * 99 - 1) / 100]
        print("FIGURE \(name): median \(ms(sorted[sorted.count / 2])), p99 \(ms(p99))")
        #expect(sorted[sorted.count / 2] < .milliseconds(300))
    }

    private func ms(_ time: Duration) -> String {
        time.formatted(.units(allowed: [.milliseconds], fractionalPart: .show(length: 1)))
    }
}
