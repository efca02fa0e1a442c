import CoreProtocol
import HPKI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing
import Web

@Suite struct PresentedTokenTests {
    private static let path = "/v1/signatures/00112233445566778899aabbccddeeff"
    private static let dpop = made(HTTPField.Name("DPoP"))
    private static let nonce = made(HTTPField.Name("DPoP-Nonce"))

    private static func get(
        _ headers: HTTPFields, _ core: FakeCore = .knowing, certificate: [UInt8]? = nil, query: String = "",
        _ check: @escaping @Sendable (TestResponse) throws -> Void = { #expect($0.status == .ok) }
    ) async throws {
        let web = try WebServer.before(core)
        let router = web.router(groups: [.api], tls: ConnectionFacts(clientCertificate: { _ in certificate }))
        try await Application(router: router).test(.router) { client in
            try await client.execute(uri: path + query, method: .get, headers: headers, testCallback: check)
        }
    }

    private static func possession(_ core: FakeCore) -> PresentedToken.Possession? {
        guard case .lookup(let token, _)? = core.requests.last else { return nil }
        #expect(token.text == WebTests.token())
        return token.possession
    }

    @Test func `core is told the scheme, the proof, the method and the address without its query`() async throws {
        let core = FakeCore.knowing
        try await Self.get([.authorization: "DPoP \(token())", Self.dpop: "h.p.s"], core, query: "?x=1")
        let possession = try #require(Self.possession(core))
        #expect(possession.isDPoP && possession.proof == "h.p.s" && possession.method == "GET")
        #expect(possession.url == "https://localhost" + Self.path && possession.certificate == nil)
    }

    @Test func `core is told the digest of the client's certificate`() async throws {
        let core = FakeCore.knowing
        try await Self.get(bearer(), core, certificate: [1, 2])
        #expect(Self.possession(core)?.certificate == Digest(of: [1, 2]))
        #expect(Self.possession(core)?.isDPoP == false)
        try await Self.get(bearer(), core)
        #expect(Self.possession(core) == nil)
    }

    @Test func `a proof beside the scheme Bearer and DPoP without a proof are for core to refuse`() async throws {
        let core = FakeCore.knowing
        try await Self.get([.authorization: "bearer \(token())", Self.dpop: "h.p.s"], core)
        #expect(Self.possession(core)?.isDPoP == false && Self.possession(core)?.proof == "h.p.s")
        try await Self.get([.authorization: "dpop \(token())"], core)
        #expect(Self.possession(core)?.isDPoP == true && Self.possession(core)?.proof == nil)
    }

    @Test func `two proofs, and one that is none, are refused`() async throws {
        var two: HTTPFields = [.authorization: "DPoP \(token())", Self.dpop: "h.p.s"]
        two.append(HTTPField(name: Self.dpop, value: "h.p.s"))
        let core = FakeCore.knowing
        for headers in [two, [.authorization: "DPoP \(token())", Self.dpop: "a b"]] {
            try await Self.get(headers, core) { response in
                _ = try response.problem(.invalidDPoPProof)
                #expect(response.headers[.wwwAuthenticate]?.hasPrefix("DPoP ") == true)
            }
        }
        #expect(core.requests.isEmpty)
    }

    @Test func `whoever comes by DPoP is told of an error by DPoP, with the algorithms`() async throws {
        try await Self.get(
            [.authorization: "DPoP \(token())", Self.dpop: "h.p.s"], .failing(Failure(.invalidToken, "Revoked."))
        ) { response in
            #expect(
                response.headers[values: .wwwAuthenticate]
                    == [
                        "DPoP realm=\"shirushi\", error=\"invalid_token\", error_description=\"Revoked.\", "
                            + "algs=\"ES256 RS256 PS256\""
                    ])
        }
    }

    @Test func `a nonce comes in its field`() async throws {
        try await Self.get(
            [.authorization: "DPoP \(token())", Self.dpop: "h.p.s"],
            .failing(Failure(.dpopNonceNeeded, "A nonce.", reasons: ["n-1"]))
        ) { response in
            let problem = try response.problem(.dpopNonceNeeded)
            #expect(problem.reasons == nil)
            #expect(response.headers[Self.nonce] == "n-1")
            #expect(response.headers[.wwwAuthenticate]?.contains("error=\"use_dpop_nonce\"") == true)
        }
    }

    @Test func `a login that is not enough names the one that is (RFC 9470)`() async throws {
        try await Self.get(
            bearer(),
            .failing(
                Failure(
                    .insufficientAuthentication, "Older than allowed.",
                    reasons: ["acr_values=hpki-card jpki-card", "max_age=3600", "else=x"]))
        ) { response in
            #expect(
                response.headers[values: .wwwAuthenticate]
                    == [
                        "Bearer realm=\"shirushi\", error=\"insufficient_user_authentication\", "
                            + "error_description=\"Older than allowed.\", acr_values=\"hpki-card jpki-card\", max_age=\"3600\""
                    ])
        }
    }
}
