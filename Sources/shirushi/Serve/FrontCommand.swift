import ArgumentParser
import Certificates
import Core
import CoreProtocol
import HPKI
import Host
import Logging
import ServiceLifecycle
import Signing
import UnixSignals
import Validation
import Web

/// `shirushi front`: the process that speaks TLS, HTTP and XML with strangers; started by `serve` alone.
struct FrontCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "front", abstract: "The front process; started by serve.", shouldDisplay: false
    )

    @OptionGroup var home: HomeOption

    func run() async throws {
        let home = home.home
        let configuration = try Configuration.read(home)
        let logger = Log.make("front", kind: configuration.kind)
        logger.info("front confined", metadata: ["files": "\(Confinement.state)"])
        guard configuration.kind == .development || Confinement.isEnforced else {
            throw CommandError("this kernel cannot confine front (Landlock); a production instance does not serve so")
        }
        let core = CoreClient()
        ControlSocket.receive { core.connect($0) }
        let policy = try ValidationPolicy.load(configuration.validationPolicyFile)
        logger.info(
            "documents are judged by a validation policy",
            metadata: ["policy": "\(policy.id)", "sha256": "\(policy.digest?.hex ?? "")"])
        let trust = try TrustSnapshot(home: home, policies: configuration.certificatePolicies, policy: policy)
        let failpoint = Failpoint(
            armed: configuration.kind == .development ? Environment["SHIRUSHI_FAILPOINT"] : nil
        )
        let evidence = try FrontEvidence(home: home, configuration, trust: trust, logger)
        let rate = TimeStampRate(perMinute: configuration.evidence.timestampsPerClientMinute)
        let sign = SignDocument(
            core: core, validator: { trust.validator },
            evidence: LevelEvidence(evidence.timestamps, evidence.revocation, clock: .live),
            judges: Judges(inHand: configuration.web.limits.judgements), stampRate: rate, clock: .live,
            failpoint: failpoint)
        let witnesses = try FrontWitnesses(configuration, core: core, logger)
        let web = try WebServer(
            settings: configuration.web, sign: sign,
            stamp: StampDigest(core: core, client: evidence.timestamps, rate: rate), core: core,
            health: { await Self.health(core, configuration) },
            random: .live, logger: logger, failpoint: failpoint
        )
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: web), .init(service: Background { await core.watchDeadlines() }),
                .init(service: Background { await trust.keepFresh(logger) }),
                .init(service: Background { await evidence.keepFresh(logger) }),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        )
        if !configuration.witnesses.servers.isEmpty {
            group.services.append(.init(service: Background { await witnesses.run() }))
        }
        if let platform = configuration.web.platform {
            let logouts = try FrontLogouts(platform, core: core, logger)
            group.services.append(.init(service: Background { await logouts.run() }))
            group.services.append(.init(service: Background { await web.watchLogins() }))
            if let read = configuration.clientReader(home) {
                group.services.append(.init(service: Background { await Self.followClients(web, read) }))
            }
        }
        group.maximumGracefulShutdownDuration = Duration.seconds(15)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch {
            let addresses = configuration.web.listeners.map { "\($0.address):\($0.port)" }
            logger.critical(
                "front cannot go on listening",
                metadata: ["listeners": "\(addresses.joined(separator: ", "))", "cause": "\(error)"]
            )
            throw ExitCode(71)
        }
    }

    /// Has front know the clients as core does, which says in its log what is wrong with their files.
    private static func followClients(
        _ web: WebServer, _ read: @Sendable () throws -> PlatformSettings.Registered
    ) async {
        while (try? await Task.sleep(for: .seconds(5))) != nil {
            if let registered = try? read() { web.replaceClients(by: registered.clients) }
        }
    }

    /// Core's health, with the kernel's clock where the configuration asks for it.
    private static func health(_ core: CoreClient, _ configuration: Configuration) async -> HealthFacts? {
        let deadline = Monotonic.now + 2_000_000_000
        guard case .health(let facts)? = try? await core.call(.health, deadline: deadline) else { return nil }
        guard configuration.requireSynchronisedClock else { return facts }
        let isSynchronised = (try? KernelClock.state().isSynchronised) ?? false
        return HealthFacts(
            hsm: facts.hsm, audit: facts.audit, clock: facts.clock && isSynchronised,
            alarms: facts.alarms + (isSynchronised ? [] : ["the kernel's clock is not synchronised"]),
            metrics: facts.metrics
        )
    }
}

/// Work that runs beside the listeners until the process ends.
private struct Background: Service {
    let body: @Sendable () async -> Void

    init(_ body: @escaping @Sendable () async -> Void) {
        self.body = body
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { await body() }
    }
}
