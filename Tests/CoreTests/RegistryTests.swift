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
import Storage
import Synchronization
import Testing

/// An authority at core's door.
struct AuthorityDesk: Sendable {
    let core: CoreInstance
    let world: World
    var authority = DevelopmentPKI.Authority.jma

    @discardableResult
    func ask(_ act: RegistrationCommand.Act) async throws -> RegistrationReply {
        try await core.registry(
            RegistrationCommand(
                requestID: "r", party: .authority(certificate: World.clientCertificate(of: authority)), act: act))
    }

    func credential(_ act: RegistrationCommand.Act) async throws -> CredentialFacts {
        guard case .credential(let facts) = try await ask(act) else { throw Failure(.unexpected, "no credential") }
        return facts
    }

    func register(_ holder: String, _ roles: [HCRole] = [.medicalDoctor]) async throws {
        try await ask(
            .putHolder(
                HolderRecord(
                    id: made(HolderID(holder)), romajiName: "Taro \(holder)", japaneseName: "太郎", roles: roles,
                    registerNumbers: [.init(register: "医籍", number: "123")])))
    }

    func order(
        _ credential: String, for holder: String, _ type: KeyType? = nil, replaces: String? = nil
    ) async throws -> CredentialFacts {
        try await self.credential(
            .requestKey(
                KeyOrder(
                    credential: made(CredentialID(credential)), holder: made(HolderID(holder)), keyType: type,
                    replaces: replaces.map { made(CredentialID($0)) })))
    }

    /// What the authority's own certificate for the credential's request is.
    func certificate(for credential: String, roles: [HCRole] = [.medicalDoctor]) async throws -> [UInt8] {
        guard
            case .certificationRequest(let request) = try await ask(
                .certificationRequest(made(CredentialID(credential))))
        else { throw Failure(.unexpected, "no request") }
        let now = world.clock.withLock { $0 }
        return try world.pki.withLock { pki in
            try pki.issue(
                request: request,
                profile: HolderProfile(
                    romajiName: "Taro", japaneseName: "太郎", identifier: credential, roles: roles),
                by: authority, now: now
            ).der
        }
    }

    @discardableResult
    func certify(_ credential: String, at moment: Instant? = nil) async throws -> CredentialFacts {
        try await self.credential(
            .deliver(
                made(CredentialID(credential)), certificate: try await certificate(for: credential),
                takesOverAt: moment))
    }

    /// A holder with an active wrapped key.
    func enrol(_ holder: String, _ credential: String, _ type: KeyType? = nil) async throws {
        try await register(holder)
        _ = try await order(credential, for: holder, type)
        try await certify(credential)
    }
}

extension World {
    func desk(_ core: CoreInstance, _ authority: DevelopmentPKI.Authority = .jma) -> AuthorityDesk {
        AuthorityDesk(core: core, world: self, authority: authority)
    }

    /// The registry's notes of one credential, in the order in which they were made.
    func story(of credential: String) async throws -> [String] {
        try await entries().filter { entry in
            entry.detail?.openings.contains {
                $0.field == .registration && $0.value.hasPrefix("credential:\(credential):")
            } == true
        }.map { $0[.note] ?? "" }
    }
}

extension CoreTests {
    @Suite struct RegistryLife {
        @Test(arguments: [RegistrationSettings.Mode.wrapped, .resident])
        func `a whole life runs through the door, and the log tells it as a story`(
            mode: RegistrationSettings.Mode
        ) async throws {
            let world = try await World()
            try await world.serving(registration: try world.registrationSettings(mode)) { core in
                let desk = world.desk(core)
                try await desk.register("taro")
                let made1 = try await desk.order("taro-1", for: "taro")
                #expect(made1.state == .generated && made1.custody == mode.rawValue && made1.keyType == .p256)
                #expect(try await desk.certify("taro-1").state == .active)
                let first = try await core.sign(try world.command("taro", credential: "taro-1"))
                try verify(first, of: try world.command("taro", credential: "taro-1"))

                _ = try await desk.order("taro-2", for: "taro", replaces: "taro-1")
                #expect(try await desk.certify("taro-2").state == .active)
                let old = try await desk.credential(.credential(made(CredentialID("taro-1"))))
                #expect(old.state == .revoked && old.reason == .superseded)
                let renewed = try await core.sign(try world.command("taro"))
                #expect(renewed.certificate != first.certificate)
                let gone = try await failure { try await core.sign(try world.command("taro", credential: "taro-1")) }
                #expect(gone.kind == .credentialUnusable)

                let second = made(CredentialID("taro-2"))
                #expect(try await desk.credential(.suspend(second, reason: .certificateHold)).state == .suspended)
                let held = try await failure { try await core.sign(try world.command("taro")) }
                #expect(held.kind == .credentialUnusable)
                #expect(try await desk.credential(.resume(second)).state == .active)
                _ = try await core.sign(try world.command("taro"))
                #expect(try await desk.credential(.revoke(second, reason: .keyCompromise)).state == .revoked)
                let revoked = try await failure { try await core.sign(try world.command("taro")) }
                #expect(revoked.kind == .credentialUnusable)
                #expect(try await desk.credential(.destroy(second)).state == .destroyed)
                #expect(try await world.read { try CredentialStore.material(of: second, in: $0) } == nil)

                let kind = mode == .wrapped ? "wrapped, epoch 1" : "resident"
                #expect(
                    try await world.story(of: "taro-2") == [
                        "renewal of taro-1 requested: p-256, ecdsa-p256-sha256",
                        "key generated: p-256, \(kind)",
                        try #require(try await world.story(of: "taro-2").first { $0.hasPrefix("certified: serial ") }),
                        "active; takes over from taro-1, superseded", "suspended: certificateHold", "resumed",
                        "revoked: keyCompromise", "key deleted; destruction waits for the last backup",
                        "destroyed: no backup can bring the key back",
                    ])
                #expect(try await world.report().faults == [])
                #expect(try await core.faultsOfKeys() == [])
            }
            #expect(world.fatal.withLock { $0 } == [])
        }

        @Test(
            arguments: [KeyType.p256, .p384, .rsa2048], [KeyCache.Settings.off, .init(size: 2, lifetime: .seconds(60))])
        func `a wrapped key of each kind signs, with a cache and without`(
            type: KeyType, cache: KeyCache.Settings
        ) async throws {
            let world = try await World()
            try await world.serving(registration: try world.registrationSettings(cache: cache)) { core in
                try await world.desk(core).enrol("taro", "taro-1", type)
                for number in 0..<4 {
                    let command = try world.command("taro", document: "document \(number)")
                    try verify(try await core.sign(command), of: command)
                }
                let counts = core.sign.custody.cacheCounts
                #expect(counts.hits == (cache.size == 0 ? 0 : 3))
            }
        }

        @Test func `a request is signed by the new key, and repeating an order or a delivery changes nothing`()
            async throws
        {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                try await desk.register("taro")
                let facts = try await desk.order("taro-1", for: "taro")
                guard
                    case .certificationRequest(let request) = try await desk.ask(
                        .certificationRequest(made(CredentialID("taro-1"))))
                else { throw Failure(.unexpected, "") }
                let proven = try ProvenCertificationRequest(der: request)
                #expect(proven.publicKey.subjectPublicKeyInfo == facts.publicKey)
                #expect(try await desk.order("taro-1", for: "taro") == facts)
                let certificate = try await desk.certificate(for: "taro-1")
                let id = made(CredentialID("taro-1"))
                let active = try await desk.credential(.deliver(id, certificate: certificate, takesOverAt: nil))
                let entries = try await world.entries().count
                #expect(
                    try await desk.credential(.deliver(id, certificate: certificate, takesOverAt: nil)) == active)
                #expect(try await world.entries().count == entries)
                try await desk.register("jiro")
                let clash = try await failure { try await desk.order("taro-1", for: "jiro") }
                #expect(clash.kind == .registryConflict)
            }
        }

        @Test func `a renewal waits for its time, and takes over in one step`() async throws {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                try await desk.enrol("taro", "taro-1")
                _ = try await desk.order("taro-2", for: "taro", replaces: "taro-1")
                let moment = World.now.adding(seconds: 3600)
                let waiting = try await desk.certify("taro-2", at: moment)
                #expect(waiting.state == .certified && waiting.takesOverAt == moment)
                let before = try await core.sign(try world.command("taro"))
                try await core.tick()
                #expect(try await core.sign(try world.command("taro", document: "2")).certificate == before.certificate)
                world.advance(seconds: 3601)
                try await core.tick()
                let after = try await core.sign(try world.command("taro", document: "3"))
                #expect(after.certificate != before.certificate)
                let old = try await desk.credential(.credential(made(CredentialID("taro-1"))))
                #expect(old.state == .revoked && old.reason == .superseded)
            }
        }

        @Test func `a certificate's end expires its key`() async throws {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                try await desk.enrol("taro", "taro-1")
                world.advance(seconds: 6 * 365 * 86_400)
                try await core.tick()
                #expect(
                    try await desk.credential(.credential(made(CredentialID("taro-1")))).state == .expired)
                #expect(try await world.story(of: "taro-1").last == "expired: its certificate ended")
            }
        }
    }

    @Suite struct RegistryRefusals {
        @Test func `no authority reaches another's holders, by any act, and a stranger none at all`() async throws {
            let world = try await World()
            try await world.serving { core in
                try await world.desk(core).enrol("taro", "taro-1")
                let other = world.desk(core, .medis)
                let holder = made(HolderID("taro"))
                let id = made(CredentialID("taro-1"))
                let acts: [RegistrationCommand.Act] = [
                    .holder(holder), .enable(holder, false), .credential(id), .certificationRequest(id),
                    .deliver(id, certificate: [0x30, 0], takesOverAt: nil), .suspend(id, reason: .certificateHold),
                    .resume(id), .revoke(id, reason: .keyCompromise), .destroy(id),
                    .requestKey(
                        KeyOrder(credential: made(CredentialID("new")), holder: holder, keyType: nil, replaces: nil)),
                    .importJob(name: "x"),
                ]
                for act in acts {
                    let told = try await failure { try await other.ask(act) }
                    #expect(told.kind == .notFound, "\(act)")
                }
                for act in [
                    RegistrationCommand.Act.putHolder(
                        HolderRecord(
                            id: holder, romajiName: "X", japaneseName: "X", roles: [], registerNumbers: []))
                ] {
                    let told = try await failure { try await other.ask(act) }
                    #expect(told.kind == .registryConflict)
                }
                guard case .holders(let holders, _) = try await other.ask(.listHolders(after: nil, limit: 200)),
                    case .credentials(let credentials, _) = try await other.ask(
                        .listCredentials(of: holder, after: nil, limit: 200))
                else { throw Failure(.unexpected, "") }
                #expect(holders.isEmpty && credentials.isEmpty)
                let stranger = try await failure {
                    try await core.registry(
                        RegistrationCommand(
                            requestID: "r", party: .authority(certificate: [1, 2, 3]), act: .holder(holder)))
                }
                #expect(stranger.kind == .unknownAuthority)
                let guesser = try await failure {
                    try await core.registry(
                        RegistrationCommand(
                            requestID: "r", party: .operatorCommand(authority: World.jma, proof: [1, 2, 3]),
                            act: .holder(holder)))
                }
                #expect(guesser.kind == .unknownAuthority)
                #expect(try await world.desk(core).credential(.credential(id)).state == .active)
            }
        }

        @Test func `each state refuses what may not follow it, and says what may`() async throws {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                try await desk.register("taro")
                _ = try await desk.order("k", for: "taro")
                let id = made(CredentialID("k"))
                func refused(_ act: RegistrationCommand.Act, _ kind: Failure.Kind = .wrongState) async throws {
                    let told = try await failure { try await desk.ask(act) }
                    #expect(told.kind == kind, "\(act): \(told.detail)")
                }
                try await refused(.suspend(id, reason: .certificateHold))
                try await refused(.resume(id))
                try await refused(.revoke(id, reason: .superseded))
                try await desk.certify("k")
                try await refused(.destroy(id))
                try await refused(.revoke(id, reason: .certificateHold), .malformedRequest)
                try await desk.ask(.revoke(id, reason: .cessationOfOperation))
                try await refused(.resume(id))
                try await refused(.suspend(id, reason: .certificateHold))
                try await desk.ask(.destroy(id))
                try await refused(.revoke(id, reason: .keyCompromise))
                try await refused(.resume(id))
                try await refused(.certificationRequest(made(CredentialID("none"))), .notFound)
                try await refused(
                    .requestKey(
                        KeyOrder(
                            credential: made(CredentialID("k2")), holder: made(HolderID("taro")), keyType: .rsa4096,
                            replaces: nil)), .keyTypeNotOffered)
                let kinds = try await world.entries().filter { $0.leaf.kind == .refusal }.count
                #expect(kinds == 11)
            }
        }

        @Test func `a certificate that was delivered before, or for another key, is refused with its reason`()
            async throws
        {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                try await desk.enrol("taro", "taro-1")
                _ = try await desk.order("taro-2", for: "taro", replaces: "taro-1")
                let first = try await desk.credential(.credential(made(CredentialID("taro-1")))).certificate
                let told = try await failure {
                    try await desk.ask(
                        .deliver(
                            made(CredentialID("taro-2")), certificate: try #require(first), takesOverAt: nil))
                }
                #expect(told.kind == .certificateRefused)
                #expect(Set(told.reasons).isSuperset(of: ["other-public-key", "serial-seen"]))
                let refusal = try #require(try await world.entries().last { $0.leaf.kind == .refusal })
                #expect(refusal[.note]?.hasPrefix("deliver certificate taro-2: certificateRefused") == true)
            }
        }

        @Test func `a role outside the remit or unknown is not registered`() async throws {
            let world = try await World()
            try await world.serving { core in
                let pharmacists = world.desk(core, .jpa)
                let outside = try await failure { try await pharmacists.register("x", [.medicalDoctor]) }
                #expect(outside.kind == .denied && outside.reasons == ["role-outside-remit"])
                let unknown = try await failure { try await pharmacists.register("x", [HCRole("Wizard")]) }
                #expect(unknown.kind == .malformedRequest && unknown.reasons == ["unknown-role"])
                try await pharmacists.register("x", [.pharmacist])
            }
        }

        @Test func `a disabled holder signs nothing, and signs again when enabled`() async throws {
            let world = try await World()
            try await world.serving { core in
                let desk = world.desk(core)
                try await desk.enrol("taro", "taro-1")
                let command = try world.command("taro")
                _ = try await core.sign(command)
                try await desk.ask(.enable(made(HolderID("taro")), false))
                let told = try await failure { try await core.sign(command) }
                #expect(told.kind == .credentialUnusable)
                try await desk.ask(.enable(made(HolderID("taro")), true))
                _ = try await core.sign(command)
            }
        }
    }
}
