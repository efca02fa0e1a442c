import Audit
import AuditIndex
import Core
import CoreProtocol
import HPKI
import Host
import Storage
import Testing

extension CoreTests {
    @Suite struct Reviewing {
        private func ask(
            _ core: CoreInstance, _ token: PresentedToken, _ question: ReviewQuestion
        ) async throws -> ReviewReply {
            try core.review.index.catchUp()
            return try await core.review(ReviewCommand(requestID: "review-1", token: token, question: question))
        }

        private func page(_ reply: ReviewReply) throws -> RecordPage {
            guard case .page(let page) = reply else { throw Failure(.unexpected, "no page") }
            return page
        }

        private static let questions: [ReviewQuestion] = [
            .me, .head, .overview(from: World.now.adding(seconds: -3600), to: World.now, step: .hour),
            .search(AuditFilter(), before: nil, limit: 10), .record(0), .key(made(CredentialID("doctor-1-a"))),
            .holder(made(HolderID("doctor-1"))), .policies,
            .anomalies(from: World.now.adding(seconds: -3600), to: World.now, before: nil, limit: 10),
        ]

        @Test func `each role is answered what the table says and refused the rest, and both are in the log`()
            async throws
        {
            let world = try await World()
            try await world.serving { core in
                _ = try await core.sign(try world.command(client: "clinic-1"))
                for role in ReviewerRole.allCases {
                    for question in Self.questions {
                        let before = try await world.entries().count
                        let token = try world.reviewer(role)
                        if role.mayAsk(question.kind) {
                            _ = try await ask(core, token, question)
                        } else {
                            let told = try await failure { try await ask(core, token, question) }
                            #expect(told.kind == .denied, "\(role) \(question.kind)")
                        }
                        let new = try await world.entries().dropFirst(before)
                        guard role.mayAsk(question.kind) else {
                            #expect(new.map(\.leaf.kind) == [.refusal])
                            #expect(new.first?[.note] == "\(question.kind.rawValue): denied")
                            continue
                        }
                        #expect(new.map(\.leaf.kind) == (question.kind.isRecorded ? [.inspection] : []))
                        guard let look = new.first else { continue }
                        #expect(look[.note] == question.kind.rawValue && look[.request] == "review-1")
                        #expect(look[.reviewer]?.contains("subject=reviewer-1\nrole=\(role.rawValue)\n") == true)
                    }
                }
                #expect(try await world.report().faults == [])
            }
        }

        @Test func `holders' tokens, tokens of two roles and strangers see nothing and leave no record`() async throws {
            let world = try await World()
            try await world.serving { core in
                let count = try await world.entries().count
                for token in [
                    try world.bearer("doctor-1"), try world.reviewer(.auditor, .systemOperator), try world.reviewer(),
                    "a.b.c", "",
                ] {
                    for question in Self.questions {
                        let told = try await failure { try await ask(core, token, question) }
                        #expect([.denied, .invalidToken].contains(told.kind))
                    }
                }
                #expect(try await world.entries().count == count)
            }
        }

        @Test func `a look at a record or a key is told of as one at its holder`() async throws {
            let world = try await World()
            try await world.serving { core in
                _ = try await core.sign(try world.command())
                let intent = try #require(try await world.entries().first { $0.leaf.kind == .intent }).leaf
                let token = try world.reviewer(.auditor)
                for (question, subject) in [
                    (.record(intent.sequence + 1), "record=\(intent.sequence + 1)"),
                    (.key(made(CredentialID("doctor-1-a"))), "credential=doctor-1-a"),
                    (.holder(made(HolderID("doctor-1"))), "holder=doctor-1"),
                ] as [(ReviewQuestion, String)] {
                    _ = try await ask(core, token, question)
                    let look = try #require(try await world.entries().last)
                    #expect(look[.subject] == subject && look[.holder] == "doctor-1")
                    #expect(look.leaf.pseudonym == intent.pseudonym)
                }
                var filter = AuditFilter()
                filter.holder = HolderID("doctor-1")
                filter.kinds = [.inspection]
                let looks = try page(try await ask(core, token, .search(filter, before: nil, limit: 10)))
                // The search itself is one more, recorded before it was answered.
                #expect(looks.count >= 3 && looks.rows.allSatisfy { $0.kind == .inspection })
            }
        }

        @Test func `who looked is shown to auditors alone`() async throws {
            let world = try await World()
            try await world.serving { core in
                _ = try await ask(core, try world.reviewer(.auditor), .policies)
                let look = try #require(try await world.entries().last).leaf.sequence
                var filter = AuditFilter()
                let officer = try world.reviewer(.securityOfficer)
                let shown = try page(try await ask(core, officer, .search(filter, before: nil, limit: 100)))
                #expect(!shown.rows.isEmpty && !shown.rows.contains { $0.kind == .inspection })
                #expect(try await failure { try await ask(core, officer, .record(look)) }.kind == .denied)
                filter.kinds = [.inspection]
                #expect(
                    try await failure { try await ask(core, officer, .search(filter, before: nil, limit: 9)) }.kind
                        == .denied)
                let auditor = try world.reviewer(.auditor)
                #expect(try page(try await ask(core, auditor, .search(filter, before: nil, limit: 9))).count > 0)
                _ = try await ask(core, auditor, .record(look))
            }
        }

        @Test func `a record is shown as the log has it, with openings that open its leaf's commitments`() async throws
        {
            let world = try await World()
            try await world.serving { core in
                let reply = try await core.sign(try world.command(client: "clinic-1"))
                let token = try world.reviewer(.auditor)
                var filter = AuditFilter()
                filter.text = reply.signature.description
                let found = try page(try await ask(core, token, .search(filter, before: nil, limit: 10)))
                #expect(found.rows.map(\.kind) == [.outcome, .intent])
                #expect(found.rows.allSatisfy { $0.outcome == .signed && $0.holder == HolderID("doctor-1") })
                #expect(found.rows.allSatisfy { $0.holderName == "試験" && $0.facility == "1310000001" })
                #expect(found.rows.allSatisfy { $0.rule == "prescribe" && $0.credential == CredentialID("doctor-1-a") })
                let number = try #require(found.rows.last).sequence
                guard case .record(let facts) = try await ask(core, token, .record(number)) else { throw Missing() }
                let entry = try #require(try await world.entries().first { $0.leaf.sequence == number })
                #expect(facts.leaf == entry.leaf.bytes)
                #expect(facts.openings.map(\.value) == entry.detail?.openings.map(\.value))
                #expect(entry.detail?.openings.map(\.commitment) == entry.leaf.commitments)
                #expect(facts.counterpart?.kind == .outcome && facts.counterpart?.sequence == reply.receipt.sequence)
                #expect(try await failure { try await ask(core, token, .record(9999)) }.kind == .notFound)
            }
        }

        @Test func `a holder sees the uses of their own keys and nobody else's, and that is no inspection`()
            async throws
        {
            let world = try await World()
            try await world.serving { core in
                _ = try await core.sign(try world.command("doctor-1"))
                _ = try await core.sign(try world.command("doctor-2", credential: "doctor-2-a"))
                _ = try await failure { try await core.sign(try world.command("nurse-1")) }
                let count = try await world.entries().count
                for (holder, kinds) in [
                    ("doctor-1", [RecordKind.intent]), ("nurse-1", [.refusal]), ("dentist-1", []),
                ] {
                    let uses = try page(
                        try await ask(core, try world.bearer(holder), .myUses(before: nil, limit: 100)))
                    #expect(uses.rows.map(\.kind) == kinds)
                    #expect(uses.rows.allSatisfy { $0.holder == HolderID(holder) })
                }
                let told = try await failure {
                    try await ask(core, try world.reviewer(.auditor), .myUses(before: nil, limit: 1))
                }
                #expect(told.kind == .unknownHolder)
                #expect(try await world.entries().count == count)
            }
        }

        @Test func `a key's and a holder's life, the policy set, the charts and the head are told`() async throws {
            let world = try await World()
            try await world.serving { core in
                for _ in 0..<3 { _ = try await core.sign(try world.command(client: "clinic-1")) }
                let token = try world.reviewer(.auditor)
                guard case .key(let key) = try await ask(core, token, .key(made(CredentialID("doctor-1-a")))) else {
                    throw Missing()
                }
                #expect(key.uses == 3 && key.days.map(\.uses) == [3] && key.lastUses.count == 3)
                #expect(key.facts?.state == .active && key.authority == World.jma && key.life.count == 1)
                guard case .holder(let holder) = try await ask(core, token, .holder(made(HolderID("doctor-2")))) else {
                    throw Missing()
                }
                #expect(holder.credentials.map(\.id.description) == ["doctor-2-a", "doctor-2-b"])
                #expect(holder.uses == 0 && holder.lastUse == nil && holder.isEnabled == true)
                guard case .policies(let policies) = try await ask(core, token, .policies) else { throw Missing() }
                #expect(policies.changes.map(\.hash) == [policies.hash] && policies.rules.contains("prescribe"))
                let (from, to) = (World.now.adding(seconds: -10), World.now.adding(seconds: 10))
                guard
                    case .overview(let overview) = try await ask(core, token, .overview(from: from, to: to, step: .day))
                else { throw Missing() }
                let clients = overview.series.filter { $0.dimension == .client }
                #expect(clients.map(\.facility) == ["1310000001"] && clients.map(\.total) == [3])
                guard case .head(let head) = try await ask(core, token, .head) else { throw Missing() }
                let report = try await world.report()
                #expect(head.size == report.size && head.root == report.root && head.origin == "log.example")
                #expect(head.index.indexed == head.size && head.isRunning)
                for question: ReviewQuestion in [
                    .key(made(CredentialID("none"))), .holder(made(HolderID("none"))),
                ] { #expect(try await failure { try await ask(core, token, question) }.kind == .notFound) }
            }
        }

        @Test func `questions that make no sense are refused before they are recorded`() async throws {
            let world = try await World()
            try await world.serving { core in
                let count = try await world.entries().count
                let token = try world.reviewer(.auditor)
                let (now, later) = (World.now, World.now.adding(seconds: 1))
                var backwards = AuditFilter()
                backwards.from = later
                backwards.to = now
                var control = AuditFilter()
                control.text = "a\nholder=doctor-2"
                for question: ReviewQuestion in [
                    .overview(from: later, to: now, step: .day),
                    .overview(from: Instant(milliseconds: .min), to: Instant(milliseconds: .max), step: .hour),
                    .overview(from: now, to: now.adding(seconds: 751 * 3600), step: .hour),
                    .anomalies(from: now, to: now, before: nil, limit: 1),
                    .search(backwards, before: nil, limit: 1), .search(control, before: nil, limit: 1),
                ] {
                    #expect(try await failure { try await ask(core, token, question) }.kind == .malformedRequest)
                }
                #expect(try await world.entries().count == count)
            }
        }

        @Test func `nothing is shown when the look cannot be recorded`() async throws {
            let world = try await World()
            // The start's two records are the first commits.
            try await world.serving(faults: fault(at: 3, done: false)) { core in
                let token = try world.reviewer(.auditor)
                #expect(try await failure { try await ask(core, token, .policies) }.kind == .auditUnavailable)
            }
        }

        @Test func `an erased record is shown without what its detail told`() async throws {
            let world = try await World()
            try await world.serving { core in
                _ = try await core.sign(try world.command())
                let token = try world.reviewer(.auditor)
                let intent = try #require(try await world.entries().first { $0.leaf.kind == .intent }).leaf.sequence
                try core.review.index.catchUp()
                try await world.change("UPDATE audit_entry SET detail = NULL WHERE sequence = \(intent)")
                var filter = AuditFilter()
                filter.holder = HolderID("doctor-1")
                filter.kinds = [.intent, .outcome]
                let search = ReviewQuestion.search(filter, before: nil, limit: 9)
                // The index has not heard of it yet; it is right for the rest, and stays.
                let early = try page(
                    try await core.review(ReviewCommand(requestID: "r", token: token, question: search)))
                #expect(early.rows.isEmpty && !core.review.index.facts.isRebuilding)
                guard case .record(let facts) = try await ask(core, token, .record(intent)) else { throw Missing() }
                #expect(facts.row.isErased && facts.openings.isEmpty && facts.row.holder == nil)
                #expect(facts.counterpart?.holder == nil)
                #expect(try page(try await ask(core, token, search)).count == 0)
            }
        }

        @Test func `an index that was tampered with shows no record that does not fit, and is made anew`() async throws
        {
            let world = try await World()
            try await world.serving { core in
                _ = try await core.sign(try world.command("doctor-1"))
                _ = try await core.sign(try world.command("doctor-2", credential: "doctor-2-a"))
                try core.review.index.catchUp()
                let path = CoreSettings.Paths(home: world.home).auditIndex
                let file = try Database.open(at: path, parts: [])
                try await file.write { connection in
                    // One holder's records under the other's name.
                    _ = try connection.execute("UPDATE word SET word = 'x' WHERE word = 'doctor-1'")
                    _ = try connection.execute("UPDATE word SET word = 'doctor-1' WHERE word = 'doctor-2'")
                }
                try file.close()
                var filter = AuditFilter()
                filter.holder = HolderID("doctor-1")
                filter.kinds = [.intent]
                let search = ReviewCommand(
                    requestID: "r", token: try world.reviewer(.auditor),
                    question: .search(filter, before: nil, limit: 9))
                #expect(try page(try await core.review(search)).rows.isEmpty)
                #expect(core.review.index.facts.isRebuilding)
                try core.review.index.catchUp()
                let rows = try page(try await core.review(search)).rows
                #expect(rows.map(\.holder) == [HolderID("doctor-1")])
            }
        }

        @Test func `every kind and outcome of the log has its word for reviewers`() {
            #expect(
                EntryKind.allCases.map { RecordKind(rawValue: $0.rawValue)?.name } == EntryKind.allCases.map(\.name))
            #expect(RecordKind.allCases.count == EntryKind.allCases.count)
        }

        private struct Missing: Error {}
    }
}
