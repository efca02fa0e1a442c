import Audit
import Core
import CoreProtocol
import HPKI
import Host
import Identity
import Storage
import Testing

extension CoreTests {
    @Suite struct Erasing {
        private static let doctor = made(HolderID("doctor-1"))

        private func erase(
            _ core: CoreInstance, _ scope: ErasureOrder.Scope, ground: String? = nil, archived: UInt64? = nil,
            dry: Bool = false
        ) async throws -> ErasureFacts {
            let order = ErasureOrder(scope: scope, ground: ground, archived: archived, isDryRun: dry)
            guard case .erasure(let facts) = try await core.administer(.erase(order)) else {
                throw Failure(.unexpected, "no facts")
            }
            return facts
        }

        private func counts(_ facts: ErasureFacts) -> [String: UInt64] {
            Dictionary(uniqueKeysWithValues: facts.counts.map { ($0.name, $0.count) })
        }

        @Test func `nothing is due before its certificate's end and ten years, and then all of it is`() async throws {
            let world = try await World()
            try await world.serving { core in
                _ = try await core.sign(try world.command())
                let count = try await world.entries().count
                // Ten years behind the records the certificate's end is not ten years past.
                world.advance(seconds: 10 * 365 * 86_400 + 3 * 86_400)
                let early = try await erase(core, .expired, dry: true)
                #expect(counts(early) == ["registration": 1, "operations": 2] && early.size == UInt64(count))
                world.advance(seconds: 10 * 366 * 86_400)
                let late = try await erase(core, .expired, dry: true)
                #expect(counts(late) == ["registration": 1, "operations": 2, "signatures": 2])
                #expect(try await world.entries().allSatisfy { $0.detail != nil })
                #expect(try await erase(core, .expired).counts == late.counts)
                let entries = try await world.entries()
                #expect(entries.filter { $0.detail == nil }.count == 5 && entries.count == count + 1)
                #expect(entries.last?[.note]?.hasSuffix("ground retention-passed; no archive; records 0-4") == true)
                #expect(try await erase(core, .expired).counts == [])
                // The record of an erasure is kept for ever.
                world.advance(seconds: 30 * 366 * 86_400)
                #expect(try await erase(core, .expired).counts == [])
                #expect(try await world.report().faults == [])
            }
        }

        @Test func `one record is erased with the other half of its use, before its time with a ground alone`()
            async throws
        {
            let world = try await World()
            try await world.serving { core in
                let command = try world.command()
                let reply = try await core.sign(command)
                let intent = try #require(try await world.entries().first { $0.leaf.kind == .intent }).leaf.sequence
                let refusal = try await failure { try await erase(core, .record(intent)) }
                #expect(refusal.kind == .wrongState && refusal.detail.contains("needs a ground"))
                // The archive ends between intent and outcome.
                let half = try await erase(core, .record(intent), ground: "g-1", archived: intent + 1)
                #expect(half.counts == [] && half.unarchived == 2)
                let facts = try await erase(core, .record(intent + 1), ground: "g-1", archived: intent + 2)
                #expect(counts(facts) == ["signatures": 2] && facts.isJournalEmpty)
                let entries = try await world.entries()
                #expect(entries.filter { $0.detail == nil }.map(\.leaf.sequence) == [intent, intent + 1])
                #expect(entries.last?[.note]?.contains("ground g-1; archive of \(intent + 2) records") == true)
                // What core keeps of the signature besides is gone too, and there is a typed answer.
                let token = try world.bearer("doctor-1")
                #expect(
                    try await failure { try await core.sign.receipt(of: reply.signature, token: token) }.kind
                        == .notFound)
                #expect(try await failure { try await erase(core, .record(intent), ground: "g-1") }.kind == .wrongState)
                #expect(try await failure { try await erase(core, .record(999), ground: "g-1") }.kind == .notFound)
                let told = try #require(entries.last).leaf.sequence
                #expect(try await failure { try await erase(core, .record(told), ground: "g-1") }.kind == .wrongState)
                #expect(try await world.report().faults == [])
            }
        }

        @Test func `a receipt of which a half was erased by another hand is not given`() async throws {
            let world = try await World()
            try await world.serving { core in
                let reply = try await core.sign(try world.command())
                try await world.change("UPDATE audit_entry SET detail = NULL WHERE sequence = 3")
                let told = try await failure {
                    try await core.sign.receipt(of: reply.signature, token: try world.bearer("doctor-1"))
                }
                #expect(told.kind == .notFound && told.detail.contains("erased"))
            }
        }

        @Test func `a use under way and one that a repeated request is answered from are kept`() async throws {
            let world = try await World()
            try await world.serving { core in
                _ = try await core.sign(try world.command(key: "k"))
                let kept = try await erase(core, .holder(Self.doctor), ground: "g-1")
                // The world's own record tells of the holder, besides the use.
                #expect(kept.repeatable == 1 && counts(kept) == ["registration": 1])
                world.advance(seconds: 25 * 3600)
                try await world.change("UPDATE signature SET outcome = NULL, claim = NULL")
                let open = try await erase(core, .holder(Self.doctor), ground: "g-1")
                #expect(open.open == 2 && open.repeatable == 0 && open.counts == [])
                #expect(try await world.entries().filter { $0.detail == nil }.map(\.leaf.sequence) == [0])
            }
        }

        @Test func `all that names a holder is erased, and nothing of others`() async throws {
            let world = try await World()
            try await world.serving { core in
                _ = try await core.sign(try world.command())
                _ = try await core.sign(try world.command("dentist-1"))
                _ = try? await core.sign(try world.command("doctor-1", credential: "nobodys"))
                let proof = try world.adminKey
                _ = try? await core.registry(
                    RegistrationCommand(
                        requestID: "r", party: .operatorCommand(authority: World.jma, proof: proof),
                        act: .destroy(made(CredentialID("doctor-1-a")))))
                let before = try await world.entries()
                let facts = try await erase(core, .holder(Self.doctor), ground: "request-1")
                let entries = try await world.entries()
                for (old, new) in zip(before, entries) {
                    let names = [.holder, .registration, .note].contains { (old[$0] ?? "").contains("doctor-1") }
                    let closes = old.leaf.intent.map { before[Int($0)][.holder] == "doctor-1" } ?? false
                    // The world's own record tells of all holders at once.
                    let isWorld = old.leaf.sequence == 0
                    #expect((new.detail == nil) == (names || closes || isWorld), "\(old.leaf.sequence)")
                }
                #expect(counts(facts) == ["signatures": 2, "refusals": 2, "registration": 1])
                // That of an authority, which names the holder's credential in its note.
                let refused = try #require(entries.last { $0.leaf.kind == .refusal })
                #expect(refused.detail == nil && refused.leaf.commitments.contains { $0.field == .authority })
                let told = try await failure { try await erase(core, .holder(Self.doctor)) }
                #expect(told.kind == .malformedRequest)
                #expect(try await world.report().faults == [])
                // Rows of which the log tells no more are not compared, and are no fault.
                let report = try await core.auditKeys()
                #expect(report.erased > 0 && !report.faults.contains { $0.contains("altered") })
            }
        }

        @Test func `a long erasure goes in bounded parts, each a record, and finds what one at once finds`()
            async throws
        {
            let world = try await World()
            try await world.serving { core in
                for _ in 0..<9 { _ = try await core.sign(try world.command()) }
            }
            let paths = CoreSettings.Paths(home: world.home)
            let database = try Database.open(at: paths.database, parts: CoreSchema.parts)
            let key = LogKey(try SecretFile.read(paths.logKey, atMost: 100).copiedBytes)
            let log = AuditLog(
                try AuditVerifier.open(database, headAt: paths.auditHead, key: key), origin: "log.example", key: key,
                signers: try LogSigners(
                    origin: "log.example", seeds: try SecretFile.read(paths.checkpointKey, atMost: 100).copiedBytes),
                pseudonyms: Pseudonyms(key: Array(0..<32)), clock: .fixed(World.now.adding(seconds: 60)), random: .live,
                onStop: { _ in })
            defer { log.stop() }
            let clock = WallClock.fixed(World.now.adding(seconds: 30 * 366 * 86_400))
            let whole = try await Erasure(database: database, log: log, retention: Retention(), clock: clock)(
                ErasureOrder(scope: .expired, ground: nil, archived: nil, isDryRun: true))
            let erasure = Erasure(
                database: database, log: log, retention: Retention(), clock: clock,
                bounds: Erasure.Bounds(scanned: 5, erased: 3))
            var order = ErasureOrder(scope: .expired, ground: nil, archived: nil, isDryRun: false)
            var (facts, parts) = (ErasureFacts(next: 0, size: 0), 0)
            while facts.next != nil {
                let part = try await erasure(order)
                #expect(part.counts.reduce(0) { $0 + $1.count } <= 3)
                facts.add(part)
                order.from = part.next ?? 0
                parts += 1
            }
            #expect(Set(facts.counts) == Set(whole.counts) && parts > 5)
            let entries = try await world.entries()
            #expect(entries.filter { $0.detail == nil }.count == Int(whole.size))
            #expect(entries.filter(\.isNeverErased).count == entries.count - Int(whole.size))
            #expect(try await world.report().faults == [])
        }
    }
}
