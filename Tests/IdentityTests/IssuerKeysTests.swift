import HPKI
import Identity
import JOSE
import Testing

@Suite(.timeLimit(.minutes(10))) struct IssuerKeysTests {
    @Test func `keys are fetched once and again when they are 300 s old`() async throws {
        let world = try await World()
        for _ in 0..<5 { #expect(try await world.fault(["jti": "a"]) == nil) }
        #expect(world.server.fetches == 1)
        world.clock.advance(seconds: 299)
        #expect(try await world.fault(["jti": "b"]) == nil)
        #expect(world.server.fetches == 1)
        world.clock.advance(seconds: 1)
        #expect(try await world.fault(["jti": "c"]) == nil)
        try await world.server.hasFetched(2)
        #expect(try await world.fault(["jti": "d"]) == nil)
        #expect(world.server.fetches == 2)
    }

    @Test func `a rotated key is picked up without a restart`() async throws {
        let world = try await World()
        #expect(try await world.fault([:]) == nil)
        let next = try await TokenSigner.generate(keyID: "key-2", random: .system)
        world.server.serve(next.publicJWKSet)
        world.clock.advance(seconds: 30)
        #expect(try await world.fault([:], by: next) == nil)
        #expect(world.server.fetches == 2)
    }

    @Test func `unknown keys make us ask at most every tenth of the refresh time`() async throws {
        let world = try await World()
        #expect(try await world.fault([:]) == nil)
        let stranger = try await TokenSigner.generate(keyID: "stranger", random: .system)
        for number in 0..<20 {
            #expect(try await world.fault(["jti": .string("\(number)")], by: stranger) == .unknownKey)
        }
        #expect(world.server.fetches == 1, "the keys were fetched a moment ago")
        world.clock.advance(seconds: 29)
        #expect(try await world.fault([:], by: stranger) == .unknownKey)
        #expect(world.server.fetches == 1)
        world.clock.advance(seconds: 1)
        for _ in 0..<20 { #expect(try await world.fault([:], by: stranger) == .unknownKey) }
        #expect(world.server.fetches == 2)
    }

    @Test func `through an outage known keys are kept for refresh and keep seconds, and then no token is taken`()
        async throws
    {
        let world = try await World(refresh: 300, keep: 3600)
        let late: [String: JSONValue?] = ["exp": .number("\(World.now.seconds + 100_000)")]
        #expect(try await world.fault(late) == nil)
        world.server.serve(nil)
        world.clock.advance(seconds: 3899)
        #expect(try await world.fault(late) == nil)
        world.clock.advance(seconds: 61)
        try await world.server.hasFetched(2)
        #expect(try await world.fault(late) == .keysUnavailable)
        world.server.serve(world.signer.publicJWKSet)
        world.clock.advance(seconds: 1)
        #expect(try await world.fault(late) == nil)
    }

    @Test func `keys that were never fetched cannot be kept, and a broken set is no set`() async throws {
        let world = try await World()
        world.server.serve(nil)
        #expect(try await world.fault([:]) == .keysUnavailable)
        world.clock.advance(seconds: 1)
        world.server.serve(Array("{\"keys\": 7}".utf8))
        #expect(try await world.fault([:]) == .keysUnavailable)
        #expect(world.server.fetches == 2)
        #expect(try await world.fault([:]) == .keysUnavailable)
        #expect(world.server.fetches == 2, "one second must pass between two tries")
        world.clock.advance(seconds: 1)
        world.server.serve(world.signer.publicJWKSet)
        #expect(try await world.fault([:]) == nil)
    }

    @Test func `an issuer that hangs holds up nobody whose key is known`() async throws {
        let world = try await World()
        let gate = AsyncStream<Void>.makeStream()
        let settings = IssuerSettings(
            issuer: World.issuer, audience: World.audience, jwks: "https://issuer.example/jwks",
            holders: [World.doctor]
        )
        let server = world.server
        let identification = TokenIdentification(
            issuers: [settings], window: ActivationWindow(), database: world.database, clock: world.clock.wall,
            possession: PossessionGate(clock: world.clock.wall, random: .system), ended: EndedLogins(),
            fetch: { address in
                let keys = try await server.fetch(address)
                if server.fetches > 1 { for await _ in gate.stream { break } }
                return keys
            }
        )
        _ = try await identification.identify(PresentedToken(world.token(["jti": "1"])))
        world.clock.advance(seconds: 301)
        for number in 2..<10 {
            let token = try world.token(["jti": .string("\(number)")])
            _ = try await identification.identify(PresentedToken(token))
        }
        try await server.hasFetched(2)
        #expect(server.fetches == 2)
        gate.continuation.finish()
    }
}
