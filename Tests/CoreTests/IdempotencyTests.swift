import Audit
import Core
import CoreProtocol
import HPKI
import Storage
import Synchronization
import Testing

extension CoreTests {
    @Suite struct Repetition {
        @Test func `the same key and body give the same reply and one use of the key`() async throws {
            let world = try await World()
            let before = world.token.uses
            try await world.serving { core in
                let command = try world.command(key: "k", client: "clinic-1")
                let first = try await core.sign(command)
                // Others sign meanwhile, so that the log has grown.
                _ = try await core.sign(try world.command("dentist-1"))
                let second = try await core.sign(command)
                expectSame(first, second)
                #expect(!first.isReplay && second.isReplay)
            }
            // Also behind a new start, with a fresh token of the same holder and client.
            world.advance(seconds: 600)
            try await world.serving { core in
                let command = try world.command(key: "k", client: "clinic-1")
                let reply = try await core.sign(command)
                #expect(reply.isReplay)
                try verify(reply, of: command)
            }
            #expect(world.token.uses == before + 2)
        }

        @Test func `an RSA signature is replayed as it was`() async throws {
            let world = try await World()
            try await world.serving { core in
                let command = try world.command("dentist-1", key: "k")
                let first = try await core.sign(command)
                expectSame(first, try await core.sign(command))
                #expect(first.value.count == 256 && first.algorithm == .rsaPKCS1SHA256)
            }
        }

        @Test func `another body with the same key conflicts, and signs nothing`() async throws {
            let world = try await World()
            try await world.serving { core in
                _ = try await core.sign(try world.command(key: "k"))
                let before = world.token.uses
                let told = try await failure { try await core.sign(try world.command(key: "k", body: "other")) }
                #expect(told.kind == .idempotencyConflict)
                #expect(world.token.uses == before)
                #expect(try await world.kinds() == ["intent", "outcome 1", "refusal"])
            }
        }

        @Test func `a key is scoped to holder, client and route`() async throws {
            let world = try await World()
            try await world.serving { core in
                let replies = [
                    try await core.sign(try world.command(key: "k")),
                    try await core.sign(try world.command(key: "k", client: "clinic-1")),
                    try await core.sign(try world.command("director-1", key: "k")),
                    try await core.sign(try world.command("dentist-1", key: "k")),
                ]
                #expect(replies.allSatisfy { !$0.isReplay })
                #expect(Set(replies.map(\.signature)).count == 4)
            }
        }

        @Test func `of two in flight at the same time one signs and the other is told so`() async throws {
            let world = try await World()
            let before = world.token.uses
            try await world.serving { core in
                let command = try world.command(key: "k")
                let results = try await world.token.during("sign-latency-ms", "300") {
                    await withTaskGroup(of: Result<SignedReply, any Error>.self) { group in
                        for _ in 0..<5 {
                            group.addTask {
                                do { return .success(try await core.sign(command)) } catch { return .failure(error) }
                            }
                        }
                        return await group.reduce(into: []) { $0.append($1) }
                    }
                }
                #expect(results.count { (try? $0.get()) != nil } == 1)
                for case .failure(let error) in results {
                    #expect((error as? Failure)?.kind == .idempotencyInFlight)
                }
                #expect(try await core.sign(command).isReplay)
            }
            #expect(world.token.uses == before + 1)
        }

        @Test func `after a crash that left the intent open the key is in doubt, and never signs again by itself`()
            async throws
        {
            let world = try await World()
            let before = world.token.uses
            let command = try world.command(key: "k")
            // Commits: start, configuration, intent, outcome.
            try await world.serving(faults: fault(at: 4, done: false)) { core in
                let told = try await failure { try await core.sign(command) }
                #expect(told.kind == .auditUnavailable)
                let next = try await failure { try await core.sign(try world.command()) }
                #expect(next.kind == .auditUnavailable)
            }
            #expect(world.fatal.withLock { $0.count } == 1)
            #expect(try await world.report().openIntents == 1)
            try await world.serving { core in
                for _ in 0..<2 {
                    let told = try await failure { try await core.sign(command) }
                    #expect(told.kind == .idempotencyInDoubt)
                    let facts = try await core.sign.lookup(
                        try #require(SignatureID(told.reasons[0])), token: command.token)
                    #expect(facts.state == .unknown)
                }
                #expect(try await core.sign(try world.command(key: "another")).isReplay == false)
            }
            #expect(world.token.uses == before + 2)
            #expect(try await world.report().openIntents == 0)
            #expect(try await world.kinds().prefix(2) == ["intent", "outcome 3"])
        }

        @Test func `a use that surely failed gives its key back`() async throws {
            let world = try await World()
            try await world.serving { core in
                let command = try world.command(key: "k")
                let told = try await failure {
                    try await world.token.during("sign-wrong") { try await core.sign(command) }
                }
                #expect(told.kind == .keyUnavailable)
                let reply = try await core.sign(command)
                try verify(reply, of: command)
                #expect(!reply.isReplay)
                #expect(try await world.kinds() == ["intent", "outcome 2", "intent", "outcome 1"])
            }
        }

        @Test func `after 24 hours a key is forgotten, and nothing is kept for it`() async throws {
            let world = try await World()
            try await world.serving { core in
                let first = try await core.sign(try world.command(key: "k"))
                world.advance(seconds: 24 * 3600)
                #expect(try await core.sign(try world.command(key: "k")).isReplay)
                world.advance(seconds: 1)
                let second = try await core.sign(try world.command(key: "k", body: "other"))
                #expect(!second.isReplay && second.signature != first.signature)
                let kept = try await world.read { connection in
                    try connection.queryOne(
                        "SELECT claim, body, certificate, value FROM signature WHERE id = $1",
                        [.text(first.signature.description)])
                }
                for column in ["claim", "body", "certificate", "value"] {
                    #expect(try kept?.optionalBlob(.name(column)) == nil)
                }
                let facts = try await core.sign.lookup(first.signature, token: try world.bearer("doctor-1"))
                #expect(facts.state == .signed)
            }
        }

        @Test func `nothing that could be guessed back is kept of a key or a body`() async throws {
            let world = try await World()
            try await world.serving { core in _ = try await core.sign(try world.command(key: "k", body: "body")) }
            let row = try #require(try await world.read { try $0.queryOne("SELECT claim, body FROM signature") })
            #expect(try row.blob("body") != Digest(of: Array("body".utf8)).bytes)
            #expect(try row.blob("body") != Digest(of: Array(Digest(of: Array("body".utf8)).hex.utf8)).bytes)
            #expect(try row.blob("claim").count == 32)
        }
    }
}

/// The same to the byte, but for whether it is given again.
private func expectSame(_ first: SignedReply, _ second: SignedReply) {
    let same = SignedReply(
        signature: second.signature, signedAt: second.signedAt, certificate: second.certificate,
        algorithm: second.algorithm, value: second.value, rule: second.rule, receipt: second.receipt,
        isReplay: first.isReplay
    )
    #expect(first == same)
}
