import CoreProtocol
import HPKI

/// One platform command and one reply of each kind, with every optional field both there and not.
enum PlatformSamples {
    private static let client = made(ClientID("clinic"))
    private static let holder = made(HolderID("doctor-1"))
    private static let possession = PresentedToken.Possession(
        isDPoP: true, proof: "h.p.s", method: "POST", url: "https://sign.example/v1/signatures",
        certificate: Samples.digest)
    private static let proof = ClientProof(
        client: "clinic", assertion: "a.b.c", certificate: [0x30, 0x00], isCertificateTrusted: true)
    private static let facts = SessionFacts(
        id: "0123", holder: holder, method: .hpkiCard, authenticatedAt: Instant(seconds: 1_700_000_000),
        endsAt: Instant(milliseconds: 1_700_064_800_123), clients: [client, client], isCurrent: true)

    static let requests: [CoreRequest] =
        tokens
        + acts.map { .platform(PlatformCommand(requestID: "r-1", act: $0)) }

    private static let tokens: [CoreRequest] = [
        PresentedToken("a.b.c", possession: possession),
        PresentedToken(
            "a.b.c",
            possession: .init(isDPoP: false, proof: nil, method: "GET", url: "https://sign.example/", certificate: nil)),
    ].map { .identify(token: $0) }

    private static let acts: [PlatformAct] =
        CardEvidence.Kind.allCases.map { .logIn(CardEvidence(kind: $0, certificate: [1, 2, 3], client: client)) }
        + [
            .logIn(CardEvidence(kind: .hpki, certificate: [], client: nil)),
            .session(secret: "s"), .sessions(secret: "s"),
            .grant(order), .grant(plain),
            .token(
                TokenOrder(
                    grant: .code(
                        "c", redirectURI: "https://rp.example/cb", verifier: String(repeating: "v", count: 43)),
                    client: proof, proof: possession, scopes: ["openid"], resources: ["https://sign.example"],
                    authorizationDetails: Array("[]".utf8))),
            .token(TokenOrder(grant: .code("c", redirectURI: nil, verifier: ""), client: ClientProof(client: nil))),
            .token(TokenOrder(grant: .refresh("r"), client: ClientProof(client: "clinic"))),
            .authenticate(proof), .authenticate(proof, proof: possession), .introspect(token: "t", by: proof),
            .revoke(token: "t", by: proof),
            .userInfo(PresentedToken("a.b.c", possession: possession)), .userInfo("a.b.c"), .keys,
            .end(.own(secret: "s", session: nil)), .end(.own(secret: "s", session: "0123")), .end(.all(secret: "s")),
            .end(.relyingSystem(idToken: "a.b.c")), .logouts, .told(logout: .max, isDone: true),
            .told(logout: -1, isDone: false), .logoutToken("a.b.c"),
        ]

    private static let order = GrantOrder(
        secret: "s", client: client, redirectURI: "https://rp.example/cb", scopes: ["openid", "sign"],
        resources: ["https://sign.example"], authorizationDetails: Array("[]".utf8), nonce: "n", codeChallenge: "c",
        methods: AuthenticationMethod.allCases,
        maxAge: 3600, notBefore: Instant(seconds: 1_700_000_000), dpopThumbprint: "j", isPushed: true)

    private static let plain = GrantOrder(
        secret: "s", client: client, redirectURI: "u", scopes: [], codeChallenge: "c", isPushed: false)

    static let replies: [CoreReply] = [
        PlatformReply.opened(facts, secret: "s"), .session(facts), .sessions([]), .sessions([facts, facts]), .code("c"),
        .tokens(
            TokenAnswer(
                accessToken: "a", isDPoP: true, expiresIn: 600, idToken: "i", refreshToken: "r", scopes: ["openid"],
                authorizationDetails: Array("[]".utf8), nonce: "n")),
        .tokens(
            TokenAnswer(
                accessToken: "a", isDPoP: false, expiresIn: 0, idToken: nil, refreshToken: nil, scopes: [])),
        .client(client), .client(client, thumbprint: "j"), .claims(Array("{}".utf8)), .ended(client: client),
        .ended(client: nil), .logouts([]),
        .logouts([LogoutNotice(number: 7, client: client, url: "https://rp.example/out", logoutToken: "a.b.c")]),
        .noted,
    ].map { .platform($0) }
}
