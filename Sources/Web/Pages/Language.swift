internal import HPKI

/// A language of the pages.
package enum Language: String, CaseIterable, Sendable {
    case japanese = "ja"
    case english = "en"

    /// The name in the language itself.
    var name: String {
        switch self {
        case .japanese: "日本語"
        case .english: "English"
        }
    }

    /// The other one.
    var other: Language { self == .japanese ? .english : .japanese }

    /// What `?lang=` asks for, else the cookie, else the first of `ui_locales` that there is (OpenID Connect Core
    /// §3.1.2.1), else the best of Accept-Language (RFC 9110 §12.5.4), else Japanese.
    init(query: String?, cookie: String?, uiLocales: String? = nil, accept: String?) {
        self =
            query.flatMap(Language.init) ?? cookie.flatMap(Language.init) ?? Self.first(of: uiLocales)
            ?? Self.preferred(accept) ?? .japanese
    }

    /// The language of a tag such as `ja` or `en-GB` (BCP 47).
    init?(tag: some StringProtocol) {
        self.init(rawValue: tag.prefix { $0 != "-" }.lowercased())
    }

    private static func first(of locales: String?) -> Language? {
        (locales ?? "").prefix(512).split(separator: " ").prefix(16).lazy.compactMap { Language(tag: $0) }.first
    }

    private static func preferred(_ accept: String?) -> Language? {
        var best: (language: Language, weight: Double)?
        for range in (accept ?? "").prefix(512).split(separator: ",").prefix(16) {
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            guard let tag = parts.first, let language = Language(tag: tag) else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            if weight > (best?.weight ?? 0) { best = (language, weight) }
        }
        return best?.language
    }
}
