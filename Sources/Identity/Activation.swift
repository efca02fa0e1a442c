package import HPKI

/// What allows the caller's keys to be used: the second ticket of the chain.
///
/// Today one kind exists, the window that one authentication opens; a reserved occurrence of activation data joins it
/// as a second case.
package struct Activation: Sendable, Hashable {
    /// On what ground the keys may be used.
    package enum Ground: Sendable, Hashable {
        /// One authentication opens the keys until `end`, whatever token carries it.
        case window(opened: Instant, end: Instant)
    }

    package let holder: HolderID
    package let ground: Ground

    /// Opens the window of the caller's authentication; throws `.windowElapsed` behind its end.
    ///
    /// The window counts from `auth_time`, so a refreshed token never extends it. The two `skew` seconds are for
    /// clocks that disagree.
    init(of caller: Caller, at now: Instant, window: ActivationWindow) throws(IdentityError) {
        let end = caller.authenticatedAt.adding(seconds: window.seconds)
        guard now <= end.adding(seconds: window.skewSeconds) else { throw .windowElapsed(end: end) }
        guard caller.authenticatedAt <= now.adding(seconds: window.skewSeconds) else {
            throw .claim("auth_time", "lies in the future")
        }
        holder = caller.holder
        ground = .window(opened: caller.authenticatedAt, end: end)
    }
}

/// How long one authentication lets a holder sign.
package struct ActivationWindow: Sendable, Hashable {
    /// Seconds from `auth_time`; 18 hours by default.
    package let seconds: Int64
    /// Seconds by which clocks may disagree; 60 by default.
    package let skewSeconds: Int64

    /// A window of 18 hours with a skew of 60 s unless said otherwise.
    package init(seconds: Int64 = 18 * 3600, skewSeconds: Int64 = 60) {
        self.seconds = seconds
        self.skewSeconds = skewSeconds
    }
}
