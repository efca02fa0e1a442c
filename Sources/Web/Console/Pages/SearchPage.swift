internal import CoreProtocol
internal import HPKI

/// Records that fit the filters of the address, a page at a time.
struct SearchPage {
    static let pageSize: UInt16 = 50

    let search: SearchFilter
    let isFirst: Bool
    let found: RecordPage
    let session: ConsoleSessions.Session
    let words: RecordWords

    var view: View {
        let texts = words.texts
        let inputs = search.inputs(texts, seesInspections: session.role?.seesInspections == true)
        let view: View = [
            "filters": inputs.usual, "moreFilters": inputs.more, "hasMore": inputs.hasMore,
            "indexNotice": words.notice(found.index), "summary": summary, "isEmpty": found.rows.isEmpty,
            "paging": paging, "formToken": session.formToken,
            "exports": ConsoleExport.Format.allCases.map { format -> View in
                [
                    "format": format.rawValue, "label": texts[format.text],
                    "fields": search.pairs.compactMap { name, value in
                        value.map { ["name": name, "value": $0] as View }
                    },
                ]
            },
            "exportHint": texts.text("exportHint", ["n": ConsoleNumber.text(ConsoleExport.limit)]),
        ]
        return view.merging(words.table(found.rows, caption: caption)) { $1 }
    }

    private var summary: String {
        words.texts.text(
            found.isCountExact ? "resultsExact" : "resultsAtLeast", ["n": ConsoleNumber.text(found.count)])
    }

    private var caption: String {
        words.texts.text("resultsPage", ["n": ConsoleNumber.text(found.rows.count)])
    }

    private var paging: View {
        ["newest": shown(isFirst ? nil : search.link()), "older": shown(found.next.map { search.link(before: $0) })]
    }
}

/// The uses of a holder's own keys.
struct UsesPage {
    let isFirst: Bool
    let found: RecordPage
    let words: RecordWords

    var view: View {
        let count = ["n": ConsoleNumber.text(found.count)]
        let view: View = [
            "summary": words.texts.text(found.isCountExact ? "resultsExact" : "resultsAtLeast", count),
            "indexNotice": words.notice(found.index), "isEmpty": found.rows.isEmpty,
            "paging": [
                "newest": shown(isFirst ? nil : "/console/my-key"),
                "older": shown(found.next.map { "/console/my-key?before=\($0)" }),
            ] as View,
        ]
        let caption = words.texts.text("resultsPage", ["n": ConsoleNumber.text(found.rows.count)])
        return view.merging(words.table(found.rows, caption: caption)) { $1 }
    }
}
