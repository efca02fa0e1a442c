internal import CoreProtocol
internal import HPKI

/// What the rules noticed, each with the rule that raised it.
struct AnomaliesPage {
    static let pageSize: UInt16 = 50

    let page: AnomalyPage
    let span: ConsoleSpan
    let isFirst: Bool
    let words: RecordWords

    var view: View {
        let path = "/console/anomalies?period=\(span.rawValue)"
        return [
            "periods": span.links("/console/anomalies", words.texts), "indexNotice": words.notice(page.index),
            "isEmpty": page.anomalies.isEmpty, "anomalies": page.anomalies.map(anomaly),
            "paging": [
                "newest": shown(isFirst ? nil : path), "older": shown(page.next.map { "\(path)&before=\($0)" }),
            ] as View,
        ]
    }

    private func anomaly(_ anomaly: Anomaly) -> View {
        let texts = words.texts
        let code = anomaly.rule.rawValue
        let rest = anomaly.count - min(anomaly.count, UInt64(anomaly.records.count))
        let search = anomaly.holder.flatMap { holder in
            words.searchLink([
                ("holder", holder.description), ("from", JapanTime.day(anomaly.from)),
                ("to", JapanTime.day(anomaly.to)),
            ])
        }
        return [
            "rule": texts.word("anomaly", code), "code": code, "weight": Self.weight(anomaly.rule),
            "words": texts.text(
                "anomalyWords.\(code)",
                ["count": ConsoleNumber.text(anomaly.count), "limit": ConsoleNumber.text(anomaly.limit)]),
            "from": JapanTime.view(anomaly.from),
            "to": shown(anomaly.to == anomaly.from ? nil : JapanTime.view(anomaly.to)),
            "holder": shown(words.holder(anomaly.holder)), "client": shown(anomaly.client?.description),
            "records": anomaly.records.map { sequence -> View in
                ["number": ConsoleNumber.text(sequence), "link": shown(words.recordLink(sequence))]
            },
            "more": shown(rest == 0 ? nil : texts.text("anomalyMore", ["n": ConsoleNumber.text(rest)])),
            "search": shown(search),
        ]
    }

    /// The look of a rule's chip: what may be an attack under way stands out.
    private static func weight(_ rule: AnomalyRule) -> String {
        switch rule {
        case .unknownOutcome, .failedOutcome, .refusals: "high"
        case .burst, .oddHours, .newClient: "medium"
        }
    }
}
