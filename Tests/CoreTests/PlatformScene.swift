import Certificates
import Core
import CoreProtocol
import Development
import Foundation
import HPKI
import Host
import Identity
import JOSE
import Keys
import Synchronization
import Testing

/// A world whose core is an authentication platform too: authorities of cards, two clients, and cards of its holders.
final class PlatformScene: Sendable {
    static let issuer = "https://id.example"
    static let audience = "https://shirushi.example"
    static let strict = made(ClientID("strict-1"))
    static let plain = made(ClientID("plain-1"))
    static let redirect = "https://rp.example/callback"
    static let verifier = String(repeating: "v", count: 43)
    static let tokenURL = issuer + "/oauth2/token"

    static let issuerSettings = IssuerSettings(
        issuer: issuer, audience: audience, jwks: PlatformSettings.ownKeys, algorithms: [.es256], refreshSeconds: 1,
        speaksForRegistered: true, isPlatform: true)

    /// Making eight authorities with RSA keys takes a moment; every scene begins with the same.
    private static let authorities = Task {
        var pki = try DevelopmentPKI.create(random: .live, now: World.now.adding(seconds: -86_400))
        try await pki.addAuthentication(random: .live, now: World.now.adding(seconds: -86_400))
        return pki
    }
    private static let keys = Task {
        (
            client: try await TokenSigner.generate(random: .live), dpop: try await TokenSigner.generate(random: .live),
            card: DevelopmentKey.p256()
        )
    }

    let world: World
    let client: TokenSigner
    let dpop: TokenSigner
    private let card: DevelopmentKey
    let pki: Mutex<DevelopmentPKI>
    private let numbers = Mutex(0)

    init() async throws {
        world = try await World()
        let keys = try await Self.keys.value
        (client, dpop, card) = (keys.client, keys.dpop, keys.card)
        let pki = try await Self.authorities.value
        self.pki = Mutex(pki)
        for (folder, trust) in [("hpki", pki.hpkiAuthenticationTrust), ("jpki", pki.jpkiAuthenticationTrust)] {
            let place = "\(world.home)/trust/authentication/\(folder)"
            for part in ["anchors", "intermediates", "crls"] { try Files.makeFolder("\(place)/\(part)") }
            for (part, certificates) in [("anchors", trust.anchors), ("intermediates", trust.intermediates)] {
                for (index, certificate) in certificates.enumerated() {
                    try Files.write(certificate.der, to: "\(place)/\(part)/\(index).cer")
                }
            }
        }
        try publish()
    }

    /// Publishes the cards' lists of now, after a change to the authorities' books.
    func publish(_ change: (inout DevelopmentPKI) throws -> Void = { _ in }) throws {
        let now = world.clock.withLock { $0 }.adding(seconds: -1)
        let lists = try pki.withLock { pki in
            try change(&pki)
            return try pki.lists(now: now)
        }
        for (folder, name) in [(DevelopmentPKI.ListFolder.hpki, "hpki"), (.jpki, "jpki")] {
            for (file, der) in lists[folder] ?? [:] {
                try Files.write(der, to: "\(world.home)/trust/authentication/\(name)/crls/\(file)")
            }
        }
    }

    var settings: PlatformSettings {
        func card(_ name: String, _ requirements: PathRequirements) -> PlatformSettings.Card {
            PlatformSettings.Card(
                trust: .init(folder: "\(world.home)/trust/authentication/\(name)"), requirements: requirements,
                successions: world.home + "/successions")
        }
        let strict = OAuthClient(
            id: Self.strict, japaneseName: "診療所", englishName: "Clinic",
            authentication: .privateKeyJWT(jwks: client.publicJWKSet), redirectURIs: [Self.redirect],
            backchannelLogoutURI: "https://rp.example/logout", audiences: [Self.audience, "https://other.example"],
            scopes: ["openid", "profile", "sign", "credential"], authorizationDetailTypes: ["credential"])
        let plain = OAuthClient(
            id: Self.plain, japaneseName: "薬局", englishName: "Pharmacy", profile: .plain, authentication: .none,
            redirectURIs: [Self.redirect], audiences: [Self.audience], scopes: ["openid", "sign"],
            methods: [.hpkiCard])
        return PlatformSettings(
            issuer: Self.issuer, clients: [strict, plain], hpki: card("hpki", .hpkiAuthentication),
            jpki: card("jpki", .jpkiAuthentication))
    }

    func serving(_ body: (CoreInstance) async throws -> Void) async throws {
        try await world.serving(platform: settings, body)
    }

    // MARK: Cards

    /// An HPKI card of a holder; `change` may alter it before it is signed.
    func hpkiCard(
        _ holder: String = "doctor-1", generation: DevelopmentPKI.Generation = .new, age: Int64 = 3600,
        roles: [HCRole] = [.medicalDoctor], change: (inout CertificateTemplate) -> Void = { _ in }
    ) throws -> HPKICertificate {
        let profile = HolderProfile(
            romajiName: "Test", japaneseName: "試験", identifier: holder, roles: roles)
        let now = world.clock.withLock { $0 }.adding(seconds: -age)
        return try pki.withLock { pki in
            var template = try pki.authenticationTemplate(
                profile, publicKey: card.subjectPublicKeyInfo, by: .jma, generation: generation, now: now)
            // The authority's book counts the serial number that the template already has.
            _ = try pki.issueAuthentication(
                profile, publicKey: card.subjectPublicKeyInfo, by: .jma, generation: generation, now: now)
            change(&template)
            return try HPKICertificate(
                der: try template.signed(by: pki.key(of: CardIssuer(.hpki(.jma), generation))))
        }
    }

    func jpkiCard(generation: DevelopmentPKI.Generation = .new) throws -> HPKICertificate {
        let now = world.clock.withLock { $0 }
        return try pki.withLock { pki in
            try pki.issueJPKI(publicKey: card.subjectPublicKeyInfo, generation: generation, random: .live, now: now)
        }
    }

    // MARK: What front does

    func ask(_ core: CoreInstance, _ act: PlatformAct) async throws -> PlatformReply {
        try await core.platform(PlatformCommand(requestID: "request-1", act: act))
    }

    func logIn(
        _ core: CoreInstance, _ card: HPKICertificate, _ kind: CardEvidence.Kind = .hpki
    ) async throws -> (facts: SessionFacts, secret: String) {
        guard
            case .opened(let facts, let secret) = try await ask(
                core, .logIn(CardEvidence(kind: kind, certificate: card.der, client: Self.strict)))
        else { throw Failure(.unexpected, "no session") }
        return (facts, secret)
    }

    func order(_ secret: String, client: ClientID = strict, isPushed: Bool = true) -> GrantOrder {
        GrantOrder(
            secret: secret, client: client, redirectURI: Self.redirect, scopes: ["openid", "sign"], nonce: "n-1",
            codeChallenge: Base64URL.encode(Digest(of: Array(Self.verifier.utf8)).bytes), isPushed: isPushed)
    }

    func code(_ core: CoreInstance, _ order: GrantOrder) async throws -> String {
        guard case .code(let code) = try await ask(core, .grant(order)) else { throw Failure(.unexpected, "no code") }
        return code
    }

    /// A number that no other call of this scene got.
    func number() -> Int {
        numbers.withLock { number in
            number += 1
            return number
        }
    }

    func assertion(by signer: TokenSigner? = nil, _ changes: [String: JSONValue?] = [:]) throws -> String {
        let now = world.clock.withLock { $0.seconds }
        var claims: [String: JSONValue?] = [
            "iss": .string("\(Self.strict)"), "sub": .string("\(Self.strict)"), "aud": .string(Self.issuer),
            "exp": .number("\(now + 60)"), "jti": .string("assertion-\(number())"),
        ]
        for (name, value) in changes { claims[name] = value }
        let members = claims.sorted { $0.key < $1.key }.compactMap { name, value in
            value.map { JSONMember(name, $0) }
        }
        return try (signer ?? client).sign(.object(members))
    }

    var strictProof: ClientProof {
        get throws { ClientProof(client: nil, assertion: try assertion()) }
    }

    func possession(
        _ core: CoreInstance, method: String = "POST", url: String = tokenURL, token: String? = nil,
        by signer: TokenSigner? = nil
    ) throws -> PresentedToken.Possession {
        PresentedToken.Possession(
            isDPoP: true,
            proof: try (signer ?? dpop).dpopProof(
                method: method, uri: url, jti: "proof-\(number())", at: world.clock.withLock { $0 },
                accessToken: token, nonce: core.sign.nonce),
            method: method, url: url, certificate: nil)
    }

    func tokens(_ core: CoreInstance, _ order: TokenOrder) async throws -> TokenAnswer {
        guard case .tokens(let answer) = try await ask(core, .token(order)) else {
            throw Failure(.unexpected, "no tokens")
        }
        return answer
    }

    /// The strict client's tokens for a session.
    func tokens(_ core: CoreInstance, for secret: String) async throws -> TokenAnswer {
        let code = try await code(core, order(secret))
        return try await tokens(
            core,
            TokenOrder(
                grant: .code(code, redirectURI: Self.redirect, verifier: Self.verifier), client: try strictProof,
                proof: try possession(core)))
    }

    /// A signing request with the token and a fresh proof.
    func signing(_ core: CoreInstance, _ token: String, _ holder: String = "doctor-1") throws -> SignCommand {
        var command = try world.command(holder)
        command.token = PresentedToken(
            token, possession: try possession(core, url: Self.audience + "/v1/prescriptions", token: token))
        return command
    }

    func claims(_ token: String) throws -> JSONValue {
        let parts = token.split(separator: ".")
        return try JSONValue.read(try #require(Base64URL.decode(parts[1])))
    }
}
