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

/// The pages of one part of the service, each named by its template.
protocol PageSet: RawRepresentable<String>, CaseIterable, Hashable, Sendable {
    /// Each template's text by its name; beside the pages, the frame's `top` and `bottom`, and partials.
    static var sources: [String: String] { get }
}

/// A set of pages' templates, parsed once.
///
/// Partials are put in place as text before parsing: the engine gives each partial the escape of its own again.
struct Templates<Page: PageSet>: Sendable {
    private let templates: [Page: MustacheTemplate]

    /// Parses every template; throws `.templates` naming the first at fault.
    init() throws(WebError) {
        MustacheContentTypes.register(ScalarEscape(), named: ScalarEscape.name)
        let sources = Page.sources
        var templates: [Page: MustacheTemplate] = [:]
        for page in Page.allCases {
            let text = try Self.expanded("{{>top}}{{>\(page.rawValue)}}{{>bottom}}", sources, depth: 0)
            do {
                templates[page] = try MustacheTemplate(string: "{{% CONTENT_TYPE:\(ScalarEscape.name)}}\n" + text)
            } catch { throw .templates("\(page.rawValue): \(error)") }
        }
        self.templates = templates
    }

    /// The page as HTML.
    func render(_ page: Page, _ view: View) -> String {
        templates[page]?.render(view) ?? ""
    }

    /// `text` with the text of each `{{>name}}` in its place.
    private static func expanded(
        _ text: String, _ sources: [String: String], depth: Int
    ) throws(WebError) -> String {
        guard depth < 8 else { throw .templates("partials call one another") }
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "{{>"), let end = rest[start.upperBound...].firstRange(of: "}}") {
            let name = String(rest[start.upperBound..<end.lowerBound].filter { $0 != " " })
            guard let partial = sources[name] else { throw .templates("there is no template \(name)") }
            result += rest[..<start.lowerBound]
            result += try expanded(partial, sources, depth: depth + 1)
            rest = rest[end.upperBound...]
        }
        return result + rest
    }
}

/// What the templates of every set may call upon.
enum SharedTemplates {
    static let sources = [
        "head": PackageResources.head_mustache, "languages": PackageResources.languages_mustache,
        "time": PackageResources.time_mustache,
    ].texts
}

extension [String: [UInt8]] {
    /// Embedded files as texts.
    var texts: [String: String] { mapValues { String(decoding: $0, as: UTF8.self) } }
}
