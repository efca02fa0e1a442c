internal import CoreProtocol
internal import HPKI

/// The times that an overview or the anomalies are shown for, ending now.
enum ConsoleSpan: String, CaseIterable, Sendable {
    case day, week, month, quarter, year

    /// The steps that core counts by, how many, and how many of them a bar holds.
    var shape: (step: OverviewStep, count: Int64, group: Int) {
        switch self {
        case .day: (.hour, 24, 1)
        case .week: (.hour, 168, 4)
        case .month: (.day, 30, 1)
        case .quarter: (.day, 90, 1)
        case .year: (.day, 364, 7)
        }
    }

    /// From its first step's start to the end of the one that `now` lies in.
    func bounds(_ now: Instant) -> (from: Instant, to: Instant) {
        let (step, count, group) = shape
        let end = step.floor(now).adding(seconds: step.seconds)
        // Bars of several hours begin at midnight in Japan.
        let from =
            group > 1 && step == .hour
            ? OverviewStep.day.floor(now).adding(seconds: -(count - 24) * step.seconds)
            : end.adding(seconds: -count * step.seconds)
        return (from, end)
    }

    /// The links to every span at `path`.
    func links(_ path: String, _ texts: Texts) -> [View] {
        Self.allCases.map { span in
            [
                "link": "\(path)?period=\(span.rawValue)", "label": texts.word("period", span.rawValue),
                "isCurrent": span == self,
            ]
        }
    }

    /// Reads the field `period`; throws `.malformedRequest` for a word that is none.
    static func reading(_ fields: URLFields) throws(Failure) -> ConsoleSpan {
        guard let text = fields["period"] else { return .month }
        guard let span = ConsoleSpan(rawValue: text) else {
            throw Failure(.malformedRequest, "The period is not one of those offered.")
        }
        return span
    }
}
