import Audit
import Certificates
import Core
import CoreProtocol
import Development
import HPKI
import Host
import Identity
import JOSE
import Synchronization
import Testing

extension CoreTests {
    @Suite struct Platforms {
        @Test func `a card opens a session whose tokens sign, and ending it stops the next signature (L4, L6, O1)`()
            async throws
        {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (facts, secret) = try await scene.logIn(core, try scene.hpkiCard())
                #expect(facts.method == .hpkiCard && facts.holder.description == "doctor-1")
                #expect(facts.endsAt.seconds - facts.authenticatedAt.seconds == 18 * 3600)
                let answer = try await scene.tokens(core, for: secret)
                #expect(answer.isDPoP && answer.expiresIn == 600 && answer.scopes == ["openid", "sign"])
                let claims = try scene.claims(answer.accessToken)
                #expect(
                    claims["sub"] == "doctor-1" && claims["acr"] == "hpki-card" && claims["sid"] == .string(facts.id))
                #expect(claims["roles"] == ["Medical Doctor"] && claims["attested_by"] == "front")
                #expect(claims["cnf"] == ["jkt": .string(scene.dpop.keyID)])
                let identity = try scene.claims(try #require(answer.idToken))
                #expect(identity["nonce"] == "n-1" && identity["aud"] == .string("\(PlatformScene.strict)"))
                _ = try await core.sign(try scene.signing(core, answer.accessToken))
                // The ID token is no access token, and the token without its key is nothing.
                var stolen = try scene.world.command()
                stolen.token = PresentedToken(answer.accessToken)
                #expect(try await failure { try await core.sign(stolen) }.kind == .invalidDPoPProof)
                let id = try #require(answer.idToken)
                #expect(try await failure { try await core.sign(try scene.signing(core, id)) }.kind == .invalidToken)

                #expect(
                    try await scene.ask(core, .end(.relyingSystem(idToken: id))) == .ended(client: PlatformScene.strict)
                )
                let ended = try await failure { try await core.sign(try scene.signing(core, answer.accessToken)) }
                #expect(ended.kind == .invalidToken && ended.detail.contains("has ended"))
                #expect(
                    try await failure { try await scene.ask(core, .session(secret: secret)) }.kind == .loginRequired)
                guard case .logouts(let notices) = try await scene.ask(core, .logouts) else {
                    Issue.record("no notices")
                    return
                }
                #expect(notices.map(\.client) == [PlatformScene.strict])
                let told = try scene.claims(notices[0].logoutToken)
                #expect(told["sid"] == .string(facts.id) && told["nonce"] == nil && told["events"] != nil)
                _ = try await scene.ask(core, .told(logout: notices[0].number, isDone: true))
                #expect(try await scene.ask(core, .logouts) == .logouts([]))
                let kinds = try await scene.world.kinds()
                #expect(
                    kinds == [
                        "authentication", "authentication", "intent", "outcome 1", "authentication",
                    ])
                #expect(try await scene.world.report().faults == [])
            }
        }

        @Test func `what is wrong with a card is told by the row of the catalogue (F4, F11, F18, F19)`() async throws {
            let scene = try await PlatformScene()
            let revoked = try scene.hpkiCard()
            try scene.publish { pki in
                try pki.revokeCard(revoked, reason: .keyCompromise, at: World.now.adding(seconds: -60))
            }
            try await scene.world.change("UPDATE holder SET state = 'disabled' WHERE id = 'dentist-1'")
            try await scene.serving { core in
                let cases: [(card: [UInt8], row: String)] = [
                    (revoked.der, "F18"), (try scene.hpkiCard(age: 6 * 366 * 86_400).der, "F1-expired"),
                    (try scene.hpkiCard("dentist-1", roles: [.dentist]).der, "F4"),
                    (try scene.hpkiCard("nobody-1").der, "F11"), (try scene.hpkiCard(roles: []).der, "F19"),
                    (try scene.jpkiCard().der, "F19"), (Array("no certificate".utf8), "F19"),
                    (try scene.pki.withLock { try $0.certificate(of: .jma).der }, "F19"),
                ]
                for (card, row) in cases {
                    let refused = try await failure {
                        try await scene.ask(core, .logIn(CardEvidence(kind: .hpki, certificate: card, client: nil)))
                    }
                    #expect(refused.kind == .loginRefused && refused.reasons == [row, "hpki"], "\(row): \(refused)")
                }
                // Who is looked up by a card that holds is in the log; what a stranger may have made is not.
                let refusals = try await scene.world.entries().filter { $0.leaf.kind == .refusal }
                #expect(refusals.map { $0[.decision] } == ["F4"])
            }
        }

        @Test func `cards of both generations of an authority are taken (L11)`() async throws {
            let scene = try await PlatformScene()
            let old = try scene.jpkiCard(generation: .old)
            try await scene.serving { core in
                _ = try await scene.logIn(core, try scene.hpkiCard(generation: .old))
                _ = try await core.administer(.linkCard(made(HolderID("pharmacist-1")), certificate: old.der))
                let (facts, _) = try await scene.logIn(core, old, .jpki)
                #expect(facts.holder.description == "pharmacist-1" && facts.method == .jpkiCard)
            }
        }

        @Test
        func `a My Number card belongs to one holder, and a renewed one follows it only with proof (F20, R24, R26)`()
            async throws
        {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (first, second) = (try scene.jpkiCard(), try scene.jpkiCard())
                let doctor = made(HolderID("doctor-1"))
                let unlinked = try await failure { try await scene.logIn(core, first, .jpki) }
                #expect(unlinked.reasons == ["F20", "jpki"])
                _ = try await core.administer(.linkCard(doctor, certificate: first.der))
                let taken = try await failure {
                    try await core.administer(.linkCard(made(HolderID("dentist-1")), certificate: first.der))
                }
                #expect(taken.kind == .registryConflict && taken.detail.contains("JPKIHREGERR003"))
                #expect(try await scene.logIn(core, first, .jpki).facts.holder == doctor)

                #expect(try await failure { try await scene.logIn(core, second, .jpki) }.reasons == ["F20", "jpki"])
                func words(_ card: [UInt8]?, _ serial: [UInt8]) -> String {
                    "\(Hex.encode(card ?? [])) \(Hex.encode(serial))"
                }
                let line =
                    words(second.authorityKeyIdentifier, second.serialNumber) + " "
                    + words(first.authorityKeyIdentifier, first.serialNumber) + "\n"
                try Files.write(Array(line.utf8), to: scene.world.home + "/successions")
                #expect(try await scene.logIn(core, second, .jpki).facts.holder == doctor)
                // The link has moved: the card before opens nothing any more.
                #expect(try await failure { try await scene.logIn(core, first, .jpki) }.reasons == ["F20", "jpki"])
            }
        }

        @Test func `a code is good once, for its client, its verifier and its redirect URI, for a minute`() async throws
        {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (_, secret) = try await scene.logIn(core, try scene.hpkiCard())
                func exchange(
                    _ code: String, redirect: String? = PlatformScene.redirect,
                    verifier: String = PlatformScene.verifier, proof: ClientProof? = nil
                ) async throws -> TokenAnswer {
                    try await scene.tokens(
                        core,
                        TokenOrder(
                            grant: .code(code, redirectURI: redirect, verifier: verifier),
                            client: try proof ?? scene.strictProof, proof: try scene.possession(core)))
                }
                let code = try await scene.code(core, scene.order(secret))
                let other = String(repeating: "w", count: 43)
                let plain = ClientProof(client: "\(PlatformScene.plain)")
                #expect(try await failure { try await exchange(code, redirect: nil) }.kind == .invalidGrant)
                #expect(
                    try await failure { try await exchange(code, redirect: "https://rp.example/") }.kind
                        == .invalidGrant)
                #expect(try await failure { try await exchange(code, verifier: other) }.kind == .invalidGrant)
                #expect(try await failure { try await exchange(code, proof: plain) }.kind == .invalidGrant)
                #expect(try await failure { try await exchange("guessed") }.kind == .invalidGrant)
                let answer = try await exchange(code)
                _ = try await core.sign(try scene.signing(core, answer.accessToken))
                // Used twice: somebody has a copy, and what came of it is worth nothing.
                #expect(try await failure { try await exchange(code) }.kind == .invalidGrant)
                #expect(
                    try await failure { try await core.sign(try scene.signing(core, answer.accessToken)) }.kind
                        == .invalidToken)
                let refresh = TokenOrder(
                    grant: .refresh(try #require(answer.refreshToken)), client: try scene.strictProof,
                    proof: try scene.possession(core))
                #expect(try await failure { try await scene.tokens(core, refresh) }.kind == .invalidGrant)

                let late = try await scene.code(core, scene.order(secret))
                scene.world.advance(seconds: 60)
                #expect(try await failure { try await exchange(late) }.kind == .invalidGrant)
            }
        }

        @Test func `a refresh token is good once, and never beyond the window (L7)`() async throws {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (facts, secret) = try await scene.logIn(core, try scene.hpkiCard())
                let first = try await scene.tokens(core, for: secret)
                func refresh(_ token: String, by signer: TokenSigner? = nil) async throws -> TokenAnswer {
                    try await scene.tokens(
                        core,
                        TokenOrder(
                            grant: .refresh(token), client: try scene.strictProof,
                            proof: try scene.possession(core, by: signer)))
                }
                let token = try #require(first.refreshToken)
                let stranger = try await TokenSigner.generate(random: .live)
                #expect(try await failure { try await refresh(token, by: stranger) }.kind == .invalidDPoPProof)
                let second = try await refresh(token)
                #expect(
                    try scene.claims(second.accessToken)["auth_time"] == .number("\(facts.authenticatedAt.seconds)"))
                scene.world.advance(seconds: 18 * 3600 - 100)
                let last = try await refresh(try #require(second.refreshToken))
                #expect(last.expiresIn == 100)
                // The one before comes again: the whole family ends.
                #expect(try await failure { try await refresh(token) }.kind == .invalidGrant)
                let newest = try #require(last.refreshToken)
                #expect(try await failure { try await refresh(newest) }.kind == .invalidGrant)
            }
        }

        @Test func `nothing is refreshed when the window has closed (L7)`() async throws {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (_, secret) = try await scene.logIn(core, try scene.hpkiCard())
                let first = try await scene.tokens(core, for: secret)
                scene.world.advance(seconds: 18 * 3600)
                let token = try #require(first.refreshToken)
                let order = TokenOrder(
                    grant: .refresh(token), client: try scene.strictProof, proof: try scene.possession(core))
                #expect(try await failure { try await scene.tokens(core, order) }.kind == .invalidGrant)
                #expect(
                    try await failure { try await scene.ask(core, .session(secret: secret)) }.kind == .loginRequired)
            }
        }
    }
}
