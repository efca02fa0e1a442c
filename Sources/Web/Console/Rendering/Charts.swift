internal import HPKI

/// How uses of keys ended, in the order in which charts stack them and tables list them.
enum Series: String, CaseIterable, Sendable {
    case signed, failed, unknown, refused
}

/// Charts as numbers for the templates; widths are in percent, so that text keeps its size on any screen.
enum Charts {
    /// One span of time with its counts.
    struct Bucket {
        let start: Instant
        let counts: [Series: UInt64]

        var total: UInt64 { counts.values.reduce(0) { $0 &+ $1 } }
    }

    private static let height = 180.0
    private static let tickLimit = 6

    /// Stacked bars over time, with the same numbers as a table; a single series needs no legend.
    static func overTime(
        _ buckets: [Bucket], of all: [Series] = Series.allCases, isHourly: Bool, texts: Texts
    ) -> View {
        let top = niceTop(buckets.map(\.total).max() ?? 0)
        let slot = 100 / Double(max(buckets.count, 1))
        let step = max(1, (buckets.count + tickLimit - 1) / tickLimit)
        let bars = buckets.enumerated().map { index, bucket -> View in
            var base = height
            let parts = all.compactMap { series -> View? in
                let count = bucket.counts[series] ?? 0
                guard count > 0 else { return nil }
                // What happened is never too small to be seen.
                let tall = max(1.5, Double(count) / Double(top) * height)
                base -= tall
                return ["series": series.rawValue, "y": decimal(max(base, 0)), "height": decimal(tall)]
            }
            let label = JapanTime.text(bucket.start)
            return [
                "x": decimal(slot * (Double(index) + 0.14)), "width": decimal(slot * 0.72), "parts": parts,
                "label": "\(label) — \(ConsoleNumber.text(bucket.total))",
            ]
        }
        let ticks = stride(from: 0, to: buckets.count, by: step).map { index -> View in
            [
                "x": decimal(slot * (Double(index) + 0.5)),
                "label": JapanTime.tick(buckets[index].start, isHourly: isHourly),
            ]
        }
        let named = all.count > 1 ? all : []
        return [
            "bars": bars, "ticks": ticks, "top": ConsoleNumber.text(top), "middle": ConsoleNumber.text(top / 2),
            "hasLegend": !named.isEmpty,
            "legend": named.map { ["series": $0.rawValue, "label": texts.word("outcome", $0.rawValue)] },
            "rows": buckets.reversed().filter { $0.total > 0 }.map { bucket -> View in
                [
                    "time": JapanTime.view(bucket.start),
                    "cells": named.map { ConsoleNumber.text(bucket.counts[$0] ?? 0) },
                    "total": ConsoleNumber.text(bucket.total),
                ]
            },
            "isEmpty": buckets.allSatisfy { $0.total == 0 },
        ]
    }

    /// Rows of a ranked table, each with a bar as long as its share of the greatest.
    static func ranked(_ rows: [(label: String, count: UInt64, link: String?)]) -> [View] {
        let greatest = rows.map(\.count).max() ?? 0
        return rows.map { row in
            [
                "label": row.label, "count": ConsoleNumber.text(row.count), "link": shown(row.link),
                "width": decimal(greatest == 0 ? 0 : max(0.5, Double(row.count) / Double(greatest) * 100)),
            ]
        }
    }

    /// The least of 2, 4, 6, 10 times a power of ten that is not below `value`: its half is whole.
    static func niceTop(_ value: UInt64) -> UInt64 {
        var power: UInt64 = 1
        while power < 1_000_000_000_000_000_000 {
            for factor: UInt64 in [2, 4, 6, 10] where factor * power >= value { return factor * power }
            power *= 10
        }
        return .max
    }

    /// Two decimals at most.
    private static func decimal(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let rest = hundredths % 100
        return rest == 0 ? "\(hundredths / 100)" : "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
