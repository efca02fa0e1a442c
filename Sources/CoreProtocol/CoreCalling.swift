package import HPKI

/// The way from front to core: one call, one reply.
///
/// The real one is `CoreClient` over the inherited socket pair; tests have doubles that answer, refuse, or never reply.
package protocol CoreCalling: Sendable {
    /// Asks core and waits for its reply at most until `deadline` on the monotonic clock, in nanoseconds.
    ///
    /// Throws the failure that core answered, `.timedOut` behind the deadline, and `.coreUnavailable` while core is
    /// away; after the last two it is unknown whether the request was carried out.
    func call(_ request: CoreRequest, deadline: UInt64) async throws(Failure) -> CoreReply
}
