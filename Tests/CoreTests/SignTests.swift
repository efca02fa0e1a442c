import Audit
import Core
import CoreProtocol
import HPKI
import Host
import Keys
import Synchronization
import Testing

extension CoreTests {
    @Suite struct Signing {
        @Test(arguments: ["doctor-1", "dentist-1", "director-1"])
        func `a prescriber's prescription is signed, and the intent stands before the outcome`(
            holder: String
        ) async throws {
            let world = try await World()
            try await world.serving { core in
                let command = try world.command(holder, client: "clinic-1")
                let reply = try await core.sign(command)
                try verify(reply, of: command)
                #expect(reply.rule == "prescribe" && !reply.isReplay)
                #expect(reply.signedAt == World.now)
                #expect(reply.receipt.custody == "software token" && reply.receipt.origin == "log.example")
                let entries = try await world.entries()
                let intent = try #require(entries.first { $0.leaf.kind == .intent })
                let outcome = try #require(entries.first { $0.leaf.kind == .outcome })
                #expect(intent.leaf.sequence < outcome.leaf.sequence)
                #expect(outcome.leaf.intent == intent.leaf.sequence && outcome.leaf.code == 1)
                #expect(reply.receipt.leaf == outcome.leaf.bytes && reply.receipt.sequence == outcome.leaf.sequence)
                #expect(intent[.signature] == "\(reply.signature)" && outcome[.signature] == "\(reply.signature)")
                #expect(outcome[.signatureValue] == Digest(of: reply.value).hex)
                #expect(intent[.holder] == holder && intent[.client] == "clinic-1")
                #expect(try await world.report().faults == [])
            }
            #expect(world.fatal.withLock { $0 } == [])
        }

        @Test func `a pharmacist's dispensing result is signed, and what was judged of the prescription recorded`()
            async throws
        {
            let world = try await World()
            try await world.serving { core in
                let passed = PrescriptionJudgement(verdict: .passed, reasons: [], acknowledged: [])
                let command = try world.command("pharmacist-1", .dispensing, prescription: passed)
                let reply = try await core.sign(command)
                try verify(reply, of: command)
                #expect(reply.rule == "dispense")
                let acknowledged = PrescriptionJudgement(
                    verdict: .indeterminate, reasons: ["no-path"], acknowledged: ["no-path"])
                let second = try await core.sign(
                    try world.command("pharmacist-1", .dispensing, prescription: acknowledged))
                #expect(second.rule == "dispense-acknowledged")
                let intents = try await world.entries().filter { $0.leaf.kind == .intent }
                #expect(
                    intents.map { $0[.prescription] }
                        == ["passed", "indeterminate: no-path; acknowledged: no-path"])
            }
        }

        @Test func `100 requests at once are each signed once, and every one has its intent and its outcome`()
            async throws
        {
            let world = try await World()
            let before = world.token.uses
            try await world.serving { core in
                let replies = try await withThrowingTaskGroup(of: SignedReply.self) { group in
                    for number in 0..<100 {
                        let command = try world.command(document: "document \(number)", key: "key \(number)")
                        group.addTask {
                            let reply = try await core.sign(command)
                            try verify(reply, of: command)
                            return reply
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(replies.map(\.signature)).count == 100)
                #expect(Set(replies.map(\.receipt.sequence)).count == 100)
            }
            #expect(world.token.uses == before + 100)
            let kinds = try await world.kinds()
            #expect(kinds.count { $0 == "intent" } == 100 && kinds.count { $0 == "outcome 1" } == 100)
            #expect(try await world.report().faults == [])
        }

        @Test(arguments: [
            ("doctor-1", DocumentForm.dispensing, "dispensing-needs-pharmacist"),
            ("pharmacist-1", .prescription, "prescribing-needs-prescriber"),
            ("nurse-1", .prescription, "prescribing-needs-prescriber"),
            ("nurse-1", .dispensing, "dispensing-needs-pharmacist"),
            ("director-1", .dispensing, "dispensing-needs-pharmacist"),
            ("doctor-1", .other, "default-deny"),
        ])
        func `whoever is not qualified is refused with the rule, the refusal is recorded, and no key is used`(
            holder: String, form: DocumentForm, rule: String
        ) async throws {
            let world = try await World()
            let before = world.token.uses
            try await world.serving { core in
                let passed = PrescriptionJudgement(verdict: .passed, reasons: [], acknowledged: [])
                let command = try world.command(holder, form, prescription: form == .dispensing ? passed : nil)
                let failure = try await failure { try await core.sign(command) }
                #expect(failure.kind == .denied && failure.rule == rule)
                let refusal = try #require(try await world.entries().last)
                #expect(refusal.leaf.kind == .refusal)
                #expect(refusal[.decision] == rule && refusal[.holder] == holder && refusal[.note] == "denied")
                #expect(try await world.kinds() == ["refusal"])
            }
            #expect(world.token.uses == before)
        }

        @Test
        func `an indeterminate prescription is told with its reasons, but only where they are all that is missing`()
            async throws
        {
            let world = try await World()
            try await world.serving { core in
                let open = PrescriptionJudgement(
                    verdict: .indeterminate, reasons: ["no-path", "crl-stale"], acknowledged: ["no-path"])
                let told = try await failure {
                    try await core.sign(try world.command("pharmacist-1", .dispensing, prescription: open))
                }
                #expect(told.kind == .prescriptionIndeterminate && told.reasons == ["no-path", "crl-stale"])
                #expect(told.rule == "prescription-must-be-judged")
                let clinic = try await failure {
                    try await core.sign(
                        try world.command("pharmacist-1", .dispensing, client: "clinic-1", prescription: open))
                }
                #expect(clinic.kind == .denied && clinic.rule == "dispensing-at-pharmacy")
                let doctor = try await failure {
                    try await core.sign(try world.command("doctor-1", .dispensing, prescription: open))
                }
                #expect(doctor.kind == .denied && doctor.rule == "dispensing-needs-pharmacist")
                #expect(try await world.kinds() == ["refusal", "refusal", "refusal"])
            }
        }

        @Test func `a stranger is refused and leaves no record`() async throws {
            let world = try await World()
            try await world.serving { core in
                var command = try world.command()
                command.token = try world.bearer("nobody")
                #expect(try await failure { try await core.sign(command) }.kind == .unknownHolder)
                command.token = "a.b.c"
                #expect(try await failure { try await core.sign(command) }.kind == .invalidToken)
                #expect(try await world.kinds() == [])
            }
        }

        @Test func `a caller is identified without a record`() async throws {
            let world = try await World()
            try await world.serving { core in
                try await core.sign.identify(try world.bearer("doctor-1"))
                let stranger = try world.bearer("nobody")
                #expect(try await failure { try await core.sign.identify(stranger) }.kind == .unknownHolder)
                #expect(try await failure { try await core.sign.identify("a.b.c") }.kind == .invalidToken)
                #expect(try await world.kinds() == [])
            }
        }

        @Test func `two fitting credentials are ambiguous until one is named`() async throws {
            let world = try await World()
            try await world.serving { core in
                let told = try await failure { try await core.sign(try world.command("doctor-2")) }
                #expect(told.kind == .ambiguousCredential && told.reasons == ["doctor-2-a", "doctor-2-b"])
                let named = try world.command("doctor-2", credential: "doctor-2-b")
                try verify(try await core.sign(named), of: named)
                #expect(try await world.kinds() == ["refusal", "intent", "outcome 1"])
            }
        }

        @Test func `another holder's credential is refused just like a missing one`() async throws {
            let world = try await World()
            try await world.serving { core in
                let foreign = try await failure {
                    try await core.sign(try world.command(credential: "doctor-2-a"))
                }
                let missing = try await failure { try await core.sign(try world.command(credential: "no-such-key")) }
                #expect(foreign == missing)
                #expect(foreign.kind == .noCredential)
            }
        }

        @Test(arguments: [
            "UPDATE credential SET state = 'suspended' WHERE id = 'doctor-1-a'",
            "UPDATE credential SET state = 'revoked' WHERE id = 'doctor-1-a'",
            "UPDATE holder SET state = 'disabled' WHERE id = 'doctor-1'",
        ])
        func `a key suspended or a holder disabled meanwhile is refused in the intent's transaction`(
            change: String
        ) async throws {
            let world = try await World()
            try await world.serving { core in
                // The token was judged before the change, and the credential read.
                let command = try world.command()
                _ = try await core.sign(command)
                let before = world.token.uses
                try await world.change(change)
                let told = try await failure { try await core.sign(command) }
                #expect(told.kind == .credentialUnusable)
                #expect(world.token.uses == before)
                #expect(try await world.kinds() == ["intent", "outcome 1", "refusal"])
                #expect(try await world.report().openIntents == 0)
            }
        }

        @Test func `a signature is shown to its own holder alone`() async throws {
            let world = try await World()
            try await world.serving { core in
                let command = try world.command()
                let reply = try await core.sign(command)
                let facts = try await core.sign.lookup(reply.signature, token: try world.bearer("doctor-1"))
                #expect(facts.state == .signed && facts.form == .prescription && facts.digest == command.digests[0])
                #expect(facts.signedAt == reply.signedAt && facts.credential == CredentialID("doctor-1-a"))
                #expect(facts.rule == "prescribe" && facts.outcome == reply.receipt.sequence)
                #expect(facts.intent < reply.receipt.sequence)
                let other = try await failure {
                    try await core.sign.lookup(reply.signature, token: try world.bearer("doctor-2"))
                }
                #expect(other.kind == .notFound)
            }
        }

        @Test func `a refusal by front is recorded for a known caller and not for a stranger`() async throws {
            let world = try await World()
            try await world.serving { core in
                let known = RefusalNotice(
                    requestID: "r-9", token: try world.bearer("doctor-1"), form: .prescription, kind: .invalidCSV)
                try await core.sign.note(known)
                let refusal = try #require(try await world.entries().last)
                #expect(refusal[.note] == "invalidCSV" && refusal[.request] == "r-9" && refusal[.holder] == "doctor-1")
                let stranger = RefusalNotice(requestID: "r", token: "x.y.z", form: .prescription, kind: .invalidCSV)
                await #expect(throws: Failure.self) { try await core.sign.note(stranger) }
                #expect(try await world.kinds() == ["refusal"])
            }
        }
    }
}
