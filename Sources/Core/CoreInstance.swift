package import Audit
import AuditIndex
package import Certificates
import CoreProtocol
package import HPKI
package import Host
import Identity
import Keys
package import Logging
package import PKCS11
import Policies
package import Storage

/// Why core did not start.
package enum CoreStartError: Error, Sendable, CustomStringConvertible {
    case host(HostError)
    case storage(StorageError)
    case audit(AuditError)
    case token(PKCS11Error)
    case trust(TrustStoreError)
    /// Keys are to be wrapped, and the module lets somebody who has the PIN get a wrapped key out: by these attacks.
    case unsafeWrapping([String])
    /// The platform's keys or clients.
    case platform(String)
    /// The token is software by its own account, and the configuration does not accept that by name.
    case softwareToken(manufacturer: String)

    package var description: String {
        switch self {
        case .host(let error): "\(error)"
        case .storage(let error): "the database cannot be used: \(error)"
        case .audit(let error): "the audit log cannot be used: \(error)"
        case .token(let error): "the security module cannot be used: \(error)"
        case .trust(let error): "the trust anchors cannot be used: \(error)"
        case .unsafeWrapping(let attacks):
            "wrapped keys are not safe in this module (\(attacks.joined(separator: "; "))); "
                + "set keys.mode to resident, or see: shirushi hsm probe"
        case .platform(let fault): "the authentication platform cannot start: \(fault)"
        case .softwareToken(let manufacturer):
            "the token is a software token (\(manufacturer)) and hsm.acceptSoftwareToken is not set"
        }
    }
}

/// Everything that core holds, opened in the order in which each part may rely on those before it.
package struct CoreInstance: Sendable {
    package let sign: Sign
    package let registry: Registry
    /// Answers those who look at the log.
    package var review: Review
    let database: Database
    let log: AuditLog
    /// The part of the log that the start took from a mark.
    let recheck: AuditRecheck?
    package let pool: SessionPool
    let module: PKCS11Module
    let watch: CertificateWatch
    let witnesses: Witnesses
    /// Nil where this instance is no authentication platform.
    let authentication: Platform?
    let ended: EndedLogins
    let settings: CoreSettings
    let clock: WallClock
    let clockGuard: ClockGuard
    let lock: InstanceLock
    /// SHA-256 of the admin key.
    let adminKey: Digest
    /// What the last audit of the token found.
    let keyFaults = KeyFaults()

    /// Takes the lock, verifies the log, closes what an earlier run left open, and opens the token.
    ///
    /// `onFatal` is called when core must end: the log stopped (it must be verified anew), or a call of the module
    /// hangs (only a new process is rid of it). `faults` are for tests of what a disk may do.
    package static func open(
        _ settings: CoreSettings, clock: WallClock, random: Random, logger: Logger,
        faults: DatabaseFaults? = nil, fetch: @escaping @Sendable (String) async throws -> [UInt8],
        onFatal: @escaping @Sendable (FatalEnd) -> Void
    ) async throws(CoreStartError) -> CoreInstance {
        let paths = settings.paths
        let lock: InstanceLock
        let keys: Secrets
        do {
            lock = try InstanceLock.acquire(at: paths.lock)
            keys = (
                LogKey(try secret(paths.logKey)), try LogSecrets.checkpointSeeds(paths),
                Pseudonyms(key: try secret(paths.pseudonymKey)),
                ClaimKey(try secret(paths.claimKey)), Digest(of: try secret(paths.adminKey)),
                CustodyKey(try custodyKey(paths)), try pin(settings.token)
            )
        } catch { throw .host(error) }
        // The module first: while it is away each start of core would add to the log for nothing.
        let (module, pool) = try await openToken(settings, pin: keys.pin, onFatal: onFatal)
        do {
            return try await open(
                settings, keys, (module, pool), lock, clock: clock, random: random, logger: logger, faults: faults,
                fetch: fetch, onFatal: onFatal)
        } catch {
            await pool.close()
            await module.finalize()
            lock.release()
            throw error
        }
    }

    /// What the instance's secrets are read into.
    private typealias Secrets = (
        log: LogKey, checkpointSeeds: [UInt8], pseudonyms: Pseudonyms, claims: ClaimKey, admin: Digest,
        seals: CustodyKey, pin: PIN
    )

    private static func open(
        _ settings: CoreSettings, _ keys: Secrets, _ token: (module: PKCS11Module, pool: SessionPool),
        _ lock: InstanceLock, clock: WallClock, random: Random, logger: Logger, faults: DatabaseFaults?,
        fetch: @escaping @Sendable (String) async throws -> [UInt8], onFatal: @escaping @Sendable (FatalEnd) -> Void
    ) async throws(CoreStartError) -> CoreInstance {
        let paths = settings.paths
        let database: Database
        do {
            database = try Database.open(at: paths.database, parts: CoreSchema.parts, faults: faults)
        } catch { throw .storage(error) }
        let log: AuditLog
        let recheck: AuditRecheck?
        do throws(AuditError) {
            let verified = try AuditVerifier.open(
                database, headAt: paths.auditHead, markAt: LogMarkFile(paths.auditMark), key: keys.log)
            recheck = verified.recheck
            let signing = try LogSecrets.settle(keys.checkpointSeeds, verified, paths, origin: settings.origin)
            log = AuditLog(
                verified, origin: settings.origin, key: keys.log,
                signers: try LogSigners(origin: settings.origin, seeds: signing.seeds),
                pseudonyms: keys.pseudonyms, clock: clock, random: random, onStop: { onFatal(.auditStopped($0)) }
            )
            try await Contradiction.settle(at: paths.contradiction, database, keys: log.signers.keys)
            for key in signing.unrecorded { try await log.recordCheckpointKey(key) }
            for intent in verified.openIntents {
                try await log.closeAsUnknown(intent: intent) { connection, outcome in
                    try SignatureStore.closeAsUnknown(intent: intent, outcome: outcome, in: connection)
                }
            }
            if !verified.openIntents.isEmpty {
                logger.warning(
                    "intents of an earlier run closed as unknown", metadata: ["count": "\(verified.openIntents.count)"]
                )
            }
            try await log.recordEvent(
                .start, note: "core started: \(settings.kind), \(settings.token.custody)"
            )
            try await log.recordEvent(
                .configuration, note: "policy set \(settings.policies.name) \(settings.policies.hash.hex)"
            )
        } catch { throw .audit(error) }
        let watch: CertificateWatch
        do {
            var requirements = PathRequirements.hpkiSigning
            requirements.acceptablePolicies = settings.certificatePolicies
            watch = try CertificateWatch(settings.certificates, requirements: requirements, fetch: fetch)
        } catch { throw .trust(error) }
        let witnesses: Witnesses
        do {
            witnesses = try await Witnesses(
                settings.witnesses, database: database, log: log, clock: clock, contradiction: paths.contradiction)
        } catch { throw .storage(error.storage ?? .corrupt) }
        let (custody, epochs) = try await openCustody(
            settings, token.pool, keys.pin, database, log, keys.seals)
        let clients = RegisteredClients(settings.clients)
        let (authentication, possession, ended) = try await openPlatform(
            settings, clients, database, log, custody, clock: clock, random: random, fetch: fetch)
        let ownKeys: @Sendable (String) async throws -> [UInt8] = { url in
            guard url == PlatformSettings.ownKeys, let authentication else { return try await fetch(url) }
            return authentication.keys.published
        }
        let choice = CredentialChoice(database: database)
        let failpoint = Failpoint(armed: settings.failpoint)
        let sign = Sign(
            identification: TokenIdentification(
                issuers: settings.issuers, window: settings.window, database: database, clock: clock,
                possession: possession, ended: ended, fetch: ownKeys
            ),
            policies: settings.policies,
            clients: clients, choice: choice, watch: watch, custody: custody, log: log,
            replay: Replay(
                database: database, key: keys.claims, clock: clock, origin: settings.origin, custody: custody.custody
            ),
            clock: clock, random: random, failpoint: failpoint, keyPatience: .seconds(2)
        )
        let registration = settings.registration
        let registry = Registry(
            identification: AuthorityIdentification(
                certificates: Dictionary(
                    registration.authorities.map { ($0.remit.name, $0.clientCertificates) },
                    uniquingKeysWith: { first, _ in first }),
                adminKey: keys.admin
            ),
            settings: registration, certificatePolicies: settings.certificatePolicies, database: database, log: log,
            custody: custody, policies: settings.policies, choice: choice, watch: watch, epochs: epochs,
            spares: SpareKeys(
                database: database, custody: custody, epochs: epochs, offers: registration.offers, random: random),
            clock: clock, random: random, failpoint: failpoint
        )
        let review = Review(
            identification: sign.identification, policies: settings.policies, clients: sign.clients,
            database: database, log: log,
            witnesses: witnesses,
            index: AuditIndex(at: paths.auditIndex, of: LogSource(database)) { fault in
                logger.warning("the log's index does not follow", metadata: ["cause": "\(fault)"])
            },
            clock: clock
        )
        return CoreInstance(
            sign: sign, registry: registry, review: review, database: database, log: log, recheck: recheck,
            pool: token.pool, module: token.module, watch: watch, witnesses: witnesses, authentication: authentication,
            ended: ended, settings: settings,
            clock: clock,
            clockGuard: ClockGuard(clock: clock),
            lock: lock, adminKey: keys.admin
        )
    }

    /// Instances of the first release have no custody key yet; none of their keys is wrapped.
    private static func custodyKey(_ paths: CoreSettings.Paths) throws(HostError) -> [UInt8] {
        if !Files.exists(paths.custodyKey) {
            guard !hasWrappedKeys(paths.database) else { throw .missing(path: paths.custodyKey) }
            try SecretFile.write(Random.live.bytes(32), to: paths.custodyKey)
        }
        return try secret(paths.custodyKey)
    }

    /// Whether a database of this release has wrapped keys, which only the key that sealed them opens.
    private static func hasWrappedKeys(_ path: String) -> Bool {
        guard let database = try? Database.open(at: path, parts: CoreSchema.parts, readOnly: true) else { return false }
        defer { try? database.close() }
        let found = try? database.readBlocking {
            try $0.queryOne("SELECT credential FROM key_material WHERE epoch IS NOT NULL LIMIT 1") != nil
        }
        return found ?? false
    }

    private static func openPlatform(
        _ settings: CoreSettings, _ facilities: RegisteredClients, _ database: Database, _ log: AuditLog,
        _ custody: KeyCustody, clock: WallClock, random: Random,
        fetch: @escaping @Sendable (String) async throws -> [UInt8]
    ) async throws(CoreStartError) -> (Platform?, PossessionGate, EndedLogins) {
        let possession = PossessionGate(clock: clock, random: random)
        let ended: EndedLogins
        do { ended = try await EndedLogins(database) } catch { throw .storage(error.storage ?? .corrupt) }
        guard let platform = settings.platform else { return (nil, possession, ended) }
        let keys: TokenKeys
        let clients: ClientAuthentication
        do {
            keys = try await TokenKeys(
                path: settings.paths.tokenKeys, keySeconds: platform.tokenKeySeconds, clock: clock, random: random)
            clients = try await ClientAuthentication(platform.clients, audiences: platform.audiences, clock: clock)
        } catch { throw .platform("\(error)") }
        do throws(TrustStoreError) {
            return (
                Platform(
                    settings: platform, window: settings.window, database: database, log: log, keys: keys,
                    clients: clients, facilities: facilities, possession: possession, ended: ended,
                    hpki: try platform.hpki.map { (card) throws(TrustStoreError) in
                        try CardWatch(card, fetch: fetch)
                    },
                    jpki: try platform.jpki.map { (card) throws(TrustStoreError) in
                        try CardWatch(card, fetch: fetch)
                    },
                    custody: custody, clock: clock, random: random), possession, ended
            )
        } catch { throw .trust(error) }
    }

    private static func openCustody(
        _ settings: CoreSettings, _ pool: SessionPool, _ pin: PIN, _ database: Database, _ log: AuditLog,
        _ seals: CustodyKey
    ) async throws(CoreStartError) -> (KeyCustody, Epochs) {
        let epochs: [WrappingEpoch]
        do { epochs = try await database.read { try WrappingEpochStore.all(in: $0) } } catch {
            throw .storage(error.storage ?? .corrupt)
        }
        // Tried at every start: a module that was changed for another may lack what the ceremony's had.
        if settings.registration.mode == .wrapped, let current = epochs.last(where: { $0.state == .current }) {
            let dangers: [String]
            do {
                dangers = try await ModuleProbe.attacks(on: pool.token, pin: pin, wrappingKeyID: current.keyID)
                    .compactMap(\.danger)
            } catch { throw .token(error) }
            guard dangers.isEmpty else { throw .unsafeWrapping(dangers) }
        }
        do {
            let custody = try await KeyCustody.open(
                pool, custody: settings.token.custody, log: log, seals: seals, epochs: epochs,
                cache: settings.registration.cache)
            return (custody, Epochs(epochs))
        } catch { throw .token(error) }
    }

    private static func secret(_ path: String) throws(HostError) -> [UInt8] {
        try SecretFile.read(path, atMost: 4096).copiedBytes
    }

    private static func pin(_ token: CoreSettings.Token) throws(HostError) -> PIN {
        do { return try token.pin() } catch let error as HostError { throw error } catch {
            throw .missing(path: "the PIN (\(error))")
        }
    }

    private static func openToken(
        _ settings: CoreSettings, pin: PIN, onFatal: @escaping @Sendable (FatalEnd) -> Void
    ) async throws(CoreStartError) -> (PKCS11Module, SessionPool) {
        let (module, token) = try await findToken(settings.token)
        do {
            var poolSettings = SessionPool.Settings()
            poolSettings.sessions = settings.token.sessions
            poolSettings.hangLimit = .seconds(settings.token.timeoutSeconds)
            let pool = try await SessionPool.open(token, pin: pin, settings: poolSettings) { age in
                onFatal(.moduleHangs(age))
            }
            return (module, pool)
        } catch { throw .token(error) }
    }

    private static func findToken(
        _ settings: CoreSettings.Token
    ) async throws(CoreStartError) -> (PKCS11Module, PKCS11Token) {
        let (module, token): (PKCS11Module, PKCS11Token)
        do {
            module = try await PKCS11Module.load(
                path: settings.module, initializeArguments: settings.initializeArguments)
            token = try await module.token(label: settings.label)
        } catch { throw .token(error) }
        // Receipts say what the token is; a module's path may hide it, the token's own word does not.
        guard settings.custody == "software token" || !token.manufacturer.contains("SoftHSM") else {
            throw .softwareToken(manufacturer: token.manufacturer)
        }
        return (module, token)
    }
}

/// Why core must end and be started anew.
package enum FatalEnd: Sendable {
    /// A write of the audit log failed; the log is verified at the next start.
    case auditStopped(String)
    /// A call into the security module has lasted too long.
    case moduleHangs(Duration)
}
