import Ceremony
import Core
import HPKI
import Host
import PKCS11

/// A ceremony on the configured token: no other is held meanwhile, and log and registry are known to take what is done.
struct TokenCeremony {
    let home: Home
    let configuration: Configuration
    let ceremony: Ceremony
    let registry: CeremonyRegistry
    private let locks: [InstanceLock]

    /// Unlocks the officers and keeps other ceremonies from the instance, and all else unless it `mayServe` meanwhile;
    /// throws sentences for people.
    init(_ home: Home, _ officers: OfficerOptions, mayServe: Bool = false) throws {
        self.home = home
        configuration = try Configuration.read(home)
        let isServed: Bool
        (locks, isServed) = try Self.locks(home, mayServe: mayServe)
        ceremony = Ceremony(
            CustodyFolder(home: home.path), present: try officers.present(), instance: configuration.origin,
            clock: .live, random: .live, say: { Progress.say("shirushi: \($0)") }
        )
        registry = CeremonyRegistry(
            home: home, isServed: isServed,
            failpoint: Failpoint(
                armed: configuration.kind == .development ? Environment["SHIRUSHI_FAILPOINT"] : nil))
        for variable in configuration.module.environment { Environment.set(variable.name, to: variable.value) }
    }

    private static func locks(_ home: Home, mayServe: Bool) throws -> (held: [InstanceLock], isServed: Bool) {
        let ceremony: InstanceLock
        do { ceremony = try InstanceLock.acquire(at: home.ceremonyLock) } catch HostError.locked {
            throw CommandError("another ceremony is under way on \(home.path)")
        }
        do {
            let rest = [try InstanceLock.acquire(at: home.serveLock), try InstanceLock.acquire(at: home.core.lock)]
            return ([ceremony] + rest, false)
        } catch HostError.locked {
            guard mayServe else {
                throw CommandError(
                    "\(home.path) is being served; stop it for this ceremony, in which the token itself is made")
            }
            return ([ceremony], true)
        }
    }

    /// Verifies the log, registers the officers where asked to, and enters what earlier ceremonies signed; the token is
    /// touched after it alone.
    func begin(registering: Bool = false) async throws -> CeremonyRegistry.CaughtUp {
        try await registry.checkLog()
        if registering { try ceremony.register() }
        return try await registry.catchUp(with: try ceremony.knownProtocols())
    }

    /// What keeps new keys out of the token's wrapping key, for the next steps that are printed.
    var residentHint: String? {
        guard configuration.keys.mode == .resident else { return nil }
        return "set keys.mode to wrapped in \(home.configuration); until then new keys stay resident in the token"
    }

    // MARK: The token

    /// Initialises the configured token if no token bears its label; otherwise takes the officers' PIN that is given.
    ///
    /// A new PIN is sealed before the token learns it, and a given one once the token has taken it. A blank token's user
    /// PIN is that of the PIN file, made where there is none.
    func withInitialisedToken<Value>(
        officerPINFile: String?, _ body: (OfficerToken) async throws -> Value
    ) async throws -> Value {
        try await withModule { module in
            let label = configuration.module.token
            if let token = try await existing(label, in: module) {
                if let officerPINFile {
                    let given = try SecretFile.read(officerPINFile, atMost: 256).withoutTrailingNewline()
                    return try await withSession(token, .given(given), body)
                }
                guard let next = try ceremony.officerPINOfUnfinishedCeremony() else {
                    throw CommandError(
                        """
                        the token `\(label)` is initialised already; name the file with its security officer's PIN by \
                        --officer-pin-file, or configure the label of a token that is still to be made
                        """)
                }
                return try await withSession(token, .unsigned(next.pin, next.label), body)
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
            return try await withSession(token, .kept(pin, envelope), body)
        }
    }

    /// The configured token, with the PIN out of the envelope that its protocol names.
    func withKnownToken<Value>(_ body: (OfficerToken) async throws -> Value) async throws -> Value {
        try await withModule { module in
            let token = try await module.token(label: configuration.module.token)
            let (pin, envelope) = try ceremony.officerPIN(tokenSerial: token.serial)
            return try await withSession(token, .kept(pin, envelope), body)
        }
    }

    private func existing(_ label: String, in module: PKCS11Module) async throws -> PKCS11Token? {
        do { return try await module.token(label: label) } catch .tokenNotFound { return nil }
    }

    /// A module that is still initialised when the process ends may crash in its own clean-up.
    private func withModule<Value>(_ body: (PKCS11Module) async throws -> Value) async throws -> Value {
        let module = try await PKCS11Module.load(
            path: configuration.module.path, initializeArguments: configuration.module.initializeArguments)
        let result: Result<Value, any Error>
        do { result = .success(try await body(module)) } catch { result = .failure(error) }
        await module.finalize()
        return try result.get()
    }

    /// The security officer's PIN, and what becomes of its envelope where the token refuses it.
    private enum OfficerPIN {
        /// Typed by a person: sealed once the token has taken it.
        case given(LockedBytes)
        /// In an envelope that no protocol names.
        case unsigned(LockedBytes, String)
        /// In an envelope that stays.
        case kept(LockedBytes, String)

        var value: LockedBytes {
            switch self {
            case .given(let pin), .unsigned(let pin, _), .kept(let pin, _): pin
            }
        }
    }

    private func withSession<Value>(
        _ token: PKCS11Token, _ pin: OfficerPIN, _ body: (OfficerToken) async throws -> Value
    ) async throws -> Value {
        let session: OfficerSession
        do { session = try await token.openOfficerSession(pin: pin.value.asPIN) } catch .pinIncorrect {
            throw try refused(pin)
        }
        let result: Result<Value, any Error>
        do {
            let envelope =
                switch pin {
                case .given(let value): try ceremony.officerPINForNewToken(existing: value).label
                case .unsigned(_, let label), .kept(_, let label): label
                }
            let facts = TokenFacts(label: token.label, serial: token.serial, module: configuration.module.path)
            result = .success(try await body(OfficerToken(session: session, officerPIN: envelope, facts: facts)))
        } catch { result = .failure(error) }
        await session.close()
        return try result.get()
    }

    /// What to say of a refused PIN; one that nobody signed for is not kept, or each further run would try it again.
    private func refused(_ pin: OfficerPIN) throws(CeremonyError) -> CommandError {
        if case .kept(_, let label) = pin {
            return CommandError(
                """
                the token refused the security officer's PIN of the envelope `\(label)`: somebody has changed it. Do not \
                try again, since a few more tries lock the token; ask the HSM's maker how to set the PIN anew
                """)
        }
        if case .unsigned(_, let label) = pin { try ceremony.discardOfficerPIN(label) }
        return CommandError(
            """
            the token refused the security officer's PIN; nothing was kept. Find the right one before you try again: a \
            few more tries lock the token.
            """)
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
