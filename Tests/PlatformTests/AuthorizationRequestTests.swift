import CoreProtocol
import HPKI
import Platform
import Testing

@Suite struct AuthorizationRequestTests {
    private static func fault(_ changes: [String: String?]) -> AuthorizationFault? {
        do {
            _ = try request(changes)
            return nil
        } catch { return error as? AuthorizationFault }
    }

    @Test func `a request in order is read whole`() throws {
        let read = try request([
            "scope": "openid sign", "resource": "https://sign.example", "nonce": "n", "prompt": "login select_account",
            "max_age": "0", "acr_values": "gold jpki-card hpki-card jpki-card", "login_hint": "doctor-1",
            "ui_locales": "ja en", "dpop_jkt": Base64URL.encode(Digest(of: [2]).bytes), "unknown": "x",
        ])
        #expect(read.client == OAuthClient.plain.id && read.target.state == "s-1" && read.maxAge == 0)
        #expect(read.scopes == ["openid", "sign"] && read.resources == ["https://sign.example"])
        #expect(read.methods == [.jpkiCard, .hpkiCard], "in the order of the client's wish, each once")
        #expect(read.wantsLogin && !read.isSilent && read.loginHint?.description == "doctor-1")
        let order = read.order(secret: "s", startedAt: Instant(milliseconds: 1999))
        #expect(order.notBefore == Instant(seconds: 1) && order.maxAge == nil)
        #expect(read.order(secret: "s", startedAt: nil).maxAge == 0)
    }

    @Test func `until the redirect URI is the client's nothing else is judged`() throws {
        for uri in ["https://evil.example/", "https://rp.example/cb?a=b", nil] as [String?] {
            guard case .untrusted(let error, let client)? = Self.fault(["redirect_uri": uri, "response_type": nil])
            else {
                Issue.record("\(uri ?? "none") was trusted")
                continue
            }
            #expect(error.code == .invalidRequest && client?.english == "Clinic")
        }
    }

    @Test func `a public client's loopback address may have any port, and nothing else may`() throws {
        #expect(try request(["redirect_uri": "http://127.0.0.1:49152/cb"]).target.uri == "http://127.0.0.1:49152/cb")
        for uri in [
            "http://127.0.0.1:49152/other", "http://127.0.0.1:0x1/cb", "http://localhost:49152/cb",
            "http://127.0.0.1:49152@evil.example/cb", "http://127.0.0.1.evil.example/cb", "https://127.0.0.1:1/cb",
        ] {
            guard case .untrusted? = Self.fault(["redirect_uri": uri]) else {
                Issue.record("\(uri) was trusted")
                continue
            }
        }
    }

    @Test func `a state longer than is kept is not sent back`() {
        guard case .refused(let error, let target)? = Self.fault(["state": String(repeating: "s", count: 1025)]) else {
            Issue.record("the state was taken")
            return
        }
        #expect(error.code == .invalidRequest && target.state == nil)
    }

    @Test func `parameters come once, have names, and are text`() throws {
        for text in [
            "a=1&a=2", "a=1&%61=2", "a=%", "a=%FF", "a=%00", "a=%0d%0aSet-Cookie", "=x", "a%20b=1",
            String(repeating: "a", count: 65) + "=1", String(repeating: "x", count: RequestParameters.byteLimit + 1),
            (0..<65).map { "p\($0)=1" }.joined(separator: "&"),
        ] { #expect(throws: OAuthError.self, "\(text.prefix(20))") { try RequestParameters(text) } }
        let read = try RequestParameters("resource=a&resource=b&empty=&plus=a+b%2B")
        #expect(read.all("resource") == ["a", "b"] && read["empty"] == nil && read["plus"] == "a b+")
    }

    @Test func `the answer goes to the address with whatever query it has`() {
        func location(_ uri: String) -> String {
            RedirectTarget(uri: uri, state: "a&b=c").location(code: "x", issuer: "https://id.example")
        }
        let rest = "code=x&state=a%26b%3Dc&iss=https%3A%2F%2Fid.example"
        #expect(location("https://rp.example/cb") == "https://rp.example/cb?" + rest)
        #expect(location("https://rp.example/cb?t=1") == "https://rp.example/cb?t=1&" + rest)
        #expect(location("https://rp.example/cb?") == "https://rp.example/cb?" + rest)
        #expect(RedirectTarget(uri: "https://rp.example/bye", state: nil).plainLocation == "https://rp.example/bye")
    }

    @Test func `a session is worth what the request wants of it`() throws {
        let now = Instant(seconds: 1_700_000_100)
        func verdict(
            _ facts: SessionFacts?, _ changes: [String: String?] = [:], opened: String? = nil,
            client: OAuthClient = .plain
        ) throws -> SessionVerdict {
            SessionVerdict(facts, for: try request(changes), of: client, opened: opened, now: now)
        }
        #expect(try verdict(nil) == .login(.nobody))
        #expect(try verdict(session()) == .good)
        #expect(try verdict(session(at: now.seconds - 64_800)) == .login(.nobody))
        #expect(try verdict(session(), ["prompt": "login"]) == .login(.again))
        #expect(try verdict(session(), ["prompt": "login"], opened: "sid") == .good)
        #expect(try verdict(session(), ["max_age": "100"]) == .good)
        #expect(try verdict(session(), ["max_age": "99"]) == .login(.again))
        #expect(try verdict(session(), ["max_age": "0"], opened: "sid") == .good)
        #expect(try verdict(session(), ["acr_values": "jpki-card"]) == .login(.otherMethod))
        #expect(try verdict(session(), ["acr_values": "jpki-card"], opened: "sid") == .login(.otherMethod))
        #expect(try verdict(session(), ["login_hint": "doctor-2"]) == .login(.otherHolder))
        #expect(try verdict(session(), ["login_hint": "doctor-2"], opened: "sid") == .good)
        var narrow = OAuthClient.plain
        narrow.methods = [.jpkiCard]
        #expect(try verdict(session(), client: narrow) == .login(.otherMethod))
    }
}
