internal import HPKI

/// A language of the console.
enum Language: String, CaseIterable, Sendable {
    case japanese = "ja"
    case english = "en"

    /// The name in the language itself.
    var name: String {
        switch self {
        case .japanese: "日本語"
        case .english: "English"
        }
    }

    /// What `?lang=` asks for, else the cookie, else the best of Accept-Language (RFC 9110 §12.5.4), else Japanese.
    init(query: String?, cookie: String?, accept: String?) {
        self = query.flatMap(Language.init) ?? cookie.flatMap(Language.init) ?? Self.preferred(accept) ?? .japanese
    }

    private static func preferred(_ accept: String?) -> Language? {
        var best: (language: Language, weight: Double)?
        for range in (accept ?? "").prefix(512).split(separator: ",").prefix(16) {
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            guard let tag = parts.first, let language = Language(rawValue: String(tag.prefix { $0 != "-" })) else {
                continue
            }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            if weight > (best?.weight ?? 0) { best = (language, weight) }
        }
        return best?.language
    }
}
