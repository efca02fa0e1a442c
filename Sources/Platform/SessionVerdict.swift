package import CoreProtocol
package import HPKI

/// What a session that a browser brings is worth for an authorization request.
package enum SessionVerdict: Sendable, Hashable {
    /// A code may be asked for.
    case good
    /// Somebody has to log in, for this reason.
    case login(Reason)

    /// Why a login is needed.
    package enum Reason: Sendable, Hashable {
        /// Nobody is signed in.
        case nobody
        /// The request wants a login of now (`prompt`, `max_age`).
        case again
        /// The session was opened by a way that does not count for the request.
        case otherMethod
        /// The request is for somebody else (`login_hint`).
        case otherHolder
    }

    /// Judges `session`; a login that was made for this very request, as `opened` names it, meets all that only asks for
    /// a new one.
    package init(
        _ session: SessionFacts?, for request: AuthorizationRequest, of client: OAuthClient, opened: String?,
        now: Instant
    ) {
        guard let session, now < session.endsAt else {
            self = .login(.nobody)
            return
        }
        guard client.methods.contains(session.method),
            request.methods.isEmpty || request.methods.contains(session.method)
        else {
            self = .login(.otherMethod)
            return
        }
        guard session.id != opened else {
            self = .good
            return
        }
        if request.wantsLogin {
            self = .login(.again)
        } else if let age = request.maxAge, session.authenticatedAt.adding(seconds: age) < now {
            self = .login(.again)
        } else if let hint = request.loginHint, hint != session.holder {
            self = .login(.otherHolder)
        } else {
            self = .good
        }
    }
}
