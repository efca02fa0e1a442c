import HPKI
import Identity
import JOSE
import Storage
import Testing

/// Tokens bound to a key are good for its holder alone (RFC 9449, RFC 8705).
struct PossessionTests {
    private static let url = "https://shirushi.example/v1/prescriptions"

    /// A world, a client's key, and a token bound to it.
    private struct Scene {
        let world: World
        let key: TokenSigner
        let token: String

        init(_ cnf: JSONValue? = nil) async throws {
            world = try await World()
            key = try await TokenSigner.generate(random: .system)
            token = try world.token(["cnf": cnf ?? ["jkt": .string(key.keyID)]])
        }

        func proof(
            by signer: TokenSigner? = nil, method: String = "POST", uri: String = url, jti: String = "1",
            age: Int64 = 0, token other: String? = nil, nonce: String?
        ) throws -> String {
            try (signer ?? key).dpopProof(
                method: method, uri: uri, jti: jti, at: world.clock.wall.now().adding(seconds: -age),
                accessToken: other ?? token, nonce: nonce)
        }

        func present(_ proof: String?, isDPoP: Bool = true, certificate: Digest? = nil) -> PresentedToken {
            PresentedToken(
                token,
                possession: .init(
                    isDPoP: isDPoP, proof: proof, method: "POST", url: url, certificate: certificate))
        }

        func fault(_ presented: PresentedToken) async -> IdentityError? {
            do throws(IdentityError) {
                _ = try await world.identification.identify(presented)
                return nil
            } catch { return error }
        }
    }

    @Test func `a proof by the token's own key with our nonce is taken once`() async throws {
        let scene = try await Scene()
        let nonce = scene.world.possession.nonce
        let presented = scene.present(try scene.proof(nonce: nonce))
        #expect(await scene.fault(presented) == nil)
        #expect(await scene.fault(presented) == .notPossessed("the DPoP proof was used before (jti)"))
        #expect(await scene.fault(scene.present(try scene.proof(jti: "2", nonce: nonce))) == nil)
        // The nonce of the period before is taken too, one older than that is not, and nor is the proof again.
        scene.world.clock.advance(seconds: 120)
        #expect(await scene.fault(presented) != nil)
        #expect(await scene.fault(scene.present(try scene.proof(jti: "3", nonce: nonce))) == nil)
        scene.world.clock.advance(seconds: 120)
        let late = await scene.fault(scene.present(try scene.proof(jti: "4", nonce: nonce)))
        #expect(late == .nonceNeeded(scene.world.possession.nonce))
    }

    @Test func `what proves nothing is refused`() async throws {
        let scene = try await Scene()
        let nonce = scene.world.possession.nonce
        let stranger = try await TokenSigner.generate(random: .system)
        let wrong: [PresentedToken] = [
            PresentedToken(scene.token),
            scene.present(nil), scene.present(try scene.proof(nonce: nonce), isDPoP: false),
            scene.present("a.b.c"), scene.present(try scene.proof(by: stranger, nonce: nonce)),
            scene.present(try scene.proof(method: "GET", nonce: nonce)),
            scene.present(try scene.proof(uri: "https://shirushi.example/v1/dispensings", nonce: nonce)),
            scene.present(try scene.proof(uri: "https://other.example/v1/prescriptions", nonce: nonce)),
            scene.present(try scene.proof(age: 301, nonce: nonce)),
            scene.present(try scene.proof(age: -301, nonce: nonce)),
            scene.present(try scene.proof(token: "another", nonce: nonce)),
        ]
        for presented in wrong {
            guard case .notPossessed = await scene.fault(presented) else {
                Issue.record("taken: \(presented)")
                continue
            }
        }
        for nonce in [nil, "guessed"] {
            let fault = await scene.fault(scene.present(try scene.proof(nonce: nonce)))
            #expect(fault == .nonceNeeded(scene.world.possession.nonce))
        }
    }

    @Test func `a bearer token is not shown by the scheme DPoP`() async throws {
        let scene = try await Scene()
        let bearer = try scene.world.token()
        let possession = PresentedToken.Possession(
            isDPoP: true, proof: try scene.proof(token: bearer, nonce: scene.world.possession.nonce), method: "POST",
            url: Self.url, certificate: nil)
        guard case .notPossessed = await scene.fault(PresentedToken(bearer, possession: possession)) else {
            Issue.record("taken")
            return
        }
        #expect(await scene.fault(PresentedToken(bearer)) == nil)
    }

    @Test func `a token bound to a certificate needs the connection to have it`() async throws {
        let certificate = Digest(of: Array("a certificate".utf8))
        let scene = try await Scene(["x5t#S256": .string(Base64URL.encode(certificate.bytes))])
        #expect(await scene.fault(scene.present(nil, isDPoP: false, certificate: certificate)) == nil)
        guard case .notPossessed = await scene.fault(scene.present(nil, isDPoP: true, certificate: certificate)) else {
            Issue.record("it was taken by the scheme of another kind of token (RFC 9449 §7.1)")
            return
        }
        for other in [nil, Digest(of: [1])] {
            guard case .notPossessed = await scene.fault(scene.present(nil, isDPoP: false, certificate: other)) else {
                Issue.record("taken with \(String(describing: other))")
                continue
            }
        }
    }

    @Test func `a token that names two kinds of key is refused`() async throws {
        let scene = try await Scene(["jkt": "a", "x5t#S256": "b"])
        #expect(await scene.fault(PresentedToken(scene.token)) != nil)
    }
}

/// A login that has ended ends its tokens.
struct EndedLoginTests {
    private func fault(_ world: World, _ token: String) async -> IdentityError? {
        do throws(IdentityError) {
            _ = try await world.identification.identify(PresentedToken(token))
            return nil
        } catch { return error }
    }

    @Test func `a token of an ended session is refused although it was known a moment ago`() async throws {
        let world = try await World()
        let (token, other) = (try world.token(["sid": "s-1"]), try world.token(["sid": "s-2"]))
        #expect(await fault(world, token) == nil)
        world.ended.took(LogoutStatement(issuer: World.issuer, session: "s-1", at: World.now))
        #expect(await fault(world, token) == .loginEnded)
        #expect(await fault(world, other) == nil)
        world.ended.took(LogoutStatement(issuer: "https://other.example", session: "s-2", at: World.now))
        #expect(await fault(world, other) == nil, "another issuer ends only its own sessions")
    }

    @Test func `an issuer ends a session by a logout token, and nothing else does`() async throws {
        let world = try await World()
        let event: JSONValue = ["http://schemas.openid.net/event/backchannel-logout": .object([])]
        func logout(_ changes: [String: JSONValue?] = [:], type: String = "logout+jwt") throws -> String {
            var claims: [String: JSONValue?] = [
                "iss": .string(World.issuer), "aud": .string(World.audience), "sub": "doctor-1", "sid": "s-1",
                "iat": .number("\(World.now.seconds)"), "exp": .number("\(World.now.seconds + 120)"), "jti": "j",
                "events": event,
            ]
            for (name, value) in changes { claims[name] = value }
            let members = claims.sorted { $0.key < $1.key }.compactMap { name, value in
                value.map { JSONMember(name, $0) }
            }
            return try world.signer.sign(.object(members), type: type)
        }
        let statement = try await world.identification.endedLogin(by: logout())
        #expect(statement.session == "s-1" && statement.subject == nil)
        let all = try await world.identification.endedLogin(by: logout(["sid": JSONValue?.none]))
        #expect(all.session == nil && all.subject == "doctor-1")
        let wrong: [[String: JSONValue?]] = [
            ["events": JSONValue?.none], ["events": .object([])], ["nonce": "n"], ["aud": "another"],
            ["jti": JSONValue?.none],
            ["iat": JSONValue?.none], ["exp": .number("\(World.now.seconds - 120)")],
            ["sid": JSONValue?.none, "sub": JSONValue?.none], ["iss": "https://other.example"],
        ]
        for changes in wrong {
            await #expect(throws: IdentityError.self, "\(changes)") {
                try await world.identification.endedLogin(by: logout(changes))
            }
        }
        await #expect(throws: IdentityError.self) {
            try await world.identification.endedLogin(by: logout(type: "JWT"))
        }
        // All of a subject's logins up to that moment, and none after it.
        world.ended.took(all)
        #expect(await fault(world, try world.token(["sid": "s-9"])) == .loginEnded)
        let later = try world.token(["sid": "s-9", "auth_time": .number("\(World.now.seconds + 1)")])
        world.clock.advance(seconds: 5)
        #expect(await fault(world, later) == nil)
    }

    @Test func `what has ended is read at the next start, and forgotten when no token can rest on it`() async throws {
        let world = try await World()
        let statement = LogoutStatement(issuer: World.issuer, session: "s-1", at: World.now)
        try await world.database.write { try EndedLogins.store(statement, in: $0) }
        let again = try await EndedLogins(world.database)
        func isEnded(_ ended: EndedLogins) -> Bool {
            do throws(IdentityError) {
                try ended.check(
                    issuer: World.issuer, session: "s-1", subject: "doctor-1", authenticatedAt: World.now)
                return false
            } catch { return true }
        }
        #expect(isEnded(again))
        try await again.forget(before: World.now.adding(seconds: 1), in: world.database)
        #expect(!isEnded(again))
        #expect(!isEnded(try await EndedLogins(world.database)))
    }
}
