import Core
import CoreProtocol
import HPKI
import Identity
import JOSE
import Testing

extension CoreTests {
    /// Leave to sign given documents (RFC 9396), from the code to the token and no further.
    @Suite struct PlatformDetails {
        private static func details(_ numbers: [UInt8], credential: String = "key-1") throws -> AuthorizationDetails {
            let digests = numbers.map { number -> JSONValue in
                ["hash": .string(Base64.encode(Digest(of: [number]).bytes))]
            }
            return try AuthorizationDetails([
                [
                    "type": "credential", "credentialID": .string(credential), "documentDigests": .array(digests),
                    "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1",
                ]
            ])
        }

        private static func order(_ scene: PlatformScene, _ secret: String, _ numbers: [UInt8]) throws -> GrantOrder {
            var order = scene.order(secret)
            order.authorizationDetails = try details(numbers).json
            return order
        }

        private static func exchange(
            _ scene: PlatformScene, _ core: CoreInstance, _ code: String, part: AuthorizationDetails? = nil
        ) async throws -> TokenAnswer {
            try await scene.tokens(
                core,
                TokenOrder(
                    grant: .code(code, redirectURI: PlatformScene.redirect, verifier: PlatformScene.verifier),
                    client: try scene.strictProof, proof: try scene.possession(core),
                    authorizationDetails: part?.json))
        }

        @Test func `a token has the details that were granted, in its answer, its claims and its introspection`()
            async throws
        {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (_, secret) = try await scene.logIn(core, try scene.hpkiCard())
                let answer = try await Self.exchange(
                    scene, core, try await scene.code(core, Self.order(scene, secret, [1, 2])))
                let granted = try Self.details([1, 2])
                #expect(answer.authorizationDetails == granted.json)
                #expect(try scene.claims(answer.accessToken)["authorization_details"] == granted.value)
                guard
                    case .claims(let json) = try await scene.ask(
                        core, .introspect(token: answer.accessToken, by: try scene.strictProof))
                else { throw Failure(.unexpected, "no claims") }
                #expect(try JSONValue.read(json)["authorization_details"] == granted.value)
                #expect(answer.refreshToken == nil, "what was granted once is not granted again")
                #expect(answer.nonce == core.sign.nonce, "RFC 9449 §8.2")
                var alone = try Self.order(scene, secret, [1])
                alone.scopes = []
                let bare = try await Self.exchange(scene, core, try await scene.code(core, alone))
                #expect(try scene.claims(bare.accessToken)["scope"] == nil && bare.idToken == nil)
            }
        }

        @Test func `a token that is for given documents signs nothing at today's routes`() async throws {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (_, secret) = try await scene.logIn(core, try scene.hpkiCard())
                let answer = try await Self.exchange(
                    scene, core, try await scene.code(core, Self.order(scene, secret, [1])))
                #expect(answer.scopes.contains("sign"))
                let refused = try await failure {
                    try await core.sign(try scene.signing(core, answer.accessToken))
                }
                #expect(refused.kind == .invalidToken && refused.detail.contains("authorization_details"))
                #expect(refused.detail == IdentityError.boundToDocuments.failure.detail)
                let plain = try await scene.tokens(core, for: secret)
                #expect(plain.authorizationDetails == nil && plain.refreshToken != nil)
                _ = try await core.sign(try scene.signing(core, plain.accessToken))
            }
        }

        @Test func `a token request narrows what was granted, and never widens it`() async throws {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (_, secret) = try await scene.logIn(core, try scene.hpkiCard())
                let code = try await scene.code(core, Self.order(scene, secret, [1, 2]))
                for more in [try Self.details([1, 3]), try Self.details([1], credential: "key-2")] {
                    let refused = try await failure { try await Self.exchange(scene, core, code, part: more) }
                    #expect(refused.kind == .invalidAuthorizationDetails)
                }
                let part = try Self.details([2])
                let answer = try await Self.exchange(scene, core, code, part: part)
                #expect(answer.authorizationDetails == part.json, "a refused request does not use the code up")
                let none = try await scene.code(core, scene.order(secret))
                let refused = try await failure { try await Self.exchange(scene, core, none, part: part) }
                #expect(refused.kind == .invalidAuthorizationDetails)
            }
        }

        @Test func `core judges details again, whatever front let through`() async throws {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let (_, secret) = try await scene.logIn(core, try scene.hpkiCard())
                let other = "https://cloudsignatureconsortium.org/2025/credential"
                let json = String(decoding: try Self.details([1]).json, as: UTF8.self)
                for text in [json.replacing("\"credential\"", with: "\"\(other)\""), "[]", "{", ""] {
                    var order = scene.order(secret)
                    order.authorizationDetails = Array(text.utf8)
                    let refused = try await failure { try await scene.code(core, order) }
                    #expect(refused.kind == .invalidAuthorizationDetails, "\(text)")
                }
                var bare = scene.order(secret)
                bare.scopes = ["credential"]
                #expect(try await failure { try await scene.code(core, bare) }.kind == .invalidAuthorizationDetails)
                var plain = scene.order(secret, client: PlatformScene.plain)
                plain.authorizationDetails = try Self.details([1]).json
                let refused = try await failure { try await scene.code(core, plain) }
                #expect(refused.kind == .invalidAuthorizationDetails, "it is registered for no type")
            }
        }

        @Test func `a pushed request's proof tells its key, once and with our nonce (RFC 9449 §10.1)`() async throws {
            let scene = try await PlatformScene()
            try await scene.serving { core in
                let url = PlatformScene.issuer + "/oauth2/pushed_authorize"
                func authenticate(_ proof: PresentedToken.Possession?) async throws -> PlatformReply {
                    try await scene.ask(core, .authenticate(try scene.strictProof, proof: proof))
                }
                let proof = try scene.possession(core, url: url)
                guard case .client(PlatformScene.strict, let thumbprint?) = try await authenticate(proof) else {
                    throw Failure(.unexpected, "no key")
                }
                let (_, secret) = try await scene.logIn(core, try scene.hpkiCard())
                let answer = try await scene.tokens(core, for: secret)
                #expect(try scene.claims(answer.accessToken)["cnf"]?["jkt"] == .string(thumbprint))
                #expect(try await failure { try await authenticate(proof) }.kind == .invalidDPoPProof, "used before")
                let elsewhere = PresentedToken.Possession(
                    isDPoP: true, proof: try scene.possession(core).proof, method: "POST", url: url, certificate: nil)
                #expect(try await failure { try await authenticate(elsewhere) }.kind == .invalidDPoPProof)
                #expect(try await authenticate(nil) == .client(PlatformScene.strict))
            }
        }
    }
}
