import HPKI
import Identity
import JOSE
import Storage
import Testing

@Suite struct TokenIdentificationTests {
    private static let now = World.now.seconds

    @Test func `a good token gives its holder and what the token says of them`() async throws {
        let world = try await World()
        let token = try world.token([
            "client_id": "clinic-1", "roles": ["Medical Doctor"], "aud": ["x", .string(World.audience)],
        ])
        let caller = try await world.identification.identify(PresentedToken(token))
        #expect(caller.holder == World.doctor)
        #expect(caller.issuer == World.issuer && caller.subject == "doctor-1")
        #expect(caller.client == ClientID("clinic-1"))
        #expect(caller.method == .hpkiCard)
        #expect(caller.tokenRoles == [.medicalDoctor])
        #expect(caller.authenticatedAt == Instant(seconds: Self.now - 60))
        #expect(caller.tokenDigest == Digest(of: Array(token.utf8)))
        let activation = try world.identification.activate(caller)
        #expect(activation.holder == World.doctor)
        #expect(
            activation.ground
                == .window(
                    opened: Instant(seconds: Self.now - 60), end: Instant(seconds: Self.now - 60 + 18 * 3600)))
    }

    @Test func `a subject that the registry links gives the holder it is linked to`() async throws {
        let world = try await World()
        #expect(
            try await world.identification.identify(PresentedToken(world.token(["sub": "u-77"]))).holder == World.linked
        )
    }

    @Test(
        arguments: [
            (["iss": "https://issuer.example/"], IdentityError.unknownIssuer),
            (["iss": "https://other.example"], .unknownIssuer),
            (["aud": "https://other.example"], .wrongAudience),
            (["aud": []], .wrongAudience),
            (["aud": nil], .wrongAudience),
            (["sub": nil], .claim("sub", "is missing, too long, or holds control characters")),
            (["sub": ""], .claim("sub", "is missing, too long, or holds control characters")),
            (["sub": "doctor-1\nissuer=x"], .claim("sub", "is missing, too long, or holds control characters")),
            (["exp": nil], .claim("exp", "is missing")),
            (["auth_time": nil], .claim("auth_time", "is missing")),
            (["acr": nil], .claim("acr", "is missing")),
            (["acr": "password"], .claim("acr", "names no authentication that is known here")),
            (["acr": "HPKI-card"], .claim("acr", "names no authentication that is known here")),
            (["amr": nil], .claim("amr", "is missing or empty")),
            (["amr": []], .claim("amr", "is missing or empty")),
            (["client_id": "a b"], .claim("client_id", "is no client identifier")),
            (["sub": "nobody"], .unknownHolder),
            // The holder exists, and the issuer was not registered for them.
            (["sub": "pharmacist-1"], .unknownHolder),
            (["sub": "dentist-1"], .unknownHolder),
            (["sub": "u-88"], .unknownHolder),
        ] as [([String: JSONValue?], IdentityError)])
    func `each fault of a token has its own error`(changes: [String: JSONValue?], expected: IdentityError) async throws
    {
        #expect(try await World().fault(changes) == expected)
    }

    @Test func `each error is told to the caller as a failure without the token in it`() async throws {
        let world = try await World()
        let token = try world.token(["aud": "x"])
        let error = await #expect(throws: IdentityError.self) {
            try await world.identification.identify(PresentedToken(token))
        }
        let failure = try #require(error?.failure)
        #expect(failure.kind == .invalidToken && failure.detail.contains("aud"))
        #expect(!"\(failure)".contains(token.suffix(20)))
        #expect(IdentityError.unknownHolder.failure.kind == .unknownHolder)
        #expect(IdentityError.keysUnavailable.failure.kind == .issuerUnavailable)
        #expect(IdentityError.registryUnreadable("corrupt").failure.kind == .coreUnavailable)
        #expect(IdentityError.expired(at: World.now).failure.kind == .expiredToken)
        #expect(IdentityError.windowElapsed(end: World.now).failure.kind == .windowElapsed)
    }

    @Test func `text that is no token, and a token of another key under the same name, are refused`() async throws {
        let world = try await World()
        for text in ["", "a", "a.b.c", String(repeating: "x", count: 20_000)] {
            await #expect {
                try await world.identification.identify(PresentedToken(text))
            } throws: {
                if case IdentityError.token? = $0 as? IdentityError { true } else { false }
            }
        }
        let forger = try await TokenSigner.generate(keyID: "key-1", random: .system)
        guard case .token? = try await world.fault([:], by: forger) else {
            Issue.record("a forged token was taken")
            return
        }
    }

    @Test func `exp counts to the second, with 60 s for clocks that disagree`() async throws {
        let world = try await World()
        #expect(try await world.fault(["exp": .number("\(Self.now - 59)")]) == nil)
        let edge = Instant(seconds: Self.now - 60)
        #expect(try await world.fault(["exp": .number("\(Self.now - 60)")]) == .expired(at: edge))
        let far = Instant(seconds: Self.now - 100_000)
        #expect(try await world.fault(["exp": .number("\(Self.now - 100_000)")]) == .expired(at: far))
    }

    @Test func `nbf counts to the second, with 60 s for clocks that disagree`() async throws {
        let world = try await World()
        #expect(try await world.fault(["nbf": .number("\(Self.now + 60)")]) == nil)
        let edge = Instant(seconds: Self.now + 61)
        #expect(try await world.fault(["nbf": .number("\(Self.now + 61)")]) == .notYetValid(until: edge))
    }

    @Test func `the window counts 18 hours from auth_time, with 60 s for clocks that disagree`() async throws {
        let world = try await World()
        let window: Int64 = 18 * 3600
        for age in [0, window - 1, window, window + 59, window + 60] {
            #expect(try await world.fault(["auth_time": .number("\(Self.now - age)")]) == nil)
        }
        let end = Instant(seconds: Self.now - 61)
        #expect(
            try await world.fault(["auth_time": .number("\(Self.now - window - 61)")]) == .windowElapsed(end: end))
    }

    @Test func `an authentication in the future opens nothing, but for 60 s`() async throws {
        let world = try await World()
        #expect(try await world.fault(["auth_time": .number("\(Self.now + 60)")]) == nil)
        let fault = try await world.fault(["auth_time": .number("\(Self.now + 61)")])
        #expect(fault == .claim("auth_time", "lies in the future"))
    }

    @Test func `a refreshed token of the same authentication does not extend its window`() async throws {
        let world = try await World()
        world.clock.advance(seconds: 18 * 3600 + 30)
        let fresh: [String: JSONValue?] = [
            "auth_time": .number("\(Self.now - 60)"), "exp": .number("\(Self.now + 20 * 3600)"),
        ]
        #expect(
            try await world.fault(fresh) == .windowElapsed(end: Instant(seconds: Self.now - 60 + 18 * 3600)))
    }

    @Test func `a disabled holder is refused`() async throws {
        let world = try await World()
        try await world.disable(World.doctor)
        try await world.disable(World.linked)
        #expect(try await world.fault([:]) == .unknownHolder)
        #expect(try await world.fault(["sub": "u-77"]) == .unknownHolder)
    }

    // MARK: The cache

    @Test func `a token that was judged before still ends with its exp`() async throws {
        let world = try await World()
        let token = try world.token(["exp": .number("\(Self.now + 10)")])
        _ = try await world.identification.identify(PresentedToken(token))
        // Within the 60 s for which its signature counts as judged.
        world.clock.advance(seconds: 59)
        _ = try await world.identification.identify(PresentedToken(token))
        world.clock.set(Instant(seconds: Self.now + 70))
        await #expect(throws: IdentityError.expired(at: Instant(seconds: Self.now + 10))) {
            try await world.identification.identify(PresentedToken(token))
        }
        let short = try world.token(["exp": .number("\(Self.now + 30)")])
        _ = try await world.identification.identify(PresentedToken(short))
        world.clock.advance(seconds: 20)
        await #expect(throws: IdentityError.expired(at: Instant(seconds: Self.now + 30))) {
            try await world.identification.identify(PresentedToken(short))
        }
    }

    @Test func `a cached token is judged anew after 60 s, so that a disabled holder is refused then`() async throws {
        let world = try await World()
        let token = try world.token()
        _ = try await world.identification.identify(PresentedToken(token))
        try await world.disable(World.doctor)
        world.clock.advance(seconds: 60)
        await #expect(throws: IdentityError.unknownHolder) {
            try await world.identification.identify(PresentedToken(token))
        }
    }

    @Test func `a cached token whose key was withdrawn is refused once the new keys are there and 60 s are over`()
        async throws
    {
        let world = try await World(refresh: 60)
        let token = try world.token()
        _ = try await world.identification.identify(PresentedToken(token))
        world.server.serve(try await TokenSigner.generate(keyID: "key-2", random: .system).publicJWKSet)
        world.clock.advance(seconds: 60)
        // Old keys are given while new ones are fetched; that once is what a withdrawal may cost.
        _ = try? await world.identification.identify(PresentedToken(token))
        try await world.server.hasFetched(2)
        world.clock.advance(seconds: 60)
        await #expect(throws: IdentityError.unknownKey) {
            try await world.identification.identify(PresentedToken(token))
        }
    }
}

extension World {
    func disable(_ holder: HolderID) async throws {
        try await database.write { connection in
            _ = try connection.execute(
                "UPDATE holder SET state = 'disabled' WHERE id = $1", [.text(holder.description)])
        }
    }
}
