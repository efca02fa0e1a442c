import Audit
import Certificates
import Core
import CoreProtocol
import Development
import HPKI
import Host
import Identity
import JOSE
import Testing

extension CoreTests {
    @Suite struct PlatformClients {
        @Test func `a client proves who it is by an assertion of its own, made for us, once`() async throws {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                func authenticate(_ proof: ClientProof) async throws -> PlatformReply {
                    try await scene.ask(core, .authenticate(proof))
                }
                let good = ClientProof(client: nil, assertion: try scene.assertion())
                #expect(try await authenticate(good) == .client(PlatformScene.strict))
                #expect(try await failure { try await authenticate(good) }.kind == .invalidClient, "used twice")
                let stranger = try await TokenSigner.generate(random: .live)
                let now = World.now.seconds
                let wrong: [ClientProof] = [
                    ClientProof(client: "\(PlatformScene.strict)"), ClientProof(client: "nobody"),
                    ClientProof(client: nil),
                    ClientProof(client: nil, assertion: try scene.assertion(by: stranger)),
                    ClientProof(client: "\(PlatformScene.plain)", assertion: try scene.assertion()),
                    ClientProof(client: nil, assertion: try scene.assertion(["aud": "https://other.example"])),
                    ClientProof(client: nil, assertion: try scene.assertion(["sub": "plain-1"])),
                    ClientProof(client: nil, assertion: try scene.assertion(["exp": .number("\(now - 60)")])),
                    ClientProof(client: nil, assertion: try scene.assertion(["exp": .number("\(now + 86_400)")])),
                    ClientProof(client: nil, assertion: try scene.assertion(["exp": JSONValue?.none])),
                    ClientProof(client: nil, assertion: try scene.assertion(["jti": JSONValue?.none])),
                ]
                for proof in wrong {
                    #expect(try await failure { try await authenticate(proof) }.kind == .invalidClient, "\(proof)")
                }
            }
        }

        @Test func `the strict profile wants pushed requests and bound tokens, the plain one code and PKCE`()
            async throws
        {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (_, secret) = try await scene.logIn(core, try scene.hpkiCard())
                let unpushed = scene.order(secret, isPushed: false)
                #expect(try await failure { try await scene.code(core, unpushed) }.kind == .unauthorizedClient)
                let unbound = TokenOrder(
                    grant: .code(
                        try await scene.code(core, scene.order(secret)), redirectURI: PlatformScene.redirect,
                        verifier: PlatformScene.verifier),
                    client: try scene.strictProof)
                #expect(try await failure { try await scene.tokens(core, unbound) }.kind == .invalidDPoPProof)

                let plain = scene.order(secret, client: PlatformScene.plain, isPushed: false)
                let answer = try await scene.tokens(
                    core,
                    TokenOrder(
                        grant: .code(
                            try await scene.code(core, plain), redirectURI: PlatformScene.redirect,
                            verifier: PlatformScene.verifier),
                        client: ClientProof(client: "\(PlatformScene.plain)")))
                #expect(!answer.isDPoP)
                var command = try scene.world.command()
                command.token = PresentedToken(answer.accessToken)
                _ = try await core.sign(command)
            }
        }

        @Test func `an order beyond the client's registration or the request's wishes gives no code`() async throws {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (facts, secret) = try await scene.logIn(core, try scene.hpkiCard())
                scene.world.advance(seconds: 100)
                func refused(_ change: (inout GrantOrder) -> Void) async throws -> Failure {
                    var order = scene.order(secret)
                    change(&order)
                    let changed = order
                    return try await failure { try await scene.code(core, changed) }
                }
                #expect(try await refused { $0.redirectURI += "/" }.kind == .malformedRequest)
                #expect(try await refused { $0.scopes = ["openid", "admin"] }.kind == .invalidScope)
                #expect(try await refused { $0.scopes = [] }.kind == .invalidScope)
                #expect(try await refused { $0.resources = ["https://third.example"] }.kind == .invalidTarget)
                #expect(try await refused { $0.codeChallenge = "plain" }.kind == .malformedRequest)
                #expect(try await refused { $0.methods = [.jpkiCard] }.reasons == ["method"])
                #expect(try await refused { $0.maxAge = 99 }.reasons == ["max-age"])
                #expect(
                    try await refused { $0.notBefore = facts.authenticatedAt.adding(seconds: 1) }.reasons == ["again"])
                #expect(try await refused { $0.secret = "guessed" }.kind == .loginRequired)
                var fine = scene.order(secret)
                (fine.maxAge, fine.methods) = (100, [.hpkiCard])
                _ = try await scene.code(core, fine)
            }
        }

        @Test func `a token for another audience, or without the scope, does not sign`() async throws {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (_, secret) = try await scene.logIn(core, try scene.hpkiCard())
                for change in [
                    { (order: inout GrantOrder) in order.resources = ["https://other.example"] },
                    { (order: inout GrantOrder) in order.scopes = ["openid"] },
                ] {
                    var order = scene.order(secret)
                    change(&order)
                    let answer = try await scene.tokens(
                        core,
                        TokenOrder(
                            grant: .code(
                                try await scene.code(core, order), redirectURI: PlatformScene.redirect,
                                verifier: PlatformScene.verifier),
                            client: try scene.strictProof, proof: try scene.possession(core)))
                    let token = answer.accessToken
                    #expect(
                        try await failure { try await core.sign(try scene.signing(core, token)) }.kind == .invalidToken)
                }
            }
        }

        @Test func `only its own client and its resources learn what a token is worth, and revoking ends it`()
            async throws
        {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (_, secret) = try await scene.logIn(core, try scene.hpkiCard())
                let answer = try await scene.tokens(core, for: secret)
                func introspect(_ token: String) async throws -> JSONValue {
                    guard
                        case .claims(let json) = try await scene.ask(
                            core, .introspect(token: token, by: try scene.strictProof))
                    else { throw Failure(.unexpected, "no claims") }
                    return try JSONValue.read(json)
                }
                let refresh = try #require(answer.refreshToken)
                let known = try await introspect(answer.accessToken)
                #expect(known["active"] == true && known["sub"] == "doctor-1" && known["token_type"] == "DPoP")
                #expect(try await introspect(refresh)["active"] == true)
                #expect(try await introspect("guessed") == ["active": false])
                let nobody = ClientProof(client: "\(PlatformScene.plain)")
                #expect(
                    try await failure { try await scene.ask(core, .introspect(token: refresh, by: nobody)) }.kind
                        == .unauthorizedClient)
                _ = try await scene.ask(core, .revoke(token: refresh, by: nobody))
                #expect(try await introspect(refresh)["active"] == true, "another client's word is nothing")
                _ = try await scene.ask(core, .revoke(token: refresh, by: try scene.strictProof))
                #expect(try await introspect(answer.accessToken) == ["active": false])
                #expect(
                    try await failure { try await core.sign(try scene.signing(core, answer.accessToken)) }.kind
                        == .invalidToken)
                // The login stands: the client may ask for another code without the card.
                _ = try await scene.tokens(core, for: secret)
            }
        }

        @Test func `userinfo is told to the token's own key alone`() async throws {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (_, secret) = try await scene.logIn(core, try scene.hpkiCard())
                let token = try await scene.tokens(core, for: secret).accessToken
                let url = PlatformScene.issuer + "/oauth2/userinfo"
                let presented = PresentedToken(
                    token, possession: try scene.possession(core, method: "GET", url: url, token: token))
                guard case .claims(let json) = try await scene.ask(core, .userInfo(presented)) else {
                    Issue.record("no claims")
                    return
                }
                let claims = try JSONValue.read(json)
                #expect(claims["sub"] == "doctor-1" && claims["name"] == nil, "no profile was asked for")
                #expect(
                    try await failure { try await scene.ask(core, .userInfo(PresentedToken(token))) }.kind
                        == .invalidDPoPProof)
            }
        }

        @Test func `a holder sees and ends their own sessions, and nobody else's`() async throws {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let first = try await scene.logIn(core, try scene.hpkiCard())
                let second = try await scene.logIn(core, try scene.hpkiCard())
                let other = try await scene.logIn(core, try scene.hpkiCard("pharmacist-1", roles: [.pharmacist]))
                guard case .sessions(let all) = try await scene.ask(core, .sessions(secret: first.secret)) else {
                    Issue.record("no list")
                    return
                }
                #expect(Set(all.map(\.id)) == [first.facts.id, second.facts.id])
                #expect(all.filter(\.isCurrent).map(\.id) == [first.facts.id])
                let foreign = EndOrder.own(secret: first.secret, session: other.facts.id)
                #expect(try await failure { try await scene.ask(core, .end(foreign)) }.kind == .notFound)
                _ = try await scene.ask(core, .end(.own(secret: first.secret, session: second.facts.id)))
                #expect(
                    try await failure { try await scene.ask(core, .session(secret: second.secret)) }.kind
                        == .loginRequired)
                _ = try await scene.ask(core, .end(.all(secret: first.secret)))
                #expect(
                    try await failure { try await scene.ask(core, .session(secret: first.secret)) }.kind
                        == .loginRequired)
                _ = try await scene.ask(core, .session(secret: other.secret))
            }
        }

        @Test func `sessions and tokens outlive core, and token keys stay`() async throws {
            let scene = try await PlatformScene()
            nonisolated(unsafe) var kept: (secret: String, token: String, ended: String) = ("", "", "")
            try await scene.serving { core in
                let first = try await scene.logIn(core, try scene.hpkiCard())
                let second = try await scene.logIn(core, try scene.hpkiCard())
                let token = try await scene.tokens(core, for: first.secret).accessToken
                let ended = try await scene.tokens(core, for: second.secret).accessToken
                _ = try await scene.ask(core, .end(.own(secret: second.secret, session: nil)))
                unsafe kept = (first.secret, token, ended)
            }
            let (secret, token, ended) = unsafe kept
            try await scene.serving { core in
                _ = try await scene.ask(core, .session(secret: secret))
                _ = try await core.sign(try scene.signing(core, token))
                #expect(try await failure { try await core.sign(try scene.signing(core, ended)) }.kind == .invalidToken)
            }
        }

        @Test func `a disabled holder and a revoked card lose their sessions (L9, C7)`() async throws {
            let scene = try await PlatformScene()
            let card = try scene.hpkiCard("pharmacist-1", roles: [.pharmacist])
            try await scene.serving { core in
                let doctor = try await scene.logIn(core, try scene.hpkiCard())
                let pharmacist = try await scene.logIn(core, card)
                let dentist = try await scene.logIn(core, try scene.hpkiCard("dentist-1", roles: [.dentist]))
                try await scene.world.change("UPDATE holder SET state = 'disabled' WHERE id = 'dentist-1'")
                try scene.publish { try $0.revokeCard(card, reason: .superseded, at: World.now.adding(seconds: -5)) }
                await core.pollCards(quiet)
                try await core.endUnworthySessions()
                for lost in [pharmacist, dentist] {
                    #expect(
                        try await failure { try await scene.ask(core, .session(secret: lost.secret)) }.kind
                            == .loginRequired)
                }
                _ = try await scene.ask(core, .session(secret: doctor.secret))
                let notes = try await scene.world.entries().filter { $0.leaf.kind == .authentication }
                    .compactMap { $0[.note] }.filter { $0.hasPrefix("session ended") }
                #expect(Set(notes) == ["session ended: holder disabled", "session ended: card revoked"])
            }
        }
    }
}
