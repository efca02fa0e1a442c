package import CoreProtocol
package import HPKI
internal import Synchronization

/// The logins under way, in front's memory alone.
///
/// Each belongs to one browser, by the cookie it began with: nobody continues a login that they did not begin, and
/// nobody is brought into a session that another opened. What goes between the issuer's host and a card host, where
/// the cookie does not come along, are tickets.
package final class Ceremonies: Sendable {
    /// What a ticket from the issuer opens at a card host.
    package enum Entry: Sendable, Hashable {
        /// A card is awaited.
        case open(Ceremony)
        /// A card was already presented by this ticket.
        case done
        /// There is none, or it has ended.
        case unknown
    }

    /// What a ticket from a card host opens at the issuer.
    package enum Arrival: Sendable, Hashable {
        /// The ceremony with the session that was opened in it.
        case arrived(Ceremony, Ceremony.Other)
        /// The same browser again, such as after a reload.
        case repeated(Ceremony)
        /// Another browser than the one that began: the session with this secret is to end.
        case foreign(secret: String)
        case unknown
    }

    private struct Item {
        var ceremony: Ceremony
        let browser: Digest
        let address: String
        var end: UInt64
        var tickets: [CardEvidence.Kind: Ticket] = [:]
        var way: Way?
    }

    private struct Ticket {
        let digest: Digest
        var isUsed = false
    }

    /// The way back from a card host.
    private struct Way {
        let ticket: Digest
        let end: UInt64
        /// Nil once it was gone.
        var other: Ceremony.Other?
    }

    private struct State {
        // INVARIANT: `ways` names ceremonies of `items` by the ticket of their way back, and `addresses` all of them by
        // the address they began at, the oldest first.
        var items: [String: Item] = [:]
        var ways: [Digest: String] = [:]
        var addresses: [String: [String]] = [:]
        /// Secrets of sessions that nobody came for.
        var orphans: [String] = []
    }

    private static let backSeconds: UInt64 = 60
    private static let doneSeconds: UInt64 = 60
    private static let second: UInt64 = 1_000_000_000

    private let lifetime: UInt64
    private let limit: Int
    private let perAddress: Int
    private let random: Random
    private let clock: WallClock
    private let now: @Sendable () -> UInt64
    private let state = Mutex(State())

    /// None yet; at most `limit`, and at most a tenth of them of one address.
    ///
    /// `now` is monotonic, in nanoseconds.
    package init(
        seconds: Int = 600, limit: Int = 50_000, random: Random, clock: WallClock, now: @escaping @Sendable () -> UInt64
    ) {
        lifetime = UInt64(max(0, seconds)) * Self.second
        self.limit = limit
        perAddress = max(1, limit / 10)
        self.random = random
        self.clock = clock
        self.now = now
    }

    /// Begins a login for the browser with that cookie; throws `.overloaded`.
    ///
    /// Of an address that has too many the oldest ends.
    package func begin(
        _ request: AuthorizationRequest, browser: String, address: String
    ) throws(Failure) -> Ceremony {
        let ceremony = Ceremony(
            id: Hex.encode(random.bytes(16)), request: request, startedAt: clock.now(),
            formToken: Hex.encode(random.bytes(32)))
        let end = now() + lifetime
        let isKept = state.withLock { state in
            if state.addresses[address, default: []].count >= perAddress,
                let oldest = state.addresses[address]?.first
            {
                Self.remove(oldest, &state)
            }
            guard state.items.count < limit else { return false }
            state.items[ceremony.id] = Item(
                ceremony: ceremony, browser: Self.digest(browser), address: address, end: end)
            state.addresses[address, default: []].append(ceremony.id)
            return true
        }
        guard isKept else { throw Failure(.overloaded, "As many logins are under way as the service keeps.") }
        return ceremony
    }

    /// The ceremony of that id, where it is this browser's and has not ended.
    package func find(_ id: String?, browser: String?) -> Ceremony? {
        state.withLock { state in own(id, browser, state)?.ceremony }
    }

    /// Changes what a ceremony of this browser has come to; nil where there is none.
    @discardableResult
    package func update(_ id: String, browser: String?, _ change: (inout Ceremony) -> Void) -> Ceremony? {
        state.withLock { state in
            guard var item = own(id, browser, state) else { return nil }
            change(&item.ceremony)
            state.items[id] = item
            return item.ceremony
        }
    }

    /// The code was given: it is kept a minute more for whoever reloads a page or goes back.
    package func finish(_ id: String, browser: String?) {
        let end = now() + Self.doneSeconds * Self.second
        state.withLock { state in
            guard let item = own(id, browser, state) else { return }
            state.items[id]?.end = min(item.end, end)
        }
    }

    /// A ticket for a card host, which ends the one before; nil where there is no such ceremony of this browser.
    package func ticket(_ id: String, browser: String?, to kind: CardEvidence.Kind) -> String? {
        let ticket = Hex.encode(random.bytes(32))
        return state.withLock { state in
            guard own(id, browser, state) != nil else { return nil }
            state.items[id]?.tickets[kind] = Ticket(digest: Self.digest(ticket))
            return ticket
        }
    }

    /// What a ticket opens at the host for this kind of card.
    package func enter(_ id: String, ticket: String, at kind: CardEvidence.Kind) -> Entry {
        state.withLock { state in
            guard let (item, held) = entered(id, ticket, kind, state) else { return .unknown }
            return held.isUsed ? .done : .open(item.ceremony)
        }
    }

    /// Uses the ticket up and gives one for the way back; nil where it was used meanwhile: then `other` is to end.
    package func leave(_ id: String, ticket: String, at kind: CardEvidence.Kind, with other: Ceremony.Other) -> String?
    {
        let back = Hex.encode(random.bytes(32))
        let end = now() + Self.backSeconds * Self.second
        return state.withLock { state in
            guard let (item, held) = entered(id, ticket, kind, state), !held.isUsed else { return nil }
            Self.dropWay(item, &state)
            state.items[id]?.tickets[kind]?.isUsed = true
            state.items[id]?.way = Way(ticket: Self.digest(back), end: end, other: other)
            state.ways[Self.digest(back)] = id
            return back
        }
    }

    /// Takes the session that was opened at a card host, once.
    package func arrive(_ ticket: String, browser: String?) -> Arrival {
        let key = Self.digest(ticket)
        let moment = now()
        return state.withLock { state in
            guard let id = state.ways[key], let item = state.items[id], let way = item.way, moment < item.end else {
                return .unknown
            }
            let isOwn = browser.map(Self.digest) == item.browser
            guard let other = way.other else { return isOwn ? .repeated(item.ceremony) : .unknown }
            // Whoever holds a ticket of another browser uses it up, and the session with it.
            state.items[id]?.way?.other = nil
            guard isOwn else { return .foreign(secret: other.secret) }
            guard moment < way.end else {
                state.orphans.append(other.secret)
                return .repeated(item.ceremony)
            }
            state.items[id]?.ceremony.opened = other.facts.id
            var ceremony = item.ceremony
            ceremony.opened = other.facts.id
            return .arrived(ceremony, other)
        }
    }

    /// Ends what has come to its end, and gives the secrets of sessions that nobody came for.
    package func sweep() -> [String] {
        let moment = now()
        return state.withLock { state in
            for (id, item) in state.items {
                if item.end <= moment {
                    Self.remove(id, &state)
                } else if let way = item.way, way.end <= moment, let other = way.other {
                    state.items[id]?.way?.other = nil
                    state.orphans.append(other.secret)
                }
            }
            defer { state.orphans = [] }
            return state.orphans
        }
    }

    /// How many are under way.
    package var count: Int { state.withLock { $0.items.count } }
}

extension Ceremonies {
    private func own(_ id: String?, _ browser: String?, _ state: borrowing State) -> Item? {
        guard let id, let browser, let item = state.items[id], now() < item.end, item.browser == Self.digest(browser)
        else { return nil }
        return item
    }

    private func entered(
        _ id: String, _ ticket: String, _ kind: CardEvidence.Kind, _ state: borrowing State
    ) -> (Item, Ticket)? {
        guard let item = state.items[id], now() < item.end, let held = item.tickets[kind],
            held.digest == Self.digest(ticket)
        else { return nil }
        return (item, held)
    }

    private static func remove(_ id: String, _ state: inout State) {
        guard let item = state.items.removeValue(forKey: id) else { return }
        dropWay(item, &state)
        if let other = item.ceremony.other { state.orphans.append(other.secret) }
        state.addresses[item.address]?.removeAll { $0 == id }
        if state.addresses[item.address]?.isEmpty == true { state.addresses[item.address] = nil }
    }

    private static func dropWay(_ item: Item, _ state: inout State) {
        guard let way = item.way else { return }
        state.ways[way.ticket] = nil
        if let other = way.other { state.orphans.append(other.secret) }
    }

    /// Digests, so that how long a look-up or a comparison takes tells nothing of a name.
    private static func digest(_ text: String) -> Digest { Digest(of: Array(text.utf8)) }
}
