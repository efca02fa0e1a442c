internal import Mustache

/// What a template is filled with: texts, numbers, flags, lists and views within views.
///
/// A view has every key that its template asks for: a key that is missing would be looked for in the views around it.
typealias View = [String: Any]

/// A text for a view; `false` where there is none, which no template shows.
func shown(_ text: String?) -> Any {
    guard let text, !text.isEmpty else { return false }
    return text
}

/// A view for a view; `false` where there is none.
func shown(_ view: View?) -> Any { view ?? false }

/// The pages' templates, parsed once.
///
/// Partials are put in place as text before parsing: the engine gives each partial the escape of its own again.
struct PageTemplates: Sendable {
    /// One page, by the name of its template.
    enum Name: String, CaseIterable, Sendable {
        case signIn = "sign-in"
        case overview, search, record, key, holder, find, uses, policies, anomalies, log, error
    }

    private let templates: [Name: MustacheTemplate]

    /// Parses every template; throws `.templates` naming the first at fault.
    init() throws(WebError) {
        MustacheContentTypes.register(ScalarEscape(), named: ScalarEscape.name)
        var templates: [Name: MustacheTemplate] = [:]
        for name in Name.allCases {
            let text = try Self.expanded("{{>top}}{{>\(name.rawValue)}}{{>bottom}}", depth: 0)
            do {
                templates[name] = try MustacheTemplate(string: "{{% CONTENT_TYPE:\(ScalarEscape.name)}}\n" + text)
            } catch { throw .templates("\(name.rawValue): \(error)") }
        }
        self.templates = templates
    }

    /// The page as HTML.
    func render(_ name: Name, _ view: View) -> String {
        templates[name]?.render(view) ?? ""
    }

    /// Each template's text by its name.
    static let sources: [String: String] = [
        "top": PackageResources.top_mustache, "bottom": PackageResources.bottom_mustache,
        "sign-in": PackageResources.sign_in_mustache, "overview": PackageResources.overview_mustache,
        "search": PackageResources.search_mustache, "record": PackageResources.record_mustache,
        "key": PackageResources.key_mustache, "holder": PackageResources.holder_mustache,
        "find": PackageResources.find_mustache, "uses": PackageResources.uses_mustache,
        "policies": PackageResources.policies_mustache, "anomalies": PackageResources.anomalies_mustache,
        "log": PackageResources.log_mustache, "error": PackageResources.error_mustache,
        "time": PackageResources.time_mustache, "index-notice": PackageResources.index_notice_mustache,
        "chart": PackageResources.chart_mustache, "ranked": PackageResources.ranked_mustache,
        "rows": PackageResources.rows_mustache, "paging": PackageResources.paging_mustache,
        "facts": PackageResources.facts_mustache, "field": PackageResources.field_mustache,
    ].mapValues { String(decoding: $0, as: UTF8.self) }

    /// `text` with the text of each `{{>name}}` in its place.
    private static func expanded(_ text: String, depth: Int) throws(WebError) -> String {
        guard depth < 8 else { throw .templates("partials call one another") }
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "{{>"), let end = rest[start.upperBound...].firstRange(of: "}}") {
            let name = String(rest[start.upperBound..<end.lowerBound].filter { $0 != " " })
            guard let partial = sources[name] else { throw .templates("there is no template \(name)") }
            result += rest[..<start.lowerBound]
            result += try expanded(partial, depth: depth + 1)
            rest = rest[end.upperBound...]
        }
        return result + rest
    }
}
