import Certificates
import Development
import Evidence
import HPKI
import Synchronization
import Testing

/// Authorities that are good, slow, lying, or no authorities at all (RFC 3161).
@Suite struct `Time stamps over the network` {
    private let scene: StampScene
    private let imprint = Digest(of: Array("hello".utf8))

    init() throws { scene = try StampScene() }

    /// What the client reports of one authority that answers so.
    private func problem(
        _ client: TimeStampClient? = nil, policy: String? = nil,
        _ reply: @escaping @Sendable (String, [UInt8]) -> TinyAuthority.Reply
    ) async throws -> String {
        let server = try await TinyAuthority(reply)
        let client = try client ?? scene.client([server.url()])
        var found = ""
        do throws(EvidenceError) {
            _ = try await client.stamp(imprint, policy: policy)
        } catch {
            guard case .timeStampUnavailable(let attempts) = error else { throw error }
            #expect(attempts.count == 1 && attempts == scene.problems.all.withLock { $0 })
            found = attempts.first?.problem ?? ""
        }
        await server.stop()
        return found
    }

    @Test(arguments: DigestAlgorithm.allCases)
    func `a time stamp that holds is given out with its proof`(algorithm: DigestAlgorithm) async throws {
        let scene = scene
        let server = try await TinyAuthority { _, body in scene.answer(body) }
        let digest = Digest(of: Array("hello".utf8), by: algorithm)
        let stamp = try await scene.client([server.url("/tsa")]).stamp(
            digest, policy: DevelopmentTimeStampAuthority.policy)
        #expect(stamp.time.info.imprint == digest && stamp.time.time == noon && stamp.authority == "tsa-0")
        #expect(stamp.time.chain.first == scene.authority.certificate)
        #expect(try TimeStampToken(der: stamp.token).unverifiedInfo == stamp.time.info)
        #expect(scene.problems.all.withLock { $0.isEmpty })
        await server.stop()
    }

    @Test func `a time stamp of other data is refused`() async throws {
        let reply = try scene.granted(imprint: Digest(of: [1]))
        #expect(try await problem { _, _ in reply } == TimeStampFault.wrongImprint.explanation)
    }

    @Test func `a time stamp with another nonce, or none, is refused`() async throws {
        for nonce: [UInt8]? in [[1, 2, 3], nil] {
            let scene = try StampScene()
            let reply = try scene.granted(imprint: imprint, nonce: nonce)
            let server = try await TinyAuthority { _, _ in reply }
            await #expect(throws: EvidenceError.self) { try await scene.client([server.url()]).stamp(imprint) }
            #expect(scene.problems.all.withLock { $0.map(\.problem) } == [TimeStampFault.wrongNonce.explanation])
            await server.stop()
        }
    }

    @Test func `a time stamp under another policy than asked for or configured is refused`() async throws {
        let reply = try scene.granted(imprint: imprint)
        let expected = TimeStampFault.policyNotAccepted(found: DevelopmentTimeStampAuthority.policy).explanation
        #expect(try await problem(policy: "2.999.1") { _, _ in reply } == expected)
        let other = try StampScene()
        let server = try await TinyAuthority { _, _ in reply }
        await #expect(throws: EvidenceError.self) {
            try await other.client([server.url()], policies: ["2.999.7"]).stamp(imprint)
        }
        #expect(other.problems.all.withLock { $0.map(\.problem) } == [expected])
        await server.stop()
    }

    @Test func `a policy that no authority offers is told apart from an outage`() async throws {
        let scene = scene
        let server = try await TinyAuthority { _, body in scene.answer(body) }
        await #expect(throws: EvidenceError.policyNotOffered("2.999.1")) {
            try await scene.client([server.url()]).stamp(imprint, policy: "2.999.1")
        }
        #expect(server.requests == 1)
        await #expect(throws: EvidenceError.policyNotOffered("2.999.1")) {
            try await scene.client([server.url()], policies: ["2.999.2"]).stamp(imprint, policy: "2.999.1")
        }
        #expect(server.requests == 1)
        await server.stop()
    }

    @Test func `a signature by another key is refused`() async throws {
        let reply = try scene.granted(imprint: imprint, key: .p256())
        #expect(try await problem { _, _ in reply } == TimeStampFault.badSignature(.mismatch).explanation)
    }

    @Test func `a certificate that is expired, or for other things, is refused`() async throws {
        let key = DevelopmentKey.p256()
        var expired = try scene.authority.template(key, now: noon.adding(seconds: -86_400))
        expired.notAfter = noon.adding(seconds: -10)
        let old = try HPKICertificate(der: try expired.signed(by: scene.authority.authorityKey))
        let late = try scene.granted(imprint: imprint, certificate: old, key: key)
        #expect(
            try await problem { _, _ in late } == TimeStampFault.outsideCertificate(stated: noon).explanation)

        var other = try scene.authority.template(key, now: noon.adding(seconds: -86_400))
        let purpose = Extensions.critical(OID.extKeyUsage, DER.sequence(DER.objectIdentifier(OID.serverAuth)))
        let wanted = DER.objectIdentifier(OID.extKeyUsage)
        other.extensions = other.extensions.map { item in
            item.indices.contains { item[$0...].starts(with: wanted) } ? purpose : item
        }
        let wrong = try HPKICertificate(der: try other.signed(by: scene.authority.authorityKey))
        let reply = try scene.granted(imprint: imprint, certificate: wrong, key: key)
        let second = try StampScene()
        let server = try await TinyAuthority { _, _ in reply }
        await #expect(throws: EvidenceError.self) {
            try await second.client([server.url()], realm: scene.realm()).stamp(imprint)
        }
        let expected = TimeStampFault.purpose(found: [OID.serverAuth]).explanation
        #expect(second.problems.all.withLock { $0.map(\.problem) } == [expected])
        await server.stop()
    }

    @Test func `an authority that nobody trusts, or that is revoked, is refused`() async throws {
        let stranger = try StampScene()
        #expect(try await problem { _, body in stranger.answer(body) }.contains("not accepted"))
        var revoked = scene.authority
        revoked.revoke(reason: .keyCompromise, at: noon.adding(seconds: -7200))
        let trust = TrustStore(anchors: [revoked.authorityCertificate])
        let list = try revoked.crl(now: noon.adding(seconds: -60))
        let realm = TrustRealm(trust: trust, crls: try CRLStore().adding(list, issuers: trust.anchors))
        let server = try await TinyAuthority { [scene] _, body in scene.answer(body) }
        await #expect(throws: EvidenceError.self) {
            try await scene.client([server.url()], realm: realm).stamp(imprint)
        }
        #expect(scene.problems.all.withLock { $0.last?.problem.contains("revoked") } == true)
        await server.stop()
    }

    @Test func `a time stamp whose authority's revocation is not known is none`() async throws {
        let realm = try scene.realm(listAt: nil)
        let server = try await TinyAuthority { [scene] _, body in scene.answer(body) }
        await #expect(throws: EvidenceError.self) {
            try await scene.client([server.url()], realm: realm).stamp(imprint)
        }
        await server.stop()
    }

    @Test func `a time stamp from the future is refused, and one that is not accurate enough`() async throws {
        let far = noon.adding(seconds: 3600)
        let reply = scene.authority
        #expect(
            try await problem { _, body in
                .bytes(
                    reply.answer(body, random: random, now: far), type: "application/timestamp-reply")
            } == TimeStampFault.fromTheFuture(stated: far).explanation)
        let second = try StampScene()
        let server = try await TinyAuthority { _, body in second.answer(body) }
        await #expect(throws: EvidenceError.self) {
            try await second.client([server.url()], accuracy: 1000).stamp(imprint)
        }
        let expected = TimeStampFault.notAccurateEnough(microseconds: 1_000_000).explanation
        #expect(second.problems.all.withLock { $0.map(\.problem) } == [expected])
        await server.stop()
    }

    @Test func `garbage, other types, redirects and other statuses are no answers`() async throws {
        let type = "application/timestamp-reply"
        let bad: [(TinyAuthority.Reply, String)] = [
            (.bytes(Array("<html>".utf8), type: type), "valid DER"),
            (.bytes([], type: type), "valid DER"),
            (.bytes([0x30, 0x80, 0, 0], type: type), "valid DER"),
            (.bytes([0x30, 3, 2, 1, 0], type: "text/html"), "not of the type"),
            (.bytes([], type: type, status: "302 Found", headers: "Location: http://127.0.0.1:1/\r\n"), "status 302"),
            (.bytes([], type: type, status: "500 No"), "status 500"),
            (.bytes([0x30, 3, 2, 1, 0], type: type, status: "201 Created"), "status 201"),
        ]
        for (reply, words) in bad {
            let scene = try StampScene()
            let server = try await TinyAuthority { _, _ in reply }
            await #expect(throws: EvidenceError.self) { try await scene.client([server.url()]).stamp(imprint) }
            let problem = scene.problems.all.withLock { $0.first?.problem ?? "" }
            #expect(problem.contains(words), "\(problem)")
            await server.stop()
        }
    }

    @Test func `an answer of more than a megabyte is cut off`() async throws {
        let huge = [UInt8](repeating: 0x30, count: (1 << 20) + 1)
        let problem = try await problem { _, _ in .bytes(huge, type: "application/timestamp-reply") }
        #expect(problem.contains("more than 1048576 bytes"))
    }

    @Test func `a slow authority costs its time-out, then the next one answers, and the slow one is asked last`()
        async throws
    {
        let scene = scene
        let slow = try await TinyAuthority { _, _ in .silence }
        let good = try await TinyAuthority { _, body in scene.answer(body) }
        let client = try scene.client([slow.url(), good.url()], timeoutSeconds: 1)
        let first = try await client.stamp(imprint)
        #expect(first.authority == "tsa-1" && slow.requests == 1)
        #expect(scene.problems.all.withLock { $0.map(\.authority) } == ["tsa-0"])
        #expect(scene.problems.all.withLock { $0.first?.problem.contains("in time") } == true)
        _ = try await client.stamp(imprint)
        #expect(slow.requests == 1 && good.requests == 2)
        await slow.stop()
        await good.stop()
    }

    @Test func `an authority that is down or lies hands on to the next, and rests no longer than it must`() async throws
    {
        let scene = scene
        let moved = MovedClock()
        let lie = try scene.granted(imprint: Digest(of: [1]))
        let liar = try await TinyAuthority { _, _ in lie }
        let good = try await TinyAuthority { _, body in scene.answer(body) }
        let client = try scene.client(["http://127.0.0.1:1/", liar.url(), good.url()], clock: moved.clock)
        #expect(try await client.stamp(imprint).authority == "tsa-2")
        #expect(scene.problems.all.withLock { $0.map(\.authority) } == ["tsa-0", "tsa-1"])
        moved.move(seconds: 31)
        #expect(try await client.stamp(imprint).authority == "tsa-2")
        #expect(liar.requests == 2)
        await liar.stop()
        await good.stop()
    }

    @Test func `without an authority there is no time stamp`() async throws {
        await #expect(throws: EvidenceError.noAuthority) { try await scene.client([]).stamp(imprint) }
    }

    @Test func `a private address is refused unless it is allowed`() async throws {
        let problem = try await StampScene().refusedPrivately(imprint)
        #expect(problem.contains("private or local address"), "\(problem)")
    }
}
