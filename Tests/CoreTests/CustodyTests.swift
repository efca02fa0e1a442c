import Audit
import Certificates
import Core
import CoreProtocol
import Development
import Foundation
import HPKI
import Host
import Identity
import Keys
import PKCS11
import Storage
import Synchronization
import Testing

extension CoreTests {
    @Suite struct CustodyFaults {
        @Test func `a blob moved to another credential or altered is refused before any use`() async throws {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                try await desk.enrol("taro", "taro-1")
                try await desk.enrol("jiro", "jiro-1")
                try await world.change(
                    """
                    UPDATE key_material SET blob = (SELECT blob FROM key_material WHERE credential = 'jiro-1'),
                        seal = (SELECT seal FROM key_material WHERE credential = 'jiro-1') WHERE credential = 'taro-1'
                    """)
                let before = world.token.uses
                let moved = try await failure { try await core.sign(try world.command("taro")) }
                #expect(moved.kind == .credentialUnusable && moved.reasons == ["seal-broken"])
                try await world.change(
                    "UPDATE key_material SET blob = zeroblob(length(blob)) WHERE credential = 'jiro-1'")
                let altered = try await failure { try await core.sign(try world.command("jiro")) }
                #expect(altered.reasons == ["seal-broken"])
                #expect(world.token.uses == before)
                let faults = try await core.faultsOfKeys()
                #expect(faults.count == 2 && faults.allSatisfy { $0.contains("moved or altered") })
            }
        }

        @Test func `a row rolled back, altered or removed is found by the audit of the keys`() async throws {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                for name in ["taro", "jiro", "saburo"] { try await desk.enrol(name, "\(name)-1") }
                try await desk.ask(.revoke(made(CredentialID("taro-1")), reason: .keyCompromise))
                #expect(try await core.faultsOfKeys() == [])
                try await world.change(
                    "UPDATE credential SET state = 'active', version = 4, record = record - 5, reason = NULL WHERE id = 'taro-1'"
                )
                try await world.change("UPDATE credential SET holder = 'taro' WHERE id = 'jiro-1'")
                try await world.change("DELETE FROM credential WHERE id = 'saburo-1'")
                let faults = try await core.faultsOfKeys()
                #expect(faults.contains { $0.contains("taro-1") && $0.contains("rolled back") })
                #expect(faults.contains { $0.contains("jiro-1") && $0.contains("altered") })
                #expect(faults.contains { $0.contains("saburo-1") && $0.contains("gone") })
            }
        }

        @Test func `a planted object is found, and so is a key that is missing`() async throws {
            let world = try await World()
            try await world.serving { core in
                #expect(try await core.faultsOfKeys() == [])
                try await core.plantKey(label: "planted")
                let faults = try await core.faultsOfKeys()
                #expect(faults.count == 1 && faults[0].contains("\"planted\": a stray object"))
                try await core.removeKey(label: "planted")
                try await world.change("UPDATE key_material SET key_id = x'7777' WHERE credential = 'doctor-1-a'")
                let missing = try await core.faultsOfKeys()
                #expect(missing.contains("credential doctor-1-a: its key is not in the token"))
                #expect(missing.contains { $0.contains("doctor-1-a\": a stray object") })
            }
        }

        @Test func `keys move to a new epoch while they sign, and the old one retires when none is left`()
            async throws
        {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                for number in 0..<6 {
                    try await desk.enrol("h\(number)", "h\(number)-1", number == 0 ? .rsa2048 : .p256)
                }
                let runner = Task { await core.runRotation(logger: quiet) }
                defer { runner.cancel() }
                let facts = try await core.rotation(.addEpoch(2, keyID: TestToken.epochs[1], checkValue: []))
                #expect(facts.epoch == 2 && facts.retiring == [1])
                var rounds = 0
                while try await core.rotation(.rotation).remaining > 0, rounds < 400 {
                    for number in 0..<6 {
                        let command = try world.command("h\(number)", document: "\(rounds)")
                        try verify(try await core.sign(command), of: command)
                    }
                    rounds += 1
                }
                #expect(try await core.rotation(.rotation).remaining == 0)
                for number in 0..<6 {
                    let command = try world.command("h\(number)", document: "after")
                    try verify(try await core.sign(command), of: command)
                    let material = try await world.read {
                        try CredentialStore.material(of: made(CredentialID("h\(number)-1")), in: $0)
                    }
                    guard case .wrapped(let wrapped)? = material else { throw Failure(.unexpected, "") }
                    #expect(wrapped.epoch == 2)
                }
                #expect(try await core.rotation(.retireEpoch(1)).retiring == [])
                // Its wrapping key is still in the token of the tests, and that is told.
                #expect(try await core.auditKeys().faults.contains { $0.contains("retired epoch 1") })
            }
        }

        @Test func `no signature starts behind a revocation`() async throws {
            let world = try await World()
            let rounds = ProcessInfo.processInfo.environment["SHIRUSHI_LONG"] == nil ? 60 : 1000
            try await world.serving { core in
                let desk = world.desk(core)
                var revokedInTime = 0
                for round in 0..<rounds {
                    let (name, holder) = ("k\(round)", "h\(round)")
                    try await desk.register(holder)
                    _ = try await desk.order(name, for: holder)
                    try await desk.certify(name)
                    let usesAtCommit = try await withThrowingTaskGroup(of: Int?.self) { group in
                        for number in 0..<4 {
                            group.addTask {
                                try? await Task.sleep(for: .microseconds(Int.random(in: 0..<3000)))
                                let command = try world.command(holder, document: "\(round) \(number)")
                                _ = try? await core.sign(command)
                                return nil
                            }
                        }
                        group.addTask {
                            try? await Task.sleep(for: .microseconds(Int.random(in: 0..<3000)))
                            try await desk.ask(.revoke(made(CredentialID(name)), reason: .keyCompromise))
                            // Only this credential's uses are under way, so the count of all is its own.
                            return world.token.uses
                        }
                        var uses = 0
                        for try await value in group { uses = value ?? uses }
                        return uses
                    }
                    #expect(world.token.uses == usesAtCommit, "round \(round)")
                    let told = try await failure {
                        try await core.sign(try world.command(holder))
                    }
                    if told.kind == .credentialUnusable { revokedInTime += 1 }
                }
                #expect(revokedInTime == rounds)
                #expect(try await world.report().faults == [])
            }
        }

        @Test func `an import is done row by row, with its report, and once`() async throws {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                let runner = Task { await core.runImports(logger: quiet) }
                defer { runner.cancel() }
                let rows = (0..<20).map { number in
                    let holder = HolderRecord(
                        id: made(HolderID("bulk-\(number)")), romajiName: "Bulk", japaneseName: "太郎",
                        roles: [number == 7 ? HCRole("Wizard") : .medicalDoctor], registerNumbers: [])
                    return ImportRow(
                        holder: holder,
                        order: KeyOrder(
                            credential: made(CredentialID("bulk-key-\(number)")), holder: holder.id, keyType: nil,
                            replaces: nil))
                }
                try await desk.ask(.startImport(name: "spring", rows: rows))
                var facts: ImportFacts?
                for _ in 0..<400 {
                    guard case .importJob(let now) = try await desk.ask(.importJob(name: "spring")) else { break }
                    facts = now
                    if now.isFinished { break }
                    try await Task.sleep(for: .milliseconds(25))
                }
                #expect(facts == ImportFacts(name: "spring", total: 20, done: 20, failed: 1))
                guard
                    case .importRows(let report) = try await desk.ask(.importRows(name: "spring", from: 0, limit: 500))
                else { throw Failure(.unexpected, "") }
                #expect(report.count == 20 && report[7].outcome == "malformedRequest" && report[8].outcome == "done")
                #expect(
                    try await desk.credential(.credential(made(CredentialID("bulk-key-3")))).state == .generated)
                try await desk.ask(.startImport(name: "spring", rows: rows))
                let other = try await failure { try await desk.ask(.startImport(name: "spring", rows: [rows[0]])) }
                #expect(other.kind == .registryConflict)
            }
        }

        @Test func `a revocation list that is delivered ends the keys that it names`() async throws {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                try await desk.enrol("taro", "taro-1")
                try await desk.enrol("jiro", "jiro-1")
                let der = try #require(
                    try await desk.credential(.credential(made(CredentialID("taro-1")))).certificate)
                let lists = try world.pki.withLock { pki in
                    try pki.revoke(
                        serial: try HPKICertificate(der: der).serialNumber, of: .jma, reason: .keyCompromise,
                        at: World.now)
                    return try pki.crls(now: World.now.adding(seconds: 5))
                }
                let list = try #require(lists["development-jma.crl"])
                let foreign = try await failure {
                    try await world.desk(core, .medis).ask(.takeRevocationList(list))
                }
                #expect(foreign.kind == .revocationListRefused)
                guard case .revocationList(let facts) = try await desk.ask(.takeRevocationList(list)) else {
                    throw Failure(.unexpected, "")
                }
                #expect(facts.revoked == [made(CredentialID("taro-1"))])
                #expect(
                    try await desk.credential(.credential(made(CredentialID("taro-1")))).reason == .keyCompromise)
                world.advance(seconds: 10)
                let told = try await failure { try await core.sign(try world.command("taro")) }
                #expect(told.kind == .credentialUnusable)
                _ = try await core.sign(try world.command("jiro"))
            }
        }

        @Test func `a restored instance signs nothing until lists are newer and authorities resume`() async throws {
            let world = try await World()
            try await world.serving { core in
                try await world.desk(core).enrol("taro", "taro-1")
                try await world.desk(core).enrol("jiro", "jiro-1")
            }
            try Files.write(Array("archive-1".utf8), to: world.home + "/data/restored")
            try await world.serving { core in
                try await core.recover(logger: quiet)
                let desk = world.desk(core)
                let told = try await failure { try await core.sign(try world.command("taro")) }
                #expect(told.kind == .credentialUnusable)
                let id = made(CredentialID("taro-1"))
                let early = try await failure { try await desk.ask(.resume(id)) }
                #expect(early.kind == .wrongState && early.reasons == ["restored"])
                world.advance(seconds: 60)
                let revoked = try #require(
                    try await desk.credential(.credential(made(CredentialID("jiro-1")))).certificate)
                let lists = try world.pki.withLock { pki in
                    try pki.revoke(
                        serial: try HPKICertificate(der: revoked).serialNumber, of: .jma, reason: .keyCompromise,
                        at: World.now)
                    return try pki.crls(now: World.now.adding(seconds: 30))
                }
                try await desk.ask(.takeRevocationList(try #require(lists["development-jma.crl"])))
                #expect(try await desk.credential(.resume(id)).state == .active)
                _ = try await core.sign(try world.command("taro"))
                // Revoked since the backup: the list ended it, and nothing brings it back.
                let gone = try await failure { try await desk.ask(.resume(made(CredentialID("jiro-1")))) }
                #expect(gone.kind == .wrongState)
                // The second start finds the recovery done.
                try await core.recover(logger: quiet)
                #expect(try await desk.credential(.credential(id)).state == .active)
            }
        }

        @Test func `a deleted key counts as destroyed only when the last backup that may hold it has expired`()
            async throws
        {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                try await desk.enrol("taro", "taro-1")
                _ = try await core.administer(
                    .noteBackup("b1", expiresAt: World.now.adding(seconds: 86_400)))
                world.advance(seconds: 10)
                let id = made(CredentialID("taro-1"))
                try await desk.ask(.revoke(id, reason: .keyCompromise))
                #expect(try await desk.credential(.destroy(id)).state == .destructionPending)
                world.advance(seconds: 86_400)
                try await core.tick()
                #expect(try await desk.credential(.credential(id)).state == .destroyed)
            }
        }
    }
}

extension CoreInstance {
    /// A pair that no registry knows, as an intruder with the PIN would leave one.
    func plantKey(label: String) async throws {
        _ = try await pool.runApart(writable: true) { session throws(PKCS11Error) in
            try session.generateKeyPair(.p256, label: label, id: [0xBA, 0xD0])
        }
    }

    func rotation(_ request: AdminRequest) async throws -> RotationFacts {
        guard case .rotation(let facts) = try await administer(request) else { throw Failure(.unexpected, "") }
        return facts
    }

    /// What the audit of the keys finds beside the second epoch's keys, which the token of all tests has from the start.
    func faultsOfKeys() async throws -> [String] {
        try await auditKeys().faults.filter { !$0.contains("\"shirushi ") }
    }

    func removeKey(label: String) async throws {
        try await pool.runApart(writable: true) { session throws(PKCS11Error) in
            for key in try session.privateKeys() where key.label == label { try session.destroy(key.handle) }
        }
    }
}
