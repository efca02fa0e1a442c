import CoreProtocol
import HPKI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing
import Web

/// `POST /v1/timestamps` before a core that knows, or does not know, the caller.
@Suite struct TimestampRouteTests {
    private static let digest = Base64.encode([UInt8](repeating: 7, count: 32))

    private func post(
        _ body: String, before core: FakeCore = .knowing, headers: HTTPFields = jsonBearer,
        _ check: @escaping @Sendable (TestResponse) throws -> Void
    ) async throws {
        try await WebServer.before(core).allRoutes.test(.router) { client in
            try await client.execute(
                uri: "/v1/timestamps", method: .post, headers: headers, body: ByteBuffer(string: body)
            ) { try check($0) }
        }
    }

    @Test func `core judges the token before anything else is said`() async throws {
        let core = FakeCore.failing(Failure(.expiredToken, "The token has expired."))
        try await post("{\"digest\":\"\(Self.digest)\",\"digestAlgorithm\":\"sha256\"}", before: core) {
            _ = try $0.problem(.expiredToken)
        }
        #expect(core.requests == [.identify(token: PresentedToken(token()))])
    }

    @Test func `without an authority a known caller learns that none is offered`() async throws {
        let core = FakeCore.knowing
        try await post("{\"digest\":\"\(Self.digest)\",\"digestAlgorithm\":\"sha256\"}", before: core) {
            _ = try $0.problem(.timeStampsNotOffered)
        }
        #expect(core.requests == [.identify(token: PresentedToken(token()))])
    }

    @Test(
        arguments: [
            ("{\"digestAlgorithm\":\"sha256\"}", Failure.Kind.malformedRequest),
            ("{\"digest\":\"\(digest)\"}", .malformedRequest),
            ("{\"digest\":\"\(digest)\",\"digestAlgorithm\":\"sha384\"}", .malformedRequest),
            ("{\"digest\":\"\(digest)\",\"digestAlgorithm\":\"md5\"}", .malformedRequest),
            ("{\"digest\":\"\(digest)\",\"digestAlgorithm\":\"sha256\",\"policy\":\"1.2.\"}", .malformedRequest),
            ("{\"digest\":\"\(digest)\",\"digestAlgorithm\":\"sha256\",\"policy\":\"3.1\"}", .malformedRequest),
            ("{\"digest\":\"\(digest)\",\"digestAlgorithm\":\"sha256\",\"document\":\"\"}", .malformedRequest),
            ("{\"digest\":\"?\",\"digestAlgorithm\":\"sha256\"}", .invalidBase64),
        ])
    func `what is no digest is refused, and nobody is asked`(body: String, kind: Failure.Kind) async throws {
        let core = FakeCore.knowing
        try await post(body, before: core) { _ = try $0.problem(kind) }
        #expect(core.requests.isEmpty)
    }

    @Test func `a body that is not JSON is refused`() async throws {
        try await post("digest", headers: bearer()) { _ = try $0.problem(.unsupportedMediaType) }
    }
}
