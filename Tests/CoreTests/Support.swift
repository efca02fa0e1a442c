import Audit
import Certificates
import Core
import CoreProtocol
import Development
import Formats
import Foundation
import HPKI
import Host
import Identity
import JOSE
import Keys
import Logging
import PKCS11
import Policies
import Storage
import Synchronization
import Testing

/// The suite of all tests with a core: one at a time, since a process has one PKCS#11 module.
@Suite(.serialized, .timeLimit(.minutes(10))) struct CoreTests {}

/// An instance on the disk, with development certificates, that cores are opened on.
final class World: Sendable {
    static let now = Instant(seconds: 1_800_000_000)
    static let roles: [String: [HCRole]] = [
        "doctor-1": [.medicalDoctor], "doctor-2": [.medicalDoctor], "pharmacist-1": [.pharmacist],
        "nurse-1": [HCRole("General Nurse")], "director-1": [HCRole("Director of Hospital"), .medicalDoctor],
        "dentist-1": [.dentist],
    ]
    static let jma = made(AuthorityID("jma"))
    /// Stand for the client certificates of the authorities, which core knows by their digests alone.
    static func clientCertificate(of authority: DevelopmentPKI.Authority) -> [UInt8] {
        Array("client certificate of \(authority.rawValue)".utf8)
    }

    private static let authorities = Task {
        try DevelopmentPKI.create(random: .live, now: now.adding(seconds: -86_400))
    }
    private static let signer = Task { try await TokenSigner.generate(keyID: "k", random: .live) }

    let home: String
    let token: TestToken
    let pki: Mutex<DevelopmentPKI>
    let tokens: TokenSigner
    let clock = Mutex(now)
    let fatal = Mutex<[String]>([])

    var adminKey: [UInt8] {
        get throws { try SecretFile.read(CoreSettings.Paths(home: home).adminKey, atMost: 64).copiedBytes }
    }

    /// Makes the instance; `change` may alter a holder's certificate before it is signed.
    init(_ change: (String, inout CertificateTemplate) -> Void = { _, _ in }) async throws {
        token = try await TestToken.shared.value
        tokens = try await Self.signer.value
        var pki = try await Self.authorities.value
        home = TestToken.folder.appending(path: "home-\(UUID())").path()
        let paths = CoreSettings.Paths(home: home)
        for folder in ["data", "run", "secrets", "trust/anchors", "trust/intermediates", "trust/crls"] {
            try Files.makeFolder(home + "/" + folder)
        }
        for path in [
            paths.logKey, paths.checkpointKey, paths.pseudonymKey, paths.claimKey, paths.adminKey, paths.custodyKey,
        ] {
            try SecretFile.write(Random.live.bytes(32), to: path)
        }
        try SecretFile.write(Array("1234\n".utf8), to: home + "/secrets/pin")
        try Files.write(pki.root.der, to: home + "/trust/anchors/root.cer")
        for authority in DevelopmentPKI.Authority.allCases {
            let certificate = try pki.certificate(of: authority).der
            try Files.write(certificate, to: "\(home)/trust/intermediates/\(authority.rawValue).cer")
        }
        let key = LogKey(try SecretFile.read(paths.logKey, atMost: 100).copiedBytes)
        try AuditVerifier.create(headAt: paths.auditHead, key: key)
        var credentials: [(record: CredentialRecord, keyID: [UInt8])] = []
        for name in TestToken.names {
            let holder = String(name.dropLast(2))
            let key = try #require(token.keys[name])
            let profile = HolderProfile(
                romajiName: "Test \(holder)", japaneseName: "試験", identifier: holder, roles: Self.roles[holder] ?? []
            )
            let from = Self.now.adding(seconds: -3600)
            var template = try pki.template(profile, publicKey: key.subjectPublicKeyInfo, by: .jma, now: from)
            // The authority's book counts the serial number that the template already has.
            _ = try pki.issue(profile, publicKey: key.subjectPublicKeyInfo, by: .jma, now: from)
            change(name, &template)
            let keyType: KeyType = holder == "dentist-1" ? .rsa2048 : .p256
            credentials.append(
                (
                    CredentialRecord(
                        active: try HPKICertificate(der: try template.signed(by: pki.key(of: .jma))),
                        id: made(CredentialID(name)), holder: made(HolderID(holder)), authority: Self.jma,
                        keyType: keyType, algorithm: keyType.algorithms[0], custody: "resident", at: Self.now),
                    key.id
                ))
        }
        let database = try Database.create(at: paths.database, parts: CoreSchema.parts)
        try await Self.register(credentials, in: database, paths, key)
        try database.close()
        try Self.write(try pki.crls(now: Self.now.adding(seconds: -60)), below: home)
        self.pki = Mutex(pki)
    }

    /// Enters holders, their keys and the epoch, and has the log tell of them as it would of a registration.
    private static func register(
        _ credentials: [(record: CredentialRecord, keyID: [UInt8])], in database: Database, _ paths: CoreSettings.Paths,
        _ key: LogKey
    ) async throws {
        let log = AuditLog(
            try AuditVerifier.open(database, headAt: paths.auditHead, key: key), origin: "log.example", key: key,
            signers: try LogSigners(
                origin: "log.example", seeds: try SecretFile.read(paths.checkpointKey, atMost: 100).copiedBytes),
            pseudonyms: Pseudonyms(key: try SecretFile.read(paths.pseudonymKey, atMost: 100).copiedBytes),
            clock: .fixed(now.adding(seconds: -1800)), random: .live, onStop: { _ in })
        defer { log.stop() }
        let holders = roles.map { holder, roles in
            RegisteredHolder(
                record: HolderRecord(
                    id: made(HolderID(holder)), romajiName: "Test \(holder)", japaneseName: "試験", roles: roles,
                    registerNumbers: []),
                authority: jma, state: .enabled, version: 1)
        }
        let rows =
            holders.map { "holder:\($0.record.id):1:\($0.digest.hex)" }
            + credentials.map { "credential:\($0.record.id):1:\($0.record.digest.hex)" }
        let party = AuthorityIdentification(certificates: [:], adminKey: Digest(of: [])).itself(for: jma)
        let change = RegistryChange(
            note: "a test's world", party: party, holder: made(HolderID("world")), registrations: rows, requestID: "-")
        try await log.record(change) { connection, sequence in
            for holder in holders { _ = try HolderStore.put(holder, record: sequence, in: connection) }
            for (record, keyID) in credentials {
                _ = try CredentialStore.put(record, endsAt: nil, entry: sequence, in: connection)
                try CredentialStore.put(.resident(keyID: keyID), of: record.id, in: connection)
            }
            try WrappingEpochStore.insert(
                WrappingEpoch(epoch: 1, keyID: TestToken.epochs[0], checkValue: [], state: .current), in: connection)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: home) }

    private static func write(_ lists: [String: [UInt8]], below home: String) throws {
        for (name, list) in lists { try Files.write(list, to: "\(home)/trust/crls/\(name)") }
    }

    /// Publishes lists of `moment` after a change to the authorities' books.
    func publish(at moment: Instant, _ change: (inout DevelopmentPKI) throws -> Void = { _ in }) throws {
        let lists = try pki.withLock { pki in
            try change(&pki)
            return try pki.crls(now: moment)
        }
        try Self.write(lists, below: home)
    }

    func advance(seconds: Int64) { clock.withLock { $0 = $0.adding(seconds: seconds) } }

    func open(
        faults: DatabaseFaults? = nil, sessions: Int = 4, timeout: Int = 10,
        registration: RegistrationSettings? = nil, platform: PlatformSettings? = nil
    ) async throws -> CoreInstance {
        let keys = tokens.publicJWKSet
        let settings = CoreSettings(
            paths: CoreSettings.Paths(home: home), origin: "log.example",
            token: .init(
                module: token.module, label: TestToken.label, pin: { Self.pin() }, sessions: sessions,
                timeoutSeconds: timeout, custody: "software token"
            ),
            issuers: [
                IssuerSettings(
                    issuer: "i", audience: "a", jwks: "https://i/jwks",
                    holders: Set(Self.roles.keys.map { made(HolderID($0)) }), speaksForRegistered: true
                )
            ] + (platform == nil ? [] : [PlatformScene.issuerSettings]),
            clients: [
                ClientRegistration(id: made(ClientID("clinic-1")), facility: "1310000001", kind: .medical),
                ClientRegistration(id: made(ClientID("pharmacy-1")), facility: "1340000001", kind: .pharmacy),
                ClientRegistration(id: PlatformScene.strict, facility: "1310000001", kind: .medical),
                ClientRegistration(id: PlatformScene.plain, facility: "1310000001", kind: .medical),
            ],
            window: ActivationWindow(), policies: try PolicySet(reading: PolicySet.shippedFile),
            certificates: .init(folder: home + "/trust"), certificatePolicies: [OID.hpkiSigningPolicy],
            registration: try registration ?? registrationSettings(), inFlight: 256, kind: "development",
            platform: platform, failpoint: nil
        )
        return try await CoreInstance.open(
            settings, clock: WallClock { self.clock.withLock { $0 } }, random: .live, logger: quiet, faults: faults,
            fetch: { _ in keys }, onFatal: { end in self.fatal.withLock { $0.append("\(end)") } }
        )
    }

    private static func pin() -> PIN {
        var bytes = Array("1234".utf8)
        return PIN(consuming: &bytes)
    }

    /// Three authorities with the usual remits; keys on P-256 first, since they are made at once.
    func registrationSettings(
        _ mode: RegistrationSettings.Mode = .wrapped, cache: KeyCache.Settings = .off, spares: Int = 0
    ) throws -> RegistrationSettings {
        let roles: Set<String> = [
            "Medical Doctor", "Dentist", "Pharmacist", "General Nurse", "Director of Hospital",
        ]
        return RegistrationSettings(
            authorities: try DevelopmentPKI.Authority.allCases.map { authority in
                RegistrationSettings.Authority(
                    remit: AuthorityRemit(
                        name: made(AuthorityID(authority.rawValue)),
                        issuers: [try pki.withLock { try $0.certificate(of: authority) }],
                        roles: authority == .jpa ? ["Pharmacist"] : roles),
                    clientCertificates: [Digest(of: Self.clientCertificate(of: authority))])
            },
            mode: mode,
            offers: [KeyType.p256, .rsa2048, .p384].map {
                RegistrationSettings.Offer(keyType: $0, algorithm: $0.algorithms[0], spares: spares)
            },
            cache: cache, knownRoles: roles
        )
    }

    /// Runs `body` on a core that is closed behind it.
    func serving(
        faults: DatabaseFaults? = nil, sessions: Int = 4, timeout: Int = 10,
        registration: RegistrationSettings? = nil, platform: PlatformSettings? = nil,
        _ body: (CoreInstance) async throws -> Void
    ) async throws {
        let core = try await open(
            faults: faults, sessions: sessions, timeout: timeout, registration: registration, platform: platform)
        do { try await body(core) } catch {
            await core.close()
            throw error
        }
        await core.close()
    }

    func bearer(_ holder: String, client: String? = nil) throws -> PresentedToken {
        let now = clock.withLock { $0.seconds }
        var claims = [
            JSONMember("iss", "i"), JSONMember("aud", "a"), JSONMember("sub", .string(holder)),
            JSONMember("exp", .number("\(now + 600)")), JSONMember("auth_time", .number("\(now - 5)")),
            JSONMember("acr", "hpki-card"), JSONMember("amr", ["hwk"]),
        ]
        if let client { claims.append(JSONMember("client_id", .string(client))) }
        return PresentedToken(try tokens.sign(.object(claims), type: "at+jwt"))
    }

    /// The token of somebody who looks at the log.
    func reviewer(_ roles: ReviewerRole..., subject: String = "reviewer-1") throws -> PresentedToken {
        let now = clock.withLock { $0.seconds }
        let claims: JSONValue = [
            "iss": "i", "aud": "a", "sub": .string(subject), "exp": .number("\(now + 600)"),
            "auth_time": .number("\(now - 5)"), "acr": "hpki-card", "amr": ["hwk"],
            "shirushi_roles": .array(roles.map { .string($0.rawValue) }),
        ]
        return PresentedToken(try tokens.sign(claims, type: "at+jwt"))
    }

    func command(
        _ holder: String = "doctor-1", _ form: DocumentForm = .prescription, document: String = "a document",
        key: String? = nil, body: String = "a body", credential: String? = nil, client: String? = nil,
        prescription: PrescriptionJudgement? = nil
    ) throws -> SignCommand {
        SignCommand(
            requestID: "request-1", token: try bearer(holder, client: client), form: form,
            digests: [Digest(of: Array(document.utf8))], credential: credential.flatMap { CredentialID($0) },
            idempotency: key.flatMap { Idempotency(key: $0, body: Digest(of: Array(body.utf8))) },
            prescription: prescription
        )
    }

    // MARK: What was recorded

    func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        let database = try Database.open(
            at: CoreSettings.Paths(home: home).database, parts: CoreSchema.parts, readOnly: true)
        return try await database.read(work)
    }

    func change(_ sql: String) async throws {
        let database = try Database.open(at: CoreSettings.Paths(home: home).database, parts: CoreSchema.parts)
        try await database.write { _ = try $0.execute(sql) }
        try database.close()
    }

    func entries() async throws -> [AuditReader.Entry] {
        let database = try Database.open(
            at: CoreSettings.Paths(home: home).database, parts: CoreSchema.parts, readOnly: true)
        return try await AuditReader.entries(database, from: 0, limit: 1000)
    }

    /// The entries behind the start's two, in the order in which they were made.
    func kinds() async throws -> [String] {
        // The first record tells of the world's own holders and keys.
        try await entries().dropFirst().filter { ![.start, .stop, .configuration].contains($0.leaf.kind) }.map {
            entry in
            entry.leaf.kind == .outcome ? "outcome \(entry.leaf.code)" : entry.leaf.kind.name
        }
    }

    func report() async throws -> LogReport {
        let paths = CoreSettings.Paths(home: home)
        let key = LogKey(try SecretFile.read(paths.logKey, atMost: 4096).copiedBytes)
        let database = try Database.open(at: paths.database, parts: CoreSchema.parts)
        return try await withCheckedThrowingContinuation { answer in
            HostThread.start("report") {
                answer.resume(
                    with: Result { try AuditVerifier.report(database, headAt: paths.auditHead, key: key) })
            }
        }
    }
}

/// A logger that says nothing.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension AuditReader.Entry {
    subscript(field: DetailField) -> String? { detail?.openings.first { $0.field == field }?.value }
}

/// The failure of `body`, which must fail.
func failure(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> some Any
) async throws -> Failure {
    do {
        _ = try await body()
    } catch let failure as Failure { return failure }
    Issue.record("nothing failed", sourceLocation: sourceLocation)
    throw Failure(.unexpected, "nothing failed")
}

/// Throws unless the reply's value is a signature over just what was asked for.
func verify(_ reply: SignedReply, of command: SignCommand) throws {
    let signature = try PrescriptionSignature(
        form: command.form, dataDigest: command.digests[0], certificate: reply.certificate, signingTime: reply.signedAt,
        algorithm: reply.algorithm
    )
    try HPKICertificate(der: reply.certificate).publicKey.verify(
        signature: reply.value, over: signature.bytesToSign, algorithm: reply.algorithm
    )
}

/// A disk that says no once, at the n-th commit: before it is done, or after.
func fault(at number: Int, done: Bool) -> DatabaseFaults {
    let commits = Mutex(0)
    let say: @Sendable () throws -> Void = {
        let isIt = commits.withLock { count in
            count += 1
            return count == number
        }
        if isIt { throw CocoaError(.fileWriteUnknown) }
    }
    return done ? DatabaseFaults(afterCommit: say) : DatabaseFaults(beforeCommit: say)
}

/// The value of an identifier written in a test.
func made<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("a test's identifier is none") }
    return value
}
