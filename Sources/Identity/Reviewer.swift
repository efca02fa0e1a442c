package import HPKI
import JOSE

/// Somebody who may look at the log, by a token that was verified: no holder, and nobody who may use a key by this.
///
/// Only `TokenIdentification` makes one.
package struct Reviewer: Sendable, Hashable {
    package let issuer: String
    package let subject: String
    package let role: ReviewerRole
    package let authenticatedAt: Instant
    /// When the window of the authentication closes.
    package let until: Instant
    /// SHA-256 over the compact token.
    package let tokenDigest: Digest

    /// Judges a token whose signature holds as a holder's is, and its one role; throws what is wrong with it.
    init(
        _ token: VerifiedToken, digest: Digest, issuer: IssuerSettings, window: ActivationWindow, at now: Instant
    ) throws(IdentityError) {
        let facts = try TokenFacts(token, issuer: issuer)
        try window.checkTimes(expiresAt: facts.expiresAt, validFrom: facts.validFrom, at: now)
        let end = facts.authenticatedAt.adding(seconds: window.seconds)
        guard now <= end.adding(seconds: window.skewSeconds) else { throw .windowElapsed(end: end) }
        guard facts.authenticatedAt <= now.adding(seconds: window.skewSeconds) else {
            throw .claim("auth_time", "lies in the future")
        }
        guard let roles = token.reviewerRoles, let word = roles.first else { throw .notReviewer("is missing or empty") }
        guard roles.count == 1 else { throw .notReviewer("names more than one role, and nobody holds two") }
        guard let role = ReviewerRole(rawValue: word) else { throw .notReviewer("names a role that is none") }
        self.issuer = issuer.issuer
        subject = facts.subject
        self.role = role
        authenticatedAt = facts.authenticatedAt
        until = end
        tokenDigest = digest
    }

    /// Who looked, in the record's notation, a line each.
    package var text: String {
        """
        issuer=\(issuer)
        subject=\(subject)
        role=\(role.rawValue)
        auth_time=\(authenticatedAt.seconds)
        token=\(tokenDigest.hex)
        """
    }
}
