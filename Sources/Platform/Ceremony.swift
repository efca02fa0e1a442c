package import CoreProtocol
package import HPKI

/// One login under way: the request it is for, and how far it has come.
package struct Ceremony: Sendable, Hashable {
    /// A session that was opened while somebody else is signed in in the browser.
    package struct Other: Sendable, Hashable {
        package let facts: SessionFacts
        package let secret: String

        /// A session with its secret.
        package init(facts: SessionFacts, secret: String) {
            self.facts = facts
            self.secret = secret
        }
    }

    /// 32 lower-case hexadecimal digits; of use only with the browser's cookie.
    package let id: String
    package let request: AuthorizationRequest
    package let startedAt: Instant
    /// What a form of its pages brings back.
    package let formToken: String
    /// The session that a login of this ceremony opened, by its id.
    package var opened: String?
    /// Waits for a word on who goes on (row E18).
    package var other: Other?
}
