internal import CoreProtocol
internal import HPKI

/// How many keys were used, when, from where, and how it ended.
struct OverviewPage {
    let facts: OverviewFacts
    let span: ConsoleSpan
    let words: RecordWords

    var view: View {
        let texts = words.texts
        let totals = buckets.reduce(into: [Series: UInt64]()) { totals, bucket in
            totals.merge(bucket.counts) { $0 &+ $1 }
        }
        return [
            "periods": span.links("/console", texts), "indexNotice": words.notice(facts.index),
            "figures": figures(totals), "chartLabel": texts["chartUsesLabel"],
            "chart": Charts.overTime(buckets, isHourly: span == .day, texts: texts),
            "rankings": [
                ranking(.client, "byClient", filter: "client", other: facts.otherClients),
                ranking(.form, "byForm", group: "form", filter: "document"),
                ranking(.failure, "byFailure", group: "failure", filter: "failure"),
                ranking(.kind, "byKind", group: "kind", filter: "kind"),
            ],
        ]
    }

    /// Outcomes of uses, and refusals, as many steps together as a bar holds.
    private var buckets: [Charts.Bucket] {
        let shape = span.shape
        var lines: [(Series, [UInt32])] = []
        for series in facts.series {
            switch series.dimension {
            case .outcome: if let name = Series(rawValue: series.name) { lines.append((name, series.counts)) }
            case .kind where series.name == RecordKind.refusal.name: lines.append((.refused, series.counts))
            case .kind, .form, .failure, .client: break
            }
        }
        return stride(from: 0, to: Int(facts.buckets), by: shape.group).map { first in
            var counts: [Series: UInt64] = [:]
            for (name, values) in lines {
                let part = values.dropFirst(first).prefix(shape.group)
                counts[name, default: 0] &+= part.reduce(0) { $0 &+ UInt64($1) }
            }
            return Charts.Bucket(
                start: facts.from.adding(seconds: Int64(first) * facts.step.seconds), counts: counts)
        }
    }

    private func figures(_ totals: [Series: UInt64]) -> [View] {
        let texts = words.texts
        func figure(_ text: String, _ value: UInt64, _ link: String?, isFault: Bool = false) -> View {
            [
                "label": texts[text], "value": ConsoleNumber.text(value), "link": shown(value == 0 ? nil : link),
                "isFault": isFault && value > 0,
            ]
        }
        let anomalies = words.role?.mayAsk(.anomalies) == true ? "/console/anomalies?period=\(span.rawValue)" : nil
        return [
            figure("figureSigned", totals[.signed] ?? 0, search("outcome", "signed")),
            figure("figureFailed", totals[.failed] ?? 0, search("outcome", "failed"), isFault: true),
            figure("figureUnknown", totals[.unknown] ?? 0, search("outcome", "unknown"), isFault: true),
            figure("figureRefused", totals[.refused] ?? 0, search("kind", "refusal")),
            figure("figureAnomalies", facts.anomalies, anomalies),
            figure("figureRecords", facts.records, search("kind", nil)),
        ]
    }

    private func ranking(
        _ dimension: OverviewFacts.Dimension, _ heading: String, group: String? = nil, filter: String,
        other: UInt32 = 0
    ) -> View {
        let texts = words.texts
        let rows = facts.series.filter { $0.dimension == dimension && $0.total > 0 }.map { series in
            let name = group.map { texts.word($0, series.name) } ?? series.name
            return (
                label: series.facility.map { "\($0) · \(name)" } ?? name, count: series.total,
                link: search(filter, series.name)
            )
        }
        let others = texts.text("otherClients", ["n": ConsoleNumber.text(other)])
        return [
            "name": filter, "heading": texts[heading], "isEmpty": rows.isEmpty, "rows": Charts.ranked(rows),
            "more": shown(other == 0 ? nil : "\(others): \(ConsoleNumber.text(facts.otherClientUses))"),
        ]
    }

    /// A search for the span's days.
    private func search(_ name: String, _ value: String?) -> String? {
        let end = facts.from.adding(seconds: Int64(facts.buckets) * facts.step.seconds - 1)
        return words.searchLink([
            ("from", JapanTime.day(facts.from)), ("to", JapanTime.day(end)), (name, value),
        ])
    }
}
