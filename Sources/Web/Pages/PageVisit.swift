internal import HPKI
internal import HTTPTypes
package import Hummingbird

/// One request for a page: its address, its id, its cookies and the language to answer in.
package struct PageVisit: Sendable {
    static let languageCookie = "__Host-shirushi-language"

    let path: String
    let query: String
    let requestID: String
    package let language: Language
    /// Whether the language was chosen in this address and is to be kept.
    let choosesLanguage: Bool
    let cookies: PageCookies
    /// The address, without `lang`, that the links to other languages lead to; nil for a page without such links.
    ///
    /// By default this request's own where getting it again does no harm; what was posted cannot be got again.
    package var languagePlace: String?

    /// Reads the language from `request`; `uiLocales` is what the relying system wishes for.
    package init(_ request: Request, _ requestID: String, uiLocales: String? = nil) {
        path = request.uri.path
        query = request.uri.query ?? ""
        self.requestID = requestID
        cookies = PageCookies(request)
        let chosen = Self.languageParts(query).last.map { String($0.dropFirst("lang=".count)) }
        language = Language(
            query: chosen, cookie: cookies[Self.languageCookie], uiLocales: uiLocales,
            accept: request.headers[.acceptLanguage])
        choosesLanguage = chosen == language.rawValue
        let isSafe = request.method == .get || request.method == .head
        languagePlace = isSafe ? Self.place(path, query) : nil
    }

    /// This address as it came, without the choice of a language.
    var place: String { Self.place(path, query) }

    /// The languages to choose from, for the frame of a page.
    var languageLinks: [View] {
        guard let place = languagePlace else { return [] }
        return Language.allCases.map { language in
            [
                "link": place + (place.contains("?") ? "&" : "?") + "lang=\(language.rawValue)",
                "code": language.rawValue, "name": language.name, "isCurrent": language == self.language,
            ]
        }
    }

    /// The cookie that keeps the language, where this address chose it.
    ///
    /// Lax, since people come from their relying system, and are to be met in their language there too.
    var languageField: HTTPField? {
        guard choosesLanguage else { return nil }
        let value = PageCookies.field(
            Self.languageCookie, language.rawValue, seconds: 31_536_000, sameSite: .lax)
        return HTTPField(name: .setCookie, value: value)
    }

    private static func place(_ path: String, _ query: String) -> String {
        let rest = query.split(separator: "&").filter { !$0.hasPrefix("lang=") }
        return rest.isEmpty ? path : path + "?" + rest.joined(separator: "&")
    }

    private static func languageParts(_ query: String) -> [Substring] {
        query.utf8.count > URLFields.byteLimit ? [] : query.split(separator: "&").filter { $0.hasPrefix("lang=") }
    }
}

/// The cookies of one request.
struct PageCookies: Sendable {
    /// Which requests from other sites a cookie comes along with.
    enum SameSite: String, Sendable {
        case strict = "Strict"
        /// Comes along where another site leads here by a link or a redirect.
        case lax = "Lax"
    }

    private let values: [Substring: [Substring]]

    /// Reads the first 64 of them.
    init(_ request: Request) {
        let pairs = request.headers[values: .cookie].joined(separator: ";").split(separator: ";").prefix(64)
        values = Dictionary(grouping: pairs.map { $0.drop { $0 == " " } }) { pair in pair.prefix { $0 != "=" } }
            .mapValues { pairs in pairs.map { pair in pair.drop { $0 != "=" }.dropFirst() } }
    }

    /// The value of the one cookie of that name; one that comes twice was planted.
    subscript(name: String) -> String? {
        guard let found = values[name[...]], found.count == 1 else { return nil }
        return found.first.map { String($0) }
    }

    /// A random name in the cookie: 64 lower-case hexadecimal digits.
    func token(_ name: String) -> String? {
        guard let text = self[name], text.utf8.count == 64, let bytes = Hex.decode(text), Hex.encode(bytes) == text
        else { return nil }
        return text
    }

    /// The value of a `Set-Cookie` that no script reads and no other host sets.
    static func field(
        _ name: String, _ value: String, seconds: Int? = nil, sameSite: SameSite = .strict
    ) -> String {
        let age = seconds.map { "; Max-Age=\($0)" } ?? ""
        return "\(name)=\(value); Path=/; Secure; HttpOnly; SameSite=\(sameSite.rawValue)\(age)"
    }
}
