import Audit
import AuditIndex
import CoreProtocol
import Foundation
import HPKI
import Storage

/// The index takes the log in, and is asked as the console asks it.
///
/// A page here is the search, the page's records and their counterparts read in the log, and their rows; the look's own
/// record, names out of the registry, the way between the processes and the page's HTML are not in it.
struct Searches: Sendable {
    private let bench: BenchLog

    init(_ bench: BenchLog) { self.bench = bench }

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

        func filter(_ generator: inout Draw, of records: UInt64) -> AuditFilter {
            var filter = AuditFilter()
            switch self {
            case .holder, .holderAndOutcome:
                filter.holder = Traffic.holder(.random(in: 0..<Traffic.holders, using: &generator))
            case .key: filter.credential = Traffic.credential(.random(in: 0..<Traffic.holders, using: &generator))
            case .client, .clientAndForm, .clientAndKind:
                filter.client = Traffic.client(.random(in: 0..<Traffic.clients, using: &generator))
            case .id: filter.text = Traffic.request(.random(in: 0..<max(1, records / 2), using: &generator))
            case .day, .dayAndKind:
                let place = Traffic.moment(of: .random(in: 0..<records, using: &generator), in: records).seconds
                let from = Instant(seconds: place - place % 86_400)
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

    func run() async throws {
        let database = try bench.database()
        let log = LogSource(database)
        let index = AuditIndex(at: bench.indexPath, of: log)
        let filled = try await Figures.measure { try index.catchUp() }
        let count = index.facts.indexed
        figure(
            "the index takes in what it has not yet of \(count) records",
            "\(Figures.seconds(filled.time)), CPU \(Figures.seconds(filled.cpu))")
        for search in Search.allCases { try await measure(search, index, log, count) }
        let end = Traffic.moment(of: count, in: count)
        for (name, days, step) in [
            ("a day by hours", 1, .hour), ("a month by hours", 31, .hour), ("a year by days", 365, .day),
        ] as [(String, Int64, OverviewStep)] {
            var times: [Duration] = []
            for _ in 0..<11 {
                times.append(
                    try await Figures.measure {
                        _ = try await index.overview(from: end.adding(seconds: -days * 86_400), to: end, step: step)
                    }.time)
            }
            figure("overview of \(name)", Figures.spread(times))
        }
        var times: [Duration] = []
        for _ in 0..<11 {
            times.append(
                try await Figures.measure {
                    _ = try await index.anomalies(from: Instant(seconds: 0), to: end, before: nil, limit: 50)
                }.time)
        }
        figure("a page of anomalies", Figures.spread(times))
        await index.stop()
        try database.close()
    }

    /// Pages of fifty, every second one from a random place.
    private func measure(_ search: Search, _ index: AuditIndex, _ log: LogSource, _ count: UInt64) async throws {
        var generator = Draw(7)
        var times: [Duration] = []
        var (found, shown): (UInt64, Int) = (0, 0)
        for round in 0..<61 {
            let query = IndexQuery(search.filter(&generator, of: count))
            let before = round % 2 == 0 ? nil : UInt64.random(in: 0..<max(1, count), using: &generator)
            times.append(
                try await Figures.measure {
                    let page = try await index.search(query, before: before, limit: 50)
                    found += page.count
                    let numbers = page.records.map(\.sequence) + page.records.compactMap(\.counterpart)
                    let entries = try await log.entries(numbers)
                    shown += entries.values.compactMap { IndexedRecord($0.leaf, $0.detail).row }.count
                }.time)
        }
        figure("search by \(search.rawValue) (\(found / 61) fit, \(shown / 61) shown)", Figures.spread(times))
    }
}
