import CoreProtocol
import HPKI
import Host
import JOSE
import Platform
import Testing

/// Authorization requests for more than scopes, and hints of who is expected.
@Suite struct RequestedDetailsTests {
    private static let hash = Base64.encode(Digest(of: [1]).bytes)
    private static let sha256 = "2.16.840.1.101.3.4.2.1"
    private static let json =
        "[{\"type\":\"credential\",\"credentialID\":\"key-1\",\"documentDigests\":[{\"hash\":\"\(hash)\"}],"
        + "\"hashAlgorithmOID\":\"\(sha256)\"}]"
    private static let parameters: [String: String?] = [
        "scope": "credential", "credentialID": "key-1", "hashes": Base64URL.encode(Digest(of: [1]).bytes),
        "hashAlgorithmOID": sha256,
    ]
    private static let client: OAuthClient = {
        var client = OAuthClient.plain
        client.scopes.append("credential")
        client.authorizationDetailTypes = ["credential"]
        return client
    }()

    private static func read(
        _ changes: [String: String?], of client: OAuthClient = client
    ) throws -> AuthorizationRequest {
        try AuthorizationRequest(try RequestParameters(query(changes)), of: client, isPushed: false)
    }

    private static func code(_ changes: [String: String?], of client: OAuthClient = client) -> OAuthError.Code? {
        do {
            _ = try read(changes, of: client)
            return nil
        } catch { return (error as? AuthorizationFault)?.error.code }
    }

    @Test func `details reach core as they are written, with scopes or alone`() throws {
        let read = try Self.read(["authorization_details": Self.json])
        #expect(read.order(secret: "s", startedAt: nil).authorizationDetails == Array(Self.json.utf8))
        let alone = try Self.read(["authorization_details": Self.json, "scope": nil])
        #expect(alone.scopes.isEmpty && alone.details == read.details)
        #expect(try Self.read([:]).order(secret: "s", startedAt: nil).authorizationDetails == nil)
    }

    @Test func `the scope credential with its parameters says the same`() throws {
        let read = try Self.read(Self.parameters)
        #expect(read.details?.json == Array(Self.json.utf8) && read.scopes == ["credential"])
        #expect(
            try Self.read(Self.parameters.merging(["numSignatures": "1"]) { $1 }).details?.entries[0].numSignatures == 1
        )
        #expect(try Self.read(["scope": "credential", "authorization_details": Self.json]).details == read.details)
        for (change, expected) in [
            (["hashes": nil], .invalidRequest), (["credentialID": nil], .invalidRequest),
            (["numSignatures": "many"], .invalidRequest), (["hashAlgorithmOID": "1.2.3"], .invalidRequest),
            (["authorization_details": Self.json], .invalidAuthorizationDetails),
        ] as [([String: String?], OAuthError.Code)] {
            #expect(Self.code(Self.parameters.merging(change) { $1 }) == expected, "\(change)")
        }
    }

    @Test func `types that the client may not have, unknown ones, and places that are not its own are refused`() {
        #expect(Self.code(["authorization_details": Self.json], of: .plain) == .invalidAuthorizationDetails)
        for text in [
            "[{\"type\":\"payment\"}]", "no JSON",
            Self.json.replacing("\"credential\"", with: "\"https://cloudsignatureconsortium.org/2025/credential\""),
            Self.json.replacing(
                "\(Self.sha256)\"}]", with: "\(Self.sha256)\",\"locations\":[\"https://evil.example\"]}]"),
            Self.json.replacing(
                "\(Self.sha256)\"}]", with: "\(Self.sha256)\",\"locations\":[\"https://sign.example.evil\"]}]"),
        ] { #expect(Self.code(["authorization_details": text]) == .invalidAuthorizationDetails, "\(text)") }
        let below = Self.json.replacing(
            "\(Self.sha256)\"}]", with: "\(Self.sha256)\",\"locations\":[\"https://sign.example/csc/v2\"]}]")
        #expect(Self.code(["authorization_details": below]) == nil)
    }

    @Test func `a request object has details as JSON`() throws {
        let claims: JSONValue = ["authorization_details": try JSONValue.read(Array(Self.json.utf8)), "state": "s"]
        #expect(try RequestParameters(claims: claims)["authorization_details"] == Self.json)
    }

    @Test func `a token request asks for a part in the same words`() throws {
        let form = "grant_type=refresh_token&refresh_token=r&"
        let client = ClientProof(client: "plain")
        func order(_ text: String) throws -> TokenOrder {
            let query = form + PercentEncoding.query([("authorization_details", text)])
            return try TokenRequest.order(try RequestParameters(query), client: client, proof: nil)
        }
        #expect(try order(Self.json).authorizationDetails == Array(Self.json.utf8))
        #expect { try order("[]") } throws: { ($0 as? Failure)?.kind == .invalidAuthorizationDetails }
    }

    @Test func `the key that a pushed request proves counts as dpop_jkt, and both must be the same`() throws {
        func thumbprint(_ parameter: String?, proven: String?) throws -> String? {
            try AuthorizationRequest(
                try RequestParameters(query(["dpop_jkt": parameter])), of: .plain, isPushed: true, proven: proven
            ).dpopThumbprint
        }
        let (key, other) = (Base64URL.encode(Digest(of: [2]).bytes), Base64URL.encode(Digest(of: [3]).bytes))
        #expect(try thumbprint(nil, proven: key) == key && thumbprint(key, proven: key) == key)
        #expect(try thumbprint(key, proven: nil) == key && thumbprint(nil, proven: nil) == nil)
        #expect(throws: AuthorizationFault.self) { try thumbprint(other, proven: key) }
    }

    @Test func `an ID token says who is expected, where it is one of ours for the client`() async throws {
        let (signer, other) = (
            try await TokenSigner.generate(random: .live), try await TokenSigner.generate(random: .live)
        )
        func holder(
            _ changes: [String: JSONValue] = [:], by key: TokenSigner? = nil, type: String = "JWT"
        ) async throws
            -> Result<HolderID?, OAuthError>
        {
            var all: [String: JSONValue] = [
                "iss": "https://id.example", "aud": "plain", "sub": "doctor-2", "exp": 1,
            ]
            for (name, value) in changes { all[name] = value }
            let token = try (key ?? signer).sign(.object(all.map { JSONMember($0.key, $0.value) }), type: type)
            return await IDTokenHint.holder(
                token, keys: signer.publicJWKSet, issuer: "https://id.example", client: OAuthClient.plain.id)
        }
        #expect(try await holder() == .success(made(HolderID("doctor-2"))), "expired, and a hint all the same")
        #expect(try await holder(by: other) == .success(nil), "nobody can judge it any more")
        for wrong in [
            try await holder(["iss": "https://evil.example"]), try await holder(["aud": "other"]),
            try await holder(["sub": ""]), try await holder(type: "at+jwt"),
            await IDTokenHint.holder(
                "a.b.c", keys: signer.publicJWKSet, issuer: "https://id.example", client: OAuthClient.plain.id),
        ] {
            guard case .failure(let error) = wrong else {
                Issue.record("a wrong hint was taken")
                continue
            }
            #expect(error.code == .invalidRequest)
        }
        let parameters = try RequestParameters(query(["login_hint": "doctor-1"]))
        let hinted = try AuthorizationRequest(
            parameters, of: .plain, isPushed: false, hinted: .success(made(HolderID("doctor-2"))))
        #expect(hinted.loginHint?.description == "doctor-2")
        #expect(throws: AuthorizationFault.self) {
            try AuthorizationRequest(
                parameters, of: .plain, isPushed: false, hinted: .failure(OAuthError(.invalidRequest, "no")))
        }
    }
}
