import Audit
import Core
import CoreProtocol
import HPKI
import Keys
import Synchronization
import Testing

extension CoreTests {
    @Suite struct Faults {
        @Test(arguments: [("sign-wrong", "outcome 2"), ("sign-fail", "outcome 3")])
        func `what the module gave wrongly or may have done is not given out, and recorded as it was`(
            fault: String, outcome: String
        ) async throws {
            let world = try await World()
            try await world.serving { core in
                let command = try world.command(key: "k")
                let told = try await failure {
                    try await world.token.during(fault) { try await core.sign(command) }
                }
                #expect(told.kind == .keyUnavailable)
                #expect(try await world.kinds() == ["intent", outcome])
                let again = try await result { try await core.sign(command) }
                // A use that may have happened keeps its claim: nobody signs it again by himself.
                #expect(again == (outcome == "outcome 3" ? "idempotencyInDoubt" : "signed"))
            }
        }

        @Test func `a use that hangs is recorded as unknown, and core must end`() async throws {
            let world = try await World()
            try await world.serving(timeout: 1) { core in
                try await world.token.during("sign-hang") {
                    let told = try await failure { try await core.sign(try world.command()) }
                    #expect(told.kind == .keyUnavailable)
                    #expect(try await world.kinds() == ["intent", "outcome 3"])
                    try await Task.sleep(for: .milliseconds(200))
                    #expect(world.fatal.withLock { $0.count } == 1)
                    #expect(world.fatal.withLock { $0.first?.contains("moduleHangs") } == true)
                }
                // Its session comes back before the token is closed.
                try await Task.sleep(for: .milliseconds(100))
            }
        }

        @Test func `a key that no session is free for is not used, and its claim is given back`() async throws {
            let world = try await World()
            try await world.serving(sessions: 1) { core in
                let slow = try world.command("dentist-1")
                let command = try world.command(key: "k")
                let told = try await world.token.during("sign-latency-ms", "2500") {
                    let first = Task { try await core.sign(slow) }
                    try await Task.sleep(for: .milliseconds(200))
                    let told = try await failure { try await core.sign(command) }
                    _ = try await first.value
                    return told
                }
                #expect(told.kind == .overloaded)
                #expect(try await world.kinds().contains("outcome 2"))
                #expect(try await core.sign(command).isReplay == false)
            }
        }

        @Test func `after a new login to the token keys are found again`() async throws {
            let world = try await World()
            try await world.serving { core in
                _ = try await core.sign(try world.command())
                try await world.token.during("logout") {
                    let command = try world.command()
                    try verify(try await core.sign(command), of: command)
                }
                for _ in 0..<8 {
                    let command = try world.command()
                    try verify(try await core.sign(command), of: command)
                }
                #expect(try await world.kinds().allSatisfy { $0 == "intent" || $0 == "outcome 1" })
            }
        }

        @Test func `a credential whose key is not in the token fails with the truth`() async throws {
            let world = try await World()
            try await world.change("UPDATE key_material SET key_id = x'7777' WHERE credential = 'doctor-1-a'")
            let before = world.token.uses
            try await world.serving { core in
                let told = try await failure { try await core.sign(try world.command()) }
                #expect(told.kind == .keyUnavailable)
                #expect(try await world.kinds() == ["intent", "outcome 2"])
            }
            #expect(world.token.uses == before)
        }

        @Test(arguments: 1...12, [false, true])
        func `whichever commit fails, no reply is seen without its durable intent and outcome`(
            number: Int, done: Bool
        ) async throws {
            let world = try await World()
            let used = world.token.uses
            let commands = try (1...4).map { number in
                try world.command(document: "document \(number)", key: number == 2 ? nil : "key \(number)")
            }
            let refused = try world.command("nurse-1")
            var replies: [Int: SignedReply] = [:]
            var failures = 0
            // Commits: start, configuration, intent and outcome of each of four, a refusal, stop.
            do {
                let core = try await world.open(faults: fault(at: number, done: done))
                for (index, command) in commands.enumerated() {
                    do { replies[index] = try await core.sign(command) } catch {
                        #expect(error.kind == .auditUnavailable)
                        failures += 1
                    }
                    if index == 1 {
                        let told = try await failure { try await core.sign(refused) }
                        #expect([.denied, .auditUnavailable].contains(told.kind))
                    }
                }
                await core.close()
            } catch is CoreStartError {
                #expect(number <= 2)
            }
            // The log answers those who wait before it tells that core must end.
            try await Task.sleep(for: .milliseconds(20))
            #expect(world.fatal.withLock { $0.count } == 1)
            let intentsBefore = try await world.entries().count { $0.leaf.kind == .intent }
            // The key was never used without a durable intent.
            #expect(world.token.uses - used <= intentsBefore)
            #expect(failures > 0 || number <= 2 || number >= 12)
            try await world.serving { core in
                #expect(try await world.report().faults == [])
                #expect(try await world.report().openIntents == 0)
                let entries = try await world.entries()
                for (index, reply) in replies {
                    try verify(reply, of: commands[index])
                    let intent = try #require(
                        entries.first {
                            $0.leaf.kind == .intent && $0[.signature] == "\(reply.signature)"
                        })
                    let outcomes = entries.filter { $0.leaf.intent == intent.leaf.sequence }
                    #expect(outcomes.map(\.leaf.code) == [1])
                    #expect(outcomes.first?.leaf.bytes == reply.receipt.leaf)
                }
                for (index, command) in commands.enumerated() where command.idempotency != nil {
                    let uses = world.token.uses
                    let again = try await result { try await core.sign(command) }
                    if let reply = replies[index] {
                        #expect(again == "replayed")
                        #expect(try await core.sign(command).value == reply.value)
                    }
                    // Signed anew only where no key was used before.
                    #expect(["replayed", "idempotencyInDoubt", "signed"].contains(again))
                    #expect(world.token.uses == uses + (again == "signed" ? 1 : 0))
                }
            }
            let intents = try await world.entries().count { $0.leaf.kind == .intent }
            #expect(world.token.uses - used <= intents)
        }

        private func result(_ body: () async throws -> SignedReply) async throws -> String {
            do { return try await body().isReplay ? "replayed" : "signed" } catch let failure as Failure {
                return failure.kind.rawValue
            }
        }
    }
}
