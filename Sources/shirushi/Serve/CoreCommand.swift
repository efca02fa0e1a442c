import ArgumentParser
import Core
import Glibc
import HPKI
import Host
import Logging
import Outbound
import PKCS11
import Synchronization

/// `shirushi core`: the process that holds keys, policy and log; started by `serve` alone.
struct CoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "core", abstract: "The signing core; started by serve.", shouldDisplay: false
    )

    /// Core's exit where the token refused the PIN; a new start would only try it again, and some tokens lock then.
    static let pinRefused: Int32 = 77

    @OptionGroup var home: HomeOption

    func run() async throws {
        let home = home.home
        try ProcessHardening.disableCoreDumps()
        try ProcessHardening.forbidNewPrivileges()
        let isLocked = ProcessHardening.lockMemory()
        let configuration = try Configuration.read(home)
        let logger = Log.make("core", kind: configuration.kind)
        for variable in configuration.module.environment { Environment.set(variable.name, to: variable.value) }
        let settings = try configuration.coreSettings(home, failpoint: Environment["SHIRUSHI_FAILPOINT"])
        let fetch = try configuration.fetch(home, logger)
        let core: CoreInstance
        do {
            core = try await CoreInstance.open(
                settings, clock: .live, random: .live, logger: logger, fetch: fetch,
                onFatal: { end in Self.end(end, logger) }
            )
        } catch {
            logger.critical("core cannot start", metadata: ["cause": "\(error)"])
            throw ExitCode(error.isAboutPIN ? Self.pinRefused : error.isAboutAudit ? 74 : 69)
        }
        do { try await core.recover(logger: logger) } catch {
            logger.critical("a restored instance cannot suspend its keys", metadata: ["cause": "\(error)"])
            throw ExitCode(74)
        }
        let server = CoreServer(core, logger: logger)
        let admin = try UnixListener.listen(at: settings.paths.adminSocket)
        admin.start { server.serve($0, peer: .operatorCommand) }
        let signals = Signals.onTermination {
            admin.close()
            await core.close()
            Glibc.exit(0)
        }
        ControlSocket.receive { server.serve($0, peer: .front) }
        logger.info(
            "core ready", metadata: ["memory": isLocked ? "locked" : "not locked: the system does not allow it"])
        await core.run(logger: logger)
        withExtendedLifetime(signals) {}
    }

    /// Ends this process; the supervisor starts a new one, which verifies the log and is rid of a hung call.
    private static func end(_ end: FatalEnd, _ logger: Logger) {
        switch end {
        case .auditStopped(let cause):
            logger.critical("the audit log cannot be written; core ends", metadata: ["cause": "\(cause)"])
            _exit(74)
        case .moduleHangs(let age):
            logger.critical("a call of the security module hangs; core ends", metadata: ["age": "\(age)"])
            _exit(75)
        }
    }
}

extension CoreStartError {
    fileprivate var isAboutPIN: Bool {
        switch self {
        case .token(.pinIncorrect), .token(.pinLocked): true
        default: false
        }
    }

    fileprivate var isAboutAudit: Bool {
        switch self {
        case .audit, .storage: true
        case .host, .token, .trust, .softwareToken, .unsafeWrapping, .platform: false
        }
    }
}

extension Configuration {
    /// The one way out of core: key sets and revocation lists, within bounds.
    func fetch(_ home: Home, _ logger: Logger) throws -> @Sendable (String) async throws -> [UInt8] {
        let rules = OutboundRules(
            allowPrivateAddresses: allowPrivateAddresses, allowHTTP: true, allowFiles: [home.path]
        )
        let outbound = try Outbound(rules: rules)
        return { url in
            let isList = url.hasSuffix(".crl")
            do {
                // A caller may be waiting for a key set, and for nothing else.
                return try await outbound.fetch(
                    url, limit: isList ? 64 << 20 : 65_536, timeoutSeconds: isList ? 10 : 3
                ).body
            } catch {
                logger.error("cannot be fetched", metadata: ["address": "\(url)", "cause": "\(error)"])
                throw error
            }
        }
    }
}

/// The socket at descriptor 3, over which the supervisor hands sockets.
enum ControlSocket {
    /// Calls `take` with each socket; ends the process when the supervisor is gone.
    static func receive(_ take: @escaping @Sendable (Descriptor) -> Void) {
        let control = Descriptor(owning: 3)
        HostThread.start("control") {
            while true {
                do { take(try DescriptorPassing.receive(over: control)) } catch { _exit(0) }
            }
        }
    }
}
