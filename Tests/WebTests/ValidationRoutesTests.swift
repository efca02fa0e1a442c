import CoreProtocol
import Foundation
import HPKI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Signing
import Testing
import Web

/// `POST /v1/validations` from outside.
@Suite struct ValidationRoutesTests {
    private func post(
        _ body: String, headers: HTTPFields = jsonBearer, limits: WebSettings.Limits = .init(),
        judges: Judges = Judges(), _ check: @escaping @Sendable (TestResponse) throws -> Void
    ) async throws {
        let core = FakeCore.knowing
        try await WebServer.before(core, limits: limits, judges: judges).allRoutes.test(.router) { client in
            try await client.execute(
                uri: "/v1/validations", method: .post, headers: headers, body: ByteBuffer(string: body),
                testCallback: check)
        }
        // No key is used, so core is asked who calls and told nothing.
        for request in core.requests { #expect(request == .identify(token: PresentedToken(token()))) }
    }

    private static func body(_ text: String, _ more: String = "") -> String {
        "{\"document\":\"\(Base64.encode(Array(text.utf8)))\"\(more)}"
    }

    @Test func `a document that holds no good signature is judged, not refused`() async throws {
        try await post(Self.body("<a/>")) { response in
            #expect(response.status == .ok && response.headers[.contentType] == "application/json")
            let body = Data(String(buffer: response.body).utf8)
            let json = try JSONSerialization.jsonObject(with: body) as? [String: Any]
            #expect(json?["result"] as? String == "failed")
            #expect(((json?["findings"] as? [[String: Any]])?.first)?["reason"] as? String == "no-signature")
        }
        try await post(Self.body("no XML", ",\"content\":\"AAAA\"")) { #expect($0.status == .ok) }
    }

    @Test(arguments: [
        ("text", "text/plain; charset=utf-8", "Result: failed"), ("xml", "application/xml", "<OverallResult>failed"),
        ("html", "text/html; charset=utf-8", "署名は無効です"),
    ])
    func `the report comes in the format that is asked for`(format: String, type: String, word: String) async throws {
        try await post(Self.body("<a/>", ",\"format\":\"\(format)\"")) { response in
            #expect(response.headers[.contentType] == type)
            #expect(String(buffer: response.body).contains(word))
            let policy = HTTPField.Name("Content-Security-Policy").flatMap { response.headers[$0] }
            #expect(policy?.contains("default-src 'none'") == true)
        }
    }

    @Test func `what is asked wrongly is refused`() async throws {
        try await post("{}") { _ = try $0.problem(.malformedRequest) }
        try await post(Self.body("<a/>", ",\"format\":\"pdf\"")) { _ = try $0.problem(.malformedRequest) }
        try await post(Self.body("<a/>", ",\"csv\":\"AAAA\"")) { _ = try $0.problem(.malformedRequest) }
        try await post("{\"document\":\"?\"}") { _ = try $0.problem(.invalidBase64) }
        try await post(Self.body("<a/>"), headers: [.contentType: "application/json"]) {
            _ = try $0.problem(.missingToken)
        }
        var limits = WebSettings.Limits()
        limits.queue = 0
        try await post(Self.body("<a/>"), limits: limits) { _ = try $0.problem(.overloaded) }
    }

    @Test func `where too much is judged already the caller is told when to come again`() async throws {
        try await post(Self.body("<a/>"), judges: Judges(inHand: 0)) { response in
            _ = try response.problem(.overloaded)
            #expect(response.headers[.retryAfter] == "1")
        }
    }
}
