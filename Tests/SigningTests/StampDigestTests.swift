import CoreProtocol
import Evidence
import HPKI
import Signing
import Testing

@Suite struct `Time stamps for callers` {
    @Test func `a caller whom core does not know makes nobody ask an authority`() async throws {
        let stamp = StampDigest(core: Refusing(), client: nil)
        await #expect {
            try await stamp(Digest(of: [1]), policy: nil, origin)
        } throws: { ($0 as? Failure)?.kind == .invalidToken }
    }

    @Test func `each failure has a kind that a caller can act on, and keeps its cause from the caller`() throws {
        let attempt = EvidenceError.timeStampUnavailable([])
        #expect(attempt.failure.kind == .timeStampUnavailable && attempt.failure.retryAfter == 30)
        #expect(EvidenceError.noAuthority.failure.kind == .timeStampsNotOffered)
        #expect(EvidenceError.policyNotOffered("1.2.3").failure.kind == .timeStampPolicyNotOffered)
        let unknown = EvidenceError.revocationUnavailable(subject: "CN=Secret", problems: ["http://inside/: no"])
        #expect(unknown.failure.kind == .revocationUnknown && !unknown.failure.detail.contains("inside"))
        #expect(unknown.failure.cause?.contains("http://inside/: no") == true)
    }
}

/// A core that knows nobody.
private struct Refusing: CoreCalling {
    func call(_ request: CoreRequest, deadline: UInt64) async throws(Failure) -> CoreReply {
        throw Failure(.invalidToken, "The token is not one of a known issuer.")
    }
}
