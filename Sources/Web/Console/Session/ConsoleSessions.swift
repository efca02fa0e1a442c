package import HPKI
internal import Synchronization

/// Who is signed in: their token stays here, and the browser has nothing but a random name for it.
///
/// Sessions live in front's memory alone: they end with the process, when nobody asks for `idleSeconds`, and with the
/// token.
package final class ConsoleSessions: Sendable {
    /// One reviewer at one browser.
    package struct Session: Sendable, Hashable {
        /// The access token that core judged when the session began and judges again with every request.
        package let token: String
        package let subject: String
        /// Who says who the subject is; empty where nobody was asked.
        package let issuer: String
        /// Nil for a holder, who sees the uses of their own key and nothing else.
        package let role: ReviewerRole?
        /// What a form must bring back.
        package let formToken: String
        /// On the monotonic clock, in nanoseconds: the end of the token.
        package let end: UInt64
    }

    private struct Entry {
        let session: Session
        var lastUse: UInt64
    }

    private let limit: Int
    private let perSubject = 8
    private let idle: UInt64
    private let random: Random
    private let now: @Sendable () -> UInt64
    // INVARIANT: at most `limit` entries, and at most `perSubject` of one subject; owned by the lock. Keys are digests,
    // so that how long a look-up takes tells nothing of a name.
    private let entries = Mutex<[Digest: Entry]>([:])

    /// No session yet; `now` is monotonic, in nanoseconds.
    package init(limit: Int, idleSeconds: Int, random: Random, now: @escaping @Sendable () -> UInt64) {
        self.limit = limit
        idle = UInt64(idleSeconds) * 1_000_000_000
        self.random = random
        self.now = now
    }

    /// Begins a session and gives the name that the browser keeps: 32 random bytes in hexadecimal.
    ///
    /// Where there are too many the one that was idle for longest ends.
    package func begin(
        token: String, issuer: String = "", subject: String, role: ReviewerRole?, seconds: Int64
    ) -> String {
        let name = Hex.encode(random.bytes(32))
        let time = now()
        let session = Session(
            token: token, subject: subject, issuer: issuer, role: role, formToken: Hex.encode(random.bytes(32)),
            end: time + UInt64(clamping: max(0, min(seconds, 86_400))) * 1_000_000_000
        )
        entries.withLock { entries in
            entries = entries.filter { isAlive($0.value, time) }
            Self.makeRoom(&entries, below: perSubject) {
                $0.session.subject == subject && $0.session.issuer == issuer
                    && ($0.session.role == nil) == (role == nil)
            }
            Self.makeRoom(&entries, below: limit) { _ in true }
            entries[Self.key(name)] = Entry(session: session, lastUse: time)
        }
        return name
    }

    /// The session of that name, whose idle time begins anew; nil where there is none any more.
    package func find(_ name: String) -> Session? {
        let time = now()
        return entries.withLock { entries in
            guard let entry = entries[Self.key(name)] else { return nil }
            guard isAlive(entry, time) else {
                entries[Self.key(name)] = nil
                return nil
            }
            entries[Self.key(name)]?.lastUse = time
            return entry.session
        }
    }

    /// Ends the session of that name, if there is one.
    package func end(_ name: String) {
        entries.withLock { $0[Self.key(name)] = nil }
    }

    /// How many sessions are kept, those included that ended by themselves since another began.
    package var count: Int { entries.withLock { $0.count } }

    private func isAlive(_ entry: Entry, _ time: UInt64) -> Bool {
        time < entry.session.end && time &- entry.lastUse < idle
    }

    private static func makeRoom(_ entries: inout [Digest: Entry], below limit: Int, of which: (Entry) -> Bool) {
        let some = entries.filter { which($0.value) }.sorted { $0.value.lastUse < $1.value.lastUse }
        for (key, _) in some.prefix(max(0, some.count - limit + 1)) { entries[key] = nil }
    }

    private static func key(_ name: String) -> Digest { Digest(of: Array(name.utf8)) }
}
