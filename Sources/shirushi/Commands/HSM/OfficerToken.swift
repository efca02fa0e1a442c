import Ceremony
import Core
import HPKI
import Host
import PKCS11

/// A ceremony on the configured token: nothing serves meanwhile, and the officers' session is open.
struct TokenCeremony {
    let home: Home
    let configuration: Configuration
    let ceremony: Ceremony
    private let locks: [InstanceLock]

    /// Unlocks the officers and keeps everything else from the instance; throws sentences for people.
    init(_ home: Home, _ officers: OfficerOptions) throws {
        self.home = home
        configuration = try Configuration.read(home)
        locks = try Self.locks(home)
        ceremony = Ceremony(
            CustodyFolder(home: home.path), present: try officers.present(), instance: configuration.origin,
            clock: .live, random: .live, say: { Progress.say("shirushi: \($0)") }
        )
        for variable in configuration.module.environment { Environment.set(variable.name, to: variable.value) }
    }

    private static func locks(_ home: Home) throws -> [InstanceLock] {
        do {
            return [try InstanceLock.acquire(at: home.serveLock), try InstanceLock.acquire(at: home.core.lock)]
        } catch HostError.locked {
            throw CommandError(
                "\(home.path) is being served; stop it for the ceremony, since one process alone may change the token")
        }
    }

    /// Initialises the configured token if no token bears its label; otherwise takes the officers' PIN that is given.
    ///
    /// The PIN is sealed before the token learns it. A blank token's user PIN is that of the PIN file, made where
    /// there is none.
    func initialisedToken(officerPINFile: String?) async throws -> OfficerToken {
        let module = try await PKCS11Module.load(
            path: configuration.module.path, initializeArguments: configuration.module.initializeArguments)
        let label = configuration.module.token
        if let token = try await existing(label, in: module) {
            if let officerPINFile {
                let given = try SecretFile.read(officerPINFile, atMost: 256).withoutTrailingNewline()
                let (pin, envelope) = try ceremony.officerPINForNewToken(existing: given)
                return try await open(token, pin, envelope)
            }
            let next = try ceremony.officerPINOfUnfinishedCeremony()
            guard let next else {
                throw CommandError(
                    """
                    the token `\(label)` is initialised already; name the file with its security officer's PIN by \
                    --officer-pin-file, or configure the label of a token that is still to be made
                    """)
            }
            return try await open(token, next.pin, next.label)
        }
        let (pin, envelope) = try ceremony.officerPINForNewToken()
        guard let pinFile = configuration.module.pinFilePath else {
            throw CommandError("a ceremony reads the user PIN from a file: name it as hsm.pinFile for its time")
        }
        if !Files.exists(pinFile) {
            try SecretFile.write(Array(Hex.encode(Random.live.bytes(16)).utf8), to: pinFile)
            Progress.say("shirushi: wrote a random user PIN to \(pinFile)")
        }
        let user = try SecretFile.read(pinFile, atMost: 256).withoutTrailingNewline()
        Progress.say("shirushi: initialising the token `\(label)`")
        let token = try await module.initializeToken(
            label: label, securityOfficerPIN: pin.asPIN, userPIN: user.asPIN)
        return try await open(token, pin, envelope)
    }

    /// The configured token, with the PIN out of the envelope that its protocol names.
    func knownToken() async throws -> OfficerToken {
        let module = try await PKCS11Module.load(
            path: configuration.module.path, initializeArguments: configuration.module.initializeArguments)
        let token = try await module.token(label: configuration.module.token)
        let (pin, envelope) = try ceremony.officerPIN(tokenSerial: token.serial)
        return try await open(token, pin, envelope)
    }

    private func existing(_ label: String, in module: PKCS11Module) async throws -> PKCS11Token? {
        do { return try await module.token(label: label) } catch .tokenNotFound { return nil }
    }

    private func open(_ token: PKCS11Token, _ pin: LockedBytes, _ envelope: String) async throws -> OfficerToken {
        OfficerToken(
            session: try await token.openOfficerSession(pin: pin.asPIN), officerPIN: envelope,
            facts: TokenFacts(label: token.label, serial: token.serial, module: configuration.module.path)
        )
    }
}

/// A token in which the security officer is logged in.
struct OfficerToken: CeremonyToken {
    let session: OfficerSession
    /// The envelope of the PIN that opened the session.
    let officerPIN: String
    let facts: TokenFacts

    func importWrappingKey(_ value: LockedBytes, label: String, id: [UInt8]) async throws {
        var plain = value.copiedBytes
        defer { plain.erase() }
        try await session.importWrappingKey(plain, label: label, id: id)
    }

    func generateWrappingKey(label: String, id: [UInt8]) async throws {
        try await session.generateWrappingKey(label: label, id: id)
    }

    func importRotationKey(_ value: LockedBytes, label: String, id: [UInt8]) async throws {
        var plain = value.copiedBytes
        defer { plain.erase() }
        try await session.importRotationKey(plain, label: label, id: id)
    }

    func close() async { await session.close() }

    func destroy(id: [UInt8]) async throws {
        do { try await session.destroy(id: id) } catch .keyMissing {}
    }
}

extension LockedBytes {
    /// The same secret as a PIN; the copy in between is overwritten.
    var asPIN: PIN {
        var bytes = copiedBytes
        return PIN(consuming: &bytes)
    }
}

/// Runs a ceremony and gives its errors in sentences.
func inWords<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as CeremonyError {
        throw CommandError("\(error)")
    } catch let error as HostError {
        throw CommandError("\(error)")
    } catch let error as PKCS11Error {
        throw CommandError("\(error)")
    }
}
