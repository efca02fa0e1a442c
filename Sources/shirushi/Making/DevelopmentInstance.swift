import Certificates
import Core
import Development
import Foundation
import HPKI
import Host
import Identity
import Keys
import PKCS11
import Storage

/// Makes an instance with everything that the real world would bring: token, authorities, holders, issuer.
struct DevelopmentInstance {
    /// A holder of a development instance.
    struct Holder: Sendable {
        let id: String
        let romajiName: String
        let japaneseName: String
        let roles: [HCRole]
        let authority: DevelopmentPKI.Authority
        let organization: String?
        let japaneseOrganization: String?
    }

    static let holders = [
        Holder(
            id: "doctor-1", romajiName: "Hanako Kaihatsu", japaneseName: "開発　花子", roles: [.medicalDoctor],
            authority: .jma, organization: nil, japaneseOrganization: nil
        ),
        Holder(
            id: "dentist-1", romajiName: "Jiro Shiken", japaneseName: "試験　次郎", roles: [.dentist],
            authority: .medis, organization: nil, japaneseOrganization: nil
        ),
        Holder(
            id: "pharmacist-1", romajiName: "Yaeko Chozai", japaneseName: "調剤　八重子", roles: [.pharmacist],
            authority: .jpa, organization: nil, japaneseOrganization: nil
        ),
        Holder(
            id: "nurse-1", romajiName: "Kanae Kango", japaneseName: "看護　香苗", roles: [HCRole("General Nurse")],
            authority: .medis, organization: nil, japaneseOrganization: nil
        ),
        Holder(
            id: "director-1", romajiName: "Osamu Incho", japaneseName: "院長　修",
            roles: [.medicalDoctor, HCRole("Director of Hospital")], authority: .medis,
            organization: "DEVELOPMENT HOSPITAL", japaneseOrganization: "開発病院"
        ),
    ]

    static let softHSM = "/usr/lib/softhsm/libsofthsm2.so"
    static let tokenLabel = "shirushi"

    let home: Home
    var keyType = KeyType.rsa2048
    var custody = RegistrationSettings.Mode.wrapped

    /// Makes the instance; progress goes to standard error, since the RSA keys take a moment.
    func make() async throws {
        guard Files.exists(Self.softHSM) else {
            throw CommandError("SoftHSM is not installed; run scripts/setup run, or: apt-get install softhsm2")
        }
        let new = NewInstance(home: home)
        try new.makeFolders()
        try new.makeSecrets()
        try new.makeStores()
        Progress.say("making the authorities")
        var pki = try DevelopmentPKI.create(random: .live, now: WallClock.live.now())
        try await pki.addAuthentication(random: .live, now: WallClock.live.now())
        try write(trustOf: pki)
        try await makeIssuer()
        try makeServerCertificate(pki)
        try makeClientCertificates(pki)
        Progress.say("making the token and \(Self.holders.count) holders with second keys")
        let origin = "development.shirushi.invalid/\(Hex.encode(Random.live.bytes(4)))"
        try await makeHolders(&pki, origin: origin)
        Progress.say("making their cards for logging in")
        try await DevelopmentCards(home: home).make(for: Self.holders, &pki)
        try DevelopmentAuthorities(home: home).store(pki)
        try makeTimeStampAuthority(pki)
        try DevelopmentAuthorities(home: home).renewRevocationLists(always: true)
        try new.make(
            kind: .development,
            configuration: ConfigurationTemplate.development(
                module: Self.softHSM, custody: custody, origin: origin)
        )
    }

    private func write(trustOf pki: DevelopmentPKI) throws {
        try Files.write(Array(pki.root.pem.utf8), to: home.trust + "/anchors/dev-root.pem")
        for authority in DevelopmentPKI.Authority.allCases {
            let certificate = try pki.certificate(of: authority)
            try Files.write(
                Array(certificate.pem.utf8), to: home.trust + "/intermediates/dev-\(authority.rawValue).pem")
        }
        try Files.write(Array(pki.root.pem.utf8), to: home.hpkiTrust + "/anchors/dev-root.pem")
        for issuer in CardIssuer.all {
            // Authorities of the HPKI stand below the root; one like JPKI's has nobody above it.
            let folder = issuer.kind == .jpki ? home.jpkiTrust + "/anchors" : home.hpkiTrust + "/intermediates"
            try Files.write(
                Array(try pki.certificate(of: issuer).pem.utf8), to: "\(folder)/dev-\(issuer.name).pem")
        }
    }

    private func makeTimeStampAuthority(_ pki: DevelopmentPKI) throws {
        let authority = try pki.timeStampAuthority(now: WallClock.live.now())
        // Trusted for time stamps alone, and no other authority below the root with it.
        try Files.write(
            Array(authority.authorityCertificate.pem.utf8), to: home.timestamps + "/anchors/dev-timestamps.pem")
        try SecretFile.write(try authority.serialized(), to: home.developmentTimestamps)
    }

    private func makeIssuer() async throws {
        try Files.makeFolder(home.development + "/issuer")
        let issuer = try await DevelopmentIssuer(
            issuer: ConfigurationTemplate.developmentIssuer, privateKeyPEM: nil, random: .live
        )
        try SecretFile.write(Array(issuer.privateKeyPEM.utf8), to: home.developmentIssuerKey)
        try Files.write(issuer.jwks, to: home.developmentIssuerKeys)
    }

    private func makeServerCertificate(_ pki: DevelopmentPKI) throws {
        try Files.makeFolder(home.development + "/tls")
        let server = try pki.serverCertificate(random: .live, now: WallClock.live.now())
        try Files.write(Array(server.authorityPEM.utf8), to: home.developmentTLSRoot)
        try Files.write(Array(server.chainPEM.utf8), to: home.developmentTLSChain)
        try SecretFile.write(Array(server.keyPEM.utf8), to: home.developmentTLSKey)
    }

    private func makeClientCertificates(_ pki: DevelopmentPKI) throws {
        try Files.makeFolder(home.developmentAuthorities)
        for authority in DevelopmentPKI.Authority.allCases {
            let client = try pki.clientCertificate(of: authority, random: .live, now: WallClock.live.now())
            let stem = "\(home.developmentAuthorities)/\(authority.rawValue)"
            try Files.write(Array(client.certificatePEM.utf8), to: stem + ".pem")
            try SecretFile.write(Array(client.keyPEM.utf8), to: stem + ".key")
        }
    }

    private func makeHolders(_ pki: inout DevelopmentPKI, origin: String) async throws {
        let (token, pin) = try await makeToken()
        let database = try Database.open(at: home.core.database, parts: CoreSchema.parts)
        let epoch = custody == .wrapped ? try await makeWrappingKey(token.0, officerPIN: token.1, database) : nil
        let session = try await token.0.openSession(writable: true)
        try await session.login(pin)
        let seals = CustodyKey(try SecretFile.read(home.core.custodyKey, atMost: 64).copiedBytes)
        for holder in Self.holders {
            guard let id = HolderID(holder.id), let credential = CredentialID("\(holder.id)-key-1"),
                let authority = AuthorityID(holder.authority.rawValue)
            else { continue }
            let key = try await makeKey(credential, of: id, epoch, seals, session)
            let now = WallClock.live.now()
            let certificate = try pki.issue(
                holder.profile, publicKey: key.publicKey, by: holder.authority, now: now)
            let registered = RegisteredHolder(
                record: HolderRecord(
                    id: id, romajiName: holder.romajiName, japaneseName: holder.japaneseName, roles: holder.roles,
                    registerNumbers: []),
                authority: authority, state: .enabled, version: 1
            )
            let record = CredentialRecord(
                active: certificate, id: credential, holder: id, authority: authority, keyType: keyType,
                algorithm: keyType.algorithms[0], custody: custody.rawValue, at: now)
            try await OfflineAdministration.register(
                registered, record, key.material,
                serial: (Digest(of: certificate.issuer.der), certificate.serialNumber), database, home.core,
                origin: origin)
            Progress.say("  \(holder.id): \(holder.roles.map(\.description).joined(separator: ", "))")
        }
        try database.close()
        await session.close()
    }

    private func makeKey(
        _ credential: CredentialID, of holder: HolderID, _ epoch: WrappingEpoch?, _ seals: CustodyKey,
        _ session: PKCS11Session
    ) async throws -> (material: KeyMaterial, publicKey: [UInt8]) {
        switch custody {
        case .resident:
            let keyID = Random.live.bytes(16)
            let pair = try await session.generateKeyPair(keyType, label: credential.description, id: keyID)
            return (.resident(keyID: keyID), pair.subjectPublicKeyInfo)
        case .wrapped:
            guard let epoch, let key = try await session.wrappingKeys().first(where: { $0.id == epoch.keyID }) else {
                throw CommandError("the token has lost its wrapping key")
            }
            let pair = try await session.generateWrappedKeyPair(keyType, under: key.handle)
            let binding = KeyBinding(
                credential: credential, holder: holder, keyType: keyType, publicKey: pair.subjectPublicKeyInfo)
            return (
                .wrapped(seals.seal(pair.blob, epoch: epoch.epoch, for: binding)), pair.subjectPublicKeyInfo
            )
        }
    }

    /// The wrapping key of epoch 1, generated in the module: a development instance has no officers.
    private func makeWrappingKey(
        _ token: PKCS11Token, officerPIN: PIN, _ database: Database
    ) async throws -> WrappingEpoch {
        let epoch = WrappingEpoch(epoch: 1, keyID: Random.live.bytes(16), checkValue: [], state: .current)
        let officer = try await token.openOfficerSession(pin: officerPIN)
        try await officer.generateWrappingKey(label: WrappingLabel.wrapping(epoch.epoch), id: epoch.keyID)
        await officer.close()
        try await database.write { try WrappingEpochStore.insert(epoch, in: $0) }
        return epoch
    }

    /// Makes SoftHSM's configuration and an empty folder for its tokens below `place`, which will be called `home`.
    static func makeTokenFolder(in place: Home, for home: Home) throws {
        try Files.makeFolder(place.hsm + "/tokens")
        let configuration = """
            directories.tokendir = \(home.hsm)/tokens
            objectstore.backend = file
            log.level = ERROR
            slots.removable = false

            """
        try Files.write(Array(configuration.utf8), to: place.hsm + "/softhsm2.conf")
    }

    /// Initialises the software token with random PINs; the module must be told its configuration before it is loaded.
    ///
    /// Gives the token with its officer's PIN, and the user's.
    private func makeToken() async throws -> ((PKCS11Token, PIN), PIN) {
        try Self.makeTokenFolder(in: home, for: home)
        Environment.set("SOFTHSM2_CONF", to: home.hsm + "/softhsm2.conf")
        let pin = Array(Hex.encode(Random.live.bytes(16)).utf8)
        let officerPIN = Array(Hex.encode(Random.live.bytes(16)).utf8)
        try SecretFile.write(pin, to: home.secrets + "/hsm.pin")
        try SecretFile.write(officerPIN, to: home.secrets + "/hsm-officer.pin")
        let module = try await PKCS11Module.load(path: Self.softHSM)
        var (user, userAgain, officer, officerAgain) = (pin, pin, officerPIN, officerPIN)
        let token = try await module.initializeToken(
            label: Self.tokenLabel, securityOfficerPIN: PIN(consuming: &officer), userPIN: PIN(consuming: &user)
        )
        return ((token, PIN(consuming: &officerAgain)), PIN(consuming: &userAgain))
    }
}

/// The development authorities of an instance, in the file that holds their keys.
struct DevelopmentAuthorities {
    let home: Home

    func load() throws -> DevelopmentPKI {
        try DevelopmentPKI(restoring: try SecretFile.read(home.developmentPKI, atMost: 1 << 20).copiedBytes)
    }

    func store(_ pki: DevelopmentPKI) throws {
        try SecretFile.write(try pki.serialized(), to: home.developmentPKI, replacing: true)
    }

    /// Works on the authorities, one process at a time, and stores them unless `body` throws.
    func change<Value>(_ body: (inout DevelopmentPKI) throws -> Value) throws -> Value {
        let lock = try lock()
        defer { lock.release() }
        var pki = try load()
        let value = try body(&pki)
        try store(pki)
        return value
    }

    /// Waits up to five seconds for another process that works on the authorities.
    private func lock() throws(HostError) -> InstanceLock {
        let path = home.development + "/pki.lock"
        for _ in 0..<100 {
            do throws(HostError) {
                return try InstanceLock.acquire(at: path)
            } catch .locked {
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
        return try InstanceLock.acquire(at: path)
    }

    /// Publishes fresh revocation lists where one has less than a day left; says whether it did.
    @discardableResult
    func renewRevocationLists(always: Bool = false) throws -> Bool {
        let now = WallClock.live.now()
        guard try always || needRenewal(at: now) else { return false }
        try change { pki in
            for (folder, lists) in try pki.lists(now: now) {
                for (name, der) in lists { try Files.write(der, to: "\(place(of: folder))/\(name)") }
            }
            guard var authority = try timeStampAuthority() else { return }
            try Files.write(try authority.crl(now: now), to: home.timestamps + "/crls/development-tsa.crl")
            try SecretFile.write(try authority.serialized(), to: home.developmentTimestamps, replacing: true)
        }
        return true
    }

    private func place(of folder: DevelopmentPKI.ListFolder) -> String {
        switch folder {
        case .signing: home.crls
        case .hpki: home.hpkiTrust + "/crls"
        case .jpki: home.jpkiTrust + "/crls"
        }
    }

    /// The time-stamping authority; nil in an instance that was made without one.
    func timeStampAuthority() throws -> DevelopmentTimeStampAuthority? {
        guard Files.exists(home.developmentTimestamps) else { return nil }
        return try DevelopmentTimeStampAuthority(
            restoring: try SecretFile.read(home.developmentTimestamps, atMost: 1 << 20).copiedBytes)
    }

    private func needRenewal(at now: Instant) throws -> Bool {
        let names = try Files.names(in: home.crls)
        guard !names.isEmpty else { return true }
        return try names.contains { name in
            let list = try CertificateRevocationList(der: try Files.read(home.crls + "/" + name, atMost: 1 << 26))
            guard let next = list.nextUpdate else { return true }
            return next < now.adding(seconds: 24 * 3600)
        }
    }
}
