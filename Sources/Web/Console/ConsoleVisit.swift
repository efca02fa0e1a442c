internal import Hummingbird

/// One request for a page: who asks, in which language, and for what address.
struct ConsoleVisit {
    static let sessionCookie = "__Host-shirushi-console"
    static let formCookie = "__Host-shirushi-form"

    /// The request as one for any page.
    let page: PageVisit
    let sessionName: String?
    let session: ConsoleSessions.Session?
    /// What the sign-in form must bring back, by the browser's cookie.
    let formName: String?

    var texts: Texts { ConsoleTexts.of(language) }

    var path: String { page.path }
    var query: String { page.query }
    var requestID: String { page.requestID }
    var language: Language { page.language }
    var place: String { page.place }

    /// Reads who asks from the cookies of `request`.
    init(_ request: Request, _ requestID: String, _ sessions: ConsoleSessions) {
        var page = PageVisit(request, requestID)
        page.languagePlace = page.place
        self.page = page
        sessionName = page.cookies.token(Self.sessionCookie)
        session = sessionName.flatMap { sessions.find($0) }
        formName = page.cookies.token(Self.formCookie)
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
