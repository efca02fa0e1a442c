internal import HPKI
internal import HTTPTypes
internal import Hummingbird

/// One request for a page: who asks, in which language, and for what address.
struct ConsoleVisit {
    static let sessionCookie = "__Host-shirushi-console"
    static let formCookie = "__Host-shirushi-form"
    static let languageCookie = "__Host-shirushi-language"

    let path: String
    let query: String
    let requestID: String
    let language: Language
    /// Whether the language was chosen in this address and is to be kept.
    let choosesLanguage: Bool
    let sessionName: String?
    let session: ConsoleSessions.Session?
    /// What the sign-in form must bring back, by the browser's cookie.
    let formName: String?

    var texts: ConsoleTexts { ConsoleTexts.of(language) }

    /// Reads who asks from the cookies of `request`.
    init(_ request: Request, _ requestID: String, _ sessions: ConsoleSessions) {
        path = request.uri.path
        query = request.uri.query ?? ""
        self.requestID = requestID
        let chosen = Self.languageParts(query).last.map { String($0.dropFirst("lang=".count)) }
        language = Language(
            query: chosen, cookie: Self.cookie(Self.languageCookie, request),
            accept: request.headers[.acceptLanguage])
        choosesLanguage = chosen == language.rawValue
        sessionName = Self.cookie(Self.sessionCookie, request).flatMap(Self.name)
        session = sessionName.flatMap { sessions.find($0) }
        formName = Self.cookie(Self.formCookie, request).flatMap(Self.name)
    }

    /// This address in another language.
    func link(in language: Language) -> String {
        let rest = query.split(separator: "&").filter { !$0.hasPrefix("lang=") }.map(String.init)
        return path + "?" + (rest + ["lang=\(language.rawValue)"]).joined(separator: "&")
    }

    /// This address as it came, without the choice of a language.
    var place: String {
        let rest = query.split(separator: "&").filter { !$0.hasPrefix("lang=") }
        return rest.isEmpty ? path : path + "?" + rest.joined(separator: "&")
    }

    private static func languageParts(_ query: String) -> [Substring] {
        query.utf8.count > URLFields.byteLimit ? [] : query.split(separator: "&").filter { $0.hasPrefix("lang=") }
    }

    /// The value of the one cookie of that name; one that comes twice was planted.
    private static func cookie(_ name: String, _ request: Request) -> String? {
        let pairs = request.headers[values: .cookie].joined(separator: ";").split(separator: ";").prefix(64)
        let values = pairs.compactMap { pair -> Substring? in
            let trimmed = pair.drop { $0 == " " }
            guard trimmed.hasPrefix(name + "=") else { return nil }
            return trimmed.dropFirst(name.count + 1)
        }
        return values.count == 1 ? values.first.map(String.init) : nil
    }

    /// 64 lower-case hexadecimal digits.
    private static func name(_ text: String) -> String? {
        guard text.utf8.count == 64, let bytes = Hex.decode(text), Hex.encode(bytes) == text else { return nil }
        return text
    }

    /// A cookie that no script reads, no other host sets and no other site sends.
    static func setCookie(_ name: String, _ value: String, seconds: Int? = nil) -> String {
        let age = seconds.map { "; Max-Age=\($0)" } ?? ""
        return "\(name)=\(value); Path=/; Secure; HttpOnly; SameSite=Strict\(age)"
    }

    /// An address of this console that a sign-in may lead back to; nil for anything else.
    static func safePlace(_ text: String?) -> String? {
        guard let text, text.utf8.count <= 2048,
            text == "/console" || text.hasPrefix("/console/")
                || text.hasPrefix("/console?"), !text.hasPrefix("/console/sign-"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "#") })
        else { return nil }
        return text
    }
}
