internal import CoreProtocol
internal import HPKI

/// The filters of a search as its address has them.
struct SearchFilter {
    static let names: Set<String> = [
        "from", "to", "kind", "outcome", "document", "failure", "holder", "key", "client", "facility", "text",
    ]

    let fields: URLFields
    let filter: AuditFilter

    /// Reads the filters; throws `.malformedRequest` naming the one at fault.
    init(_ fields: URLFields) throws(Failure) {
        self.fields = fields
        var filter = AuditFilter()
        filter.from = try Self.read("from", fields, JapanTime.reading)
        // The day that is named is included.
        filter.to = try Self.read("to", fields) { text in
            JapanTime.reading(text)?.adding(seconds: text.utf8.count == 10 ? 86_400 : 60)
        }
        filter.kinds =
            try Self.read("kind", fields) { word in RecordKind.allCases.first { $0.name == word } }
            .map { [$0] } ?? []
        filter.outcome = try Self.read("outcome", fields) { word in RecordOutcome.allCases.first { $0.name == word } }
        filter.form = try Self.read("document", fields, DocumentForm.init)
        filter.failure = try Self.read("failure", fields, Failure.Kind.init)
        filter.holder = try Self.read("holder", fields, HolderID.init)
        filter.credential = try Self.read("key", fields, CredentialID.init)
        filter.client = try Self.read("client", fields, ClientID.init)
        filter.facility = try Self.read("facility", fields) { $0.utf8.count <= 64 ? $0 : nil }
        filter.text = try Self.read("text", fields) { $0.utf8.count <= 64 ? $0 : nil }
        self.filter = filter
    }

    private static func read<Value>(
        _ name: String, _ fields: URLFields, _ value: (String) -> Value?
    ) throws(Failure) -> Value? {
        guard let text = fields[name] else { return nil }
        guard let value = value(text) else {
            throw Failure(.malformedRequest, "The filter \(name) has a value that it cannot have.")
        }
        return value
    }

    /// The filters that are set, by name.
    var pairs: [(String, String?)] { Self.names.sorted().map { ($0, fields[$0]) } }

    /// The address of this search, before the record of that number where one is given.
    func link(before: UInt64? = nil) -> String {
        let query = URLFields.query(pairs + [("before", before.map(String.init))])
        return "/console/search" + (query.isEmpty ? "" : "?" + query)
    }

    /// The inputs of the form: those that most searches need, and the others.
    func inputs(_ texts: Texts, seesInspections: Bool) -> (usual: [View], more: [View], hasMore: Bool) {
        let kinds = RecordKind.allCases.filter { $0 != .inspection || seesInspections }.map(\.name)
        let more = ["document", "failure", "key", "client", "facility", "text"]
        return (
            [
                input("from", "filterFrom", texts, type: "date"), input("to", "filterTo", texts, type: "date"),
                select("kind", "filterKind", "kind", kinds, texts),
                select("outcome", "filterOutcome", "outcome", RecordOutcome.allCases.map(\.name), texts),
                input("holder", "filterHolder", texts),
            ],
            [
                select("document", "filterForm", "form", DocumentForm.allCases.map(\.rawValue), texts),
                select("failure", "filterFailure", "failure", Failure.Kind.allCases.map(\.rawValue), texts),
                input("key", "filterKey", texts), input("client", "filterClient", texts),
                input("facility", "filterFacility", texts), input("text", "filterText", texts),
            ],
            more.contains { fields[$0] != nil }
        )
    }

    private func input(_ name: String, _ text: String, _ texts: Texts, type: String = "text") -> View {
        [
            "name": name, "label": texts[text], "isSelect": false, "type": type, "value": fields[name] ?? "",
        ]
    }

    private func select(
        _ name: String, _ text: String, _ group: String, _ codes: [String], _ texts: Texts
    ) -> View {
        [
            "name": name, "label": texts[text], "isSelect": true,
            "options": codes.map { code -> View in
                ["code": code, "word": texts.word(group, code), "isSelected": fields[name] == code]
            },
        ]
    }
}
