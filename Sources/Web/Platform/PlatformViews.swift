package import HPKI

/// The kind of card that a person logs in with, which each have a host of their own.
package enum CardKind: String, Sendable, Hashable, CaseIterable {
    case hpki
    case jpki
}

/// A button of a page.
package enum PageAction: Sendable {
    /// Leads to an address.
    case link(String)
    /// Posts hidden fields to an address.
    case form(String, fields: [(name: String, value: String)])
}

/// The choice of a way to log in; the button that was pressed comes back as `method`.
package struct LoginView: Sendable {
    /// One of the buttons.
    package enum Choice: String, Sendable, CaseIterable {
        case hpkiCard = "hpki-card"
        case jpkiCard = "jpki-card"
        case phone = "passkey"
    }

    /// What is said above the choice.
    package enum Notice: String, Sendable {
        /// The relying system wants a login anew although there is a session.
        case again
        /// The relying system wants a login by another way than that of the session.
        case otherMethod
        /// The session was ended because another person goes on.
        case switched
        /// The way that was begun was given up.
        case cancelled
    }

    /// The relying system's name in the language of the visit.
    package var relyingSystem: String
    package var choices: [Choice] = [.hpkiCard, .jpkiCard]
    package var notice: Notice?
    /// The 本人ID that the relying system expects (`login_hint`).
    package var wanted: String?
    /// Where the choice is posted.
    package var action = "/login"
    /// Hidden fields: the ceremony and the form's token.
    package var fields: [(name: String, value: String)] = []
    /// Back to the relying system with nothing done.
    package var cancel: PageAction?
    /// Addresses that a form may be redirected to: the card hosts and the relying system.
    package var formTargets: [String] = []

    /// A choice for whoever comes from that system.
    package init(relyingSystem: String) {
        self.relyingSystem = relyingSystem
    }
}

/// A message with its code, cause and next step.
package struct ErrorView: Sendable {
    /// The id of an entry of the help catalogue: `F18`, `O-invalid_request_uri`, `S-unexpected`.
    package var code: String
    /// The card that was used or wanted: some messages differ by it.
    package var card: CardKind?
    /// What stands for `{user}` and such in the message.
    package var arguments: [String: String] = [:]
    package var requestID: String
    package var time: Instant
    /// The address that the request came from, where the page shows it (E20).
    package var source: String?
    /// A technical sentence in English for the help desk.
    package var detail: String?
    package var relyingSystem: String?
    package var retry: PageAction?
    package var otherMethod: PageAction?
    /// Back to the relying system with nothing done.
    package var back: PageAction?
    package var status = 403
    package var formTargets: [String] = []

    /// The message of that code.
    package init(code: String, requestID: String, time: Instant) {
        self.code = code
        self.requestID = requestID
        self.time = time
    }
}

/// E18: somebody else is logged in in this browser.
package struct DifferentUserView: Sendable {
    /// The 本人ID of whoever is logged in.
    package var signedIn: String
    /// The 本人ID that the relying system or the card names; nil where none is known yet.
    package var wanted: String?
    package var requestID: String
    package var time: Instant
    package var relyingSystem: String?
    /// Ends the session and goes on as the other.
    package var switchUser: PageAction
    /// Goes on as who is logged in, where the relying system lets it.
    package var stay: PageAction?
    package var back: PageAction?
    package var formTargets: [String] = []

    /// Offers `switchUser` to whoever is not `signedIn`.
    package init(signedIn: String, requestID: String, time: Instant, switchUser: PageAction) {
        self.signedIn = signedIn
        self.requestID = requestID
        self.time = time
        self.switchUser = switchUser
    }
}

/// One's own sessions.
package struct SessionsView: Sendable {
    /// One login with the systems that were told of it.
    package struct Session: Sendable {
        /// What comes back as `session` when it is to end.
        package var id: String
        package var method: AuthenticationMethod
        package var since: Instant
        package var until: Instant
        /// Names in the language of the visit.
        package var relyingSystems: [String] = []
        package var isCurrent = false

        /// One login.
        package init(id: String, method: AuthenticationMethod, since: Instant, until: Instant) {
            self.id = id
            self.method = method
            self.since = since
            self.until = until
        }
    }

    /// What was just done.
    package enum Notice: String, Sendable {
        case ended
        case endedAll
    }

    /// The 本人ID.
    package var subject: String
    package var sessions: [Session]
    package var notice: Notice?
    /// Where the ends are posted, one with `session`, all with `all`.
    package var action = "/sessions/end"
    /// Hidden fields of every form: the form's token.
    package var fields: [(name: String, value: String)] = []

    /// The sessions of that person.
    package init(subject: String, sessions: [Session]) {
        self.subject = subject
        self.sessions = sessions
    }
}

/// After a logout.
package struct SignedOutView: Sendable {
    /// Back to the relying system.
    package var back: PageAction?
    package var relyingSystem: String?
    /// Names of systems that were to be told and could not be.
    package var untold: [String] = []
    package var formTargets: [String] = []

    /// Says that it is done.
    package init() {}
}

/// Asks whether to log out, where nothing proves that the relying system asked for it (RP-Initiated Logout §2).
package struct LogoutConfirmView: Sendable {
    /// The 本人ID of whoever is logged in.
    package var subject: String
    package var relyingSystem: String?
    package var logout: PageAction
    package var stay: PageAction?
    package var formTargets: [String] = []

    /// Offers `logout` to that person.
    package init(subject: String, logout: PageAction) {
        self.subject = subject
        self.logout = logout
    }
}
