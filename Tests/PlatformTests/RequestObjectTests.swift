import HPKI
import Host
import JOSE
import Platform
import Testing

@Suite struct RequestObjectTests {
    private static let issuer = "https://id.example"
    private static let now = Instant(seconds: 1_700_000_000)

    /// A client with a key for its request objects, and that key.
    private static func client() async throws -> (OAuthClient, TokenSigner) {
        let signer = try await TokenSigner.generate(keyID: "k-1", random: .live)
        var client = OAuthClient.plain
        client.requestKeys = signer.publicJWKSet
        return (client, signer)
    }

    private static func claims(_ changes: [String: JSONValue?] = [:]) -> JSONValue {
        var all: [String: JSONValue?] = [
            "iss": "plain", "client_id": "plain", "aud": .string(issuer), "exp": .integer(now.seconds + 60),
            "response_type": "code", "redirect_uri": "https://rp.example/cb", "scope": "openid", "state": "inner",
            "max_age": 60, "code_challenge": .string(Base64URL.encode(Digest(of: [1]).bytes)),
            "code_challenge_method": "S256", "resource": ["https://sign.example"],
        ]
        for (name, value) in changes { all[name] = .some(value) }
        return .object(
            all.sorted { $0.key < $1.key }.compactMap { name, value in value.map { JSONMember(name, $0) } })
    }

    private static func read(
        _ object: String, outer: String = "client_id=plain", _ client: OAuthClient
    ) async throws -> RequestParameters {
        try await RequestObjects.parameters(
            try RequestParameters(outer + "&request=" + object), of: client, issuer: issuer, now: now)
    }

    @Test func `what the client signed counts, and nothing beside it`() async throws {
        let (client, signer) = try await Self.client()
        let object = try signer.sign(Self.claims(), type: "oauth-authz-req+jwt")
        let read = try await Self.read(
            object, outer: "client_id=plain&response_type=code&prompt=none&login_hint=doctor-2", client)
        #expect(read["state"] == "inner" && read["prompt"] == nil && read["login_hint"] == nil)
        let request = try AuthorizationRequest(read, of: client, isPushed: false)
        #expect(request.maxAge == 60 && request.resources == ["https://sign.example"] && !request.isSilent)
    }

    @Test func `without an object the parameters are those of the request`() async throws {
        let (client, _) = try await Self.client()
        let outer = try RequestParameters(query())
        #expect(
            try await RequestObjects.parameters(outer, of: client, issuer: Self.issuer, now: Self.now) == outer)
    }

    @Test(
        arguments: [
            ["iss": "other"], ["iss": nil], ["client_id": "other"], ["client_id": nil], ["aud": "https://evil.example"],
            ["aud": nil], ["exp": 1_699_999_999], ["exp": 1_700_000_000], ["exp": nil], ["exp": 1_700_003_601],
            ["nbf": 1_700_000_061], ["request": "a.b.c"], ["request_uri": "urn:x"], ["state": "a\u{0}b"],
        ] as [[String: JSONValue?]])
    func `an object of another client, for another server, out of its time or leading further is refused`(
        change: [String: JSONValue?]
    ) async throws {
        let (client, signer) = try await Self.client()
        await Self.refused(try signer.sign(Self.claims(change)), client)
    }

    @Test func `an object of another key, of no key, of another use, or that is none is refused`() async throws {
        let (client, signer) = try await Self.client()
        let (_, stranger) = try await Self.client()
        await Self.refused(try stranger.sign(Self.claims()), client)
        await Self.refused(try signer.sign(Self.claims(), type: "at+jwt"), client)
        await Self.refused("a.b.c", client)
        let none = Base64URL.encode(Array("{\"alg\":\"none\"}".utf8))
        await Self.refused(none + "." + Base64URL.encode(Self.claims().bytes) + ".", client)
        await Self.refused(try signer.sign(Self.claims()), .plain)
    }

    @Test(arguments: ["response_type=token", "scope=sign", "redirect_uri=https%3A%2F%2Frp.example%2Fother", "state=x"])
    func `what stands beside an object must not say otherwise`(outer: String) async throws {
        let (client, signer) = try await Self.client()
        await Self.refused(try signer.sign(Self.claims()), outer: "client_id=plain&" + outer, client)
    }

    private static func refused(
        _ object: String, outer: String = "client_id=plain", _ client: OAuthClient,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        do {
            _ = try await read(object, outer: outer, client)
            Issue.record("the object was taken", sourceLocation: sourceLocation)
        } catch {
            guard case .untrusted(let fault, _)? = error as? AuthorizationFault else {
                Issue.record("another error: \(error)", sourceLocation: sourceLocation)
                return
            }
            #expect(fault.code == .invalidRequestObject, sourceLocation: sourceLocation)
        }
    }
}
