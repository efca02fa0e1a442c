import CoreProtocol
import HPKI
import Platform
import Synchronization
import Testing

@Suite struct StoreTests {
    private static func ceremonies(_ clock: TestClock, limit: Int = 100) -> Ceremonies {
        Ceremonies(
            seconds: 600, limit: limit, random: counting(), clock: .fixed(Instant(seconds: 1_700_000_000)),
            now: clock.now)
    }

    private static func other(_ secret: String = "secret") -> Ceremony.Other { .init(facts: session(), secret: secret) }

    @Test func `a pushed request is one client's and one browser's, for ninety seconds`() throws {
        let clock = TestClock()
        let pushed = PushedRequests(random: counting(), now: clock.now)
        let reference = try pushed.push(try request())
        let plain = OAuthClient.plain.id
        #expect(pushed.use(reference, by: made(ClientID("other")), browser: "b") == nil)
        #expect(pushed.use(reference + "x", by: plain, browser: "b") == nil)
        #expect(pushed.use(reference, by: plain, browser: "b") != nil)
        #expect(pushed.use(reference, by: plain, browser: "b") != nil, "a reload")
        #expect(pushed.use(reference, by: plain, browser: "c") == nil)
        clock.pass(seconds: 90)
        #expect(pushed.use(reference, by: plain, browser: "b") == nil)
    }

    @Test func `pushed requests are bounded for each client and for all`() throws {
        let clock = TestClock()
        let pushed = PushedRequests(limit: 20, random: counting(), now: clock.now)
        for _ in 0..<2 { _ = try pushed.push(try request()) }
        #expect(throws: Failure.self) { try pushed.push(try request()) }
        #expect(pushed.count == 2)
        clock.pass(seconds: 91)
        _ = try pushed.push(try request())
        #expect(pushed.count == 1)
    }

    @Test func `a login is one browser's, and ends`() throws {
        let clock = TestClock()
        let store = Self.ceremonies(clock)
        let one = try store.begin(try request(), browser: "b", address: "a")
        #expect(store.find(one.id, browser: "b") == one)
        #expect(store.find(one.id, browser: "c") == nil && store.find(one.id, browser: nil) == nil)
        #expect(store.find(nil, browser: "b") == nil)
        clock.pass(seconds: 600)
        #expect(store.find(one.id, browser: "b") == nil)
        #expect(store.sweep().isEmpty && store.count == 0)
    }

    @Test func `tickets are for one host, once with a card, and the way back is the browser's`() throws {
        let clock = TestClock()
        let store = Self.ceremonies(clock)
        let one = try store.begin(try request(), browser: "b", address: "a")
        #expect(store.ticket(one.id, browser: "c", to: .hpki) == nil)
        let first = try #require(store.ticket(one.id, browser: "b", to: .hpki))
        let ticket = try #require(store.ticket(one.id, browser: "b", to: .hpki))
        #expect(store.enter(one.id, ticket: first, at: .hpki) == .unknown, "a later one took its place")
        #expect(store.enter(one.id, ticket: ticket, at: .jpki) == .unknown)
        #expect(store.enter(one.id, ticket: ticket, at: .hpki) == .open(one))
        let back = try #require(store.leave(one.id, ticket: ticket, at: .hpki, with: Self.other()))
        #expect(store.leave(one.id, ticket: ticket, at: .hpki, with: Self.other()) == nil)
        #expect(store.enter(one.id, ticket: ticket, at: .hpki) == .done)
        guard case .arrived(let ceremony, let found) = store.arrive(back, browser: "b") else {
            Issue.record("the way back is closed")
            return
        }
        #expect(ceremony.opened == "sid" && found == Self.other())
        guard case .repeated = store.arrive(back, browser: "b") else {
            Issue.record("a reload is not known")
            return
        }
        #expect(store.arrive(back, browser: "c") == .unknown && store.arrive("x", browser: "b") == .unknown)
    }

    @Test func `a session that another browser is led into, or that nobody comes for, is given up`() throws {
        let clock = TestClock()
        let store = Self.ceremonies(clock)
        func left(_ secret: String) throws -> String {
            let one = try store.begin(try request(), browser: "b", address: "a")
            let ticket = try #require(store.ticket(one.id, browser: "b", to: .jpki))
            return try #require(store.leave(one.id, ticket: ticket, at: .jpki, with: Self.other(secret)))
        }
        #expect(store.arrive(try left("forced"), browser: "c") == .foreign(secret: "forced"))
        _ = try left("lost")
        #expect(store.sweep().isEmpty)
        clock.pass(seconds: 60)
        #expect(store.sweep() == ["lost"] && store.sweep().isEmpty)
        let late = try left("late")
        clock.pass(seconds: 61)
        guard case .repeated = store.arrive(late, browser: "b") else {
            Issue.record("a ticket outlived its minute")
            return
        }
        #expect(store.sweep() == ["late"])
    }

    @Test func `a session that waits for a word on who goes on ends with its login`() throws {
        let clock = TestClock()
        let store = Self.ceremonies(clock)
        let one = try store.begin(try request(), browser: "b", address: "a")
        store.update(one.id, browser: "b") { $0.other = Self.other("waiting") }
        store.update(one.id, browser: "c") { $0.other = nil }
        clock.pass(seconds: 600)
        #expect(store.sweep() == ["waiting"])
    }

    @Test func `what is over is kept for a minute`() throws {
        let clock = TestClock()
        let store = Self.ceremonies(clock)
        let one = try store.begin(try request(), browser: "b", address: "a")
        store.finish(one.id, browser: "b")
        clock.pass(seconds: 59)
        #expect(store.find(one.id, browser: "b") != nil)
        clock.pass(seconds: 1)
        #expect(store.find(one.id, browser: "b") == nil)
    }

    @Test func `an address pushes out its own logins, and nobody else's`() throws {
        let clock = TestClock()
        let store = Self.ceremonies(clock, limit: 20)
        let kept = try store.begin(try request(), browser: "b", address: "quiet")
        let first = try store.begin(try request(), browser: "b", address: "loud")
        for _ in 0..<5 { _ = try store.begin(try request(), browser: "b", address: "loud") }
        #expect(store.find(first.id, browser: "b") == nil && store.find(kept.id, browser: "b") != nil)
        #expect(store.count == 3)
        for address in 0..<17 { _ = try store.begin(try request(), browser: "b", address: "\(address)") }
        #expect(throws: Failure.self) { try store.begin(try request(), browser: "b", address: "one more") }
    }

    @Test func `a bucket gives its burst, then its rate, and tells how long to wait`() throws {
        let clock = TestClock()
        let limits = RateLimits(limit: 2, now: clock.now)
        let rate = RateLimits.Rate(perSecond: 0.5, burst: 2)
        for _ in 0..<2 { try limits.take(.address("a"), rate) }
        do {
            try limits.take(.address("a"), rate)
            Issue.record("a third was given")
        } catch {
            #expect(error.kind == .tooManyRequests && error.retryAfter == 2)
        }
        let holder = made(HolderID("doctor-1"))
        try limits.take(.account(holder, address: "b"), rate)
        try limits.take(.address("c"), rate)
        #expect(limits.count <= 2)
        clock.pass(seconds: 2)
        try limits.take(.address("a"), rate)
        for _ in 0..<100 { try limits.take(.address("a"), RateLimits.Rate(perSecond: 0, burst: 0)) }
    }

    @Test func `an account is counted with the address that names it, so that nobody is locked out from elsewhere`()
        throws
    {
        let limits = RateLimits(now: TestClock().now)
        let rate = RateLimits.Rate(perSecond: 0.1, burst: 1)
        let holder = made(HolderID("doctor-1"))
        try limits.take(.account(holder, address: "evil"), rate)
        #expect(throws: Failure.self) { try limits.take(.account(holder, address: "evil"), rate) }
        try limits.take(.account(holder, address: "clinic"), rate)
    }
}
