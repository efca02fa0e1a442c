package import CoreProtocol
package import HPKI
internal import HTTPTypes
package import Host
package import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import Platform
internal import ServiceLifecycle
package import Signing

/// Front's way to the world: every listener of the settings, from start until they are drained.
package struct WebServer: Service {
    private let settings: WebSettings
    private let sign: SignDocument
    private let stamp: StampDigest
    private let core: any CoreCalling
    private let random: Random
    private let logger: Logger
    private let failpoint: Failpoint
    private let onListening: @Sendable (_ name: String, _ port: Int) async -> Void
    private let transports: [ListenerTransport]
    private let metrics = WebMetrics()
    private let watch: HealthWatch
    private let admission: Admission
    private let clock: WallClock
    private let sessions: ConsoleSessions
    private let page: ConsolePage
    private let platformPage: PlatformPage
    private let platform: PlatformFront?

    /// Reads the listeners' certificates and keys.
    ///
    /// Without `stamp` no time stamps are offered. `core` is told of refusals; `health` asks core and gives nil where it
    /// does not answer; `onListening` is told each listener's name (that of the metrics is `metrics`) and its port once
    /// it is bound. Throws `WebError` for the first listener at fault.
    package init(
        settings: WebSettings, sign: SignDocument, stamp: StampDigest? = nil, core: any CoreCalling,
        health: @escaping @Sendable () async -> HealthFacts?,
        random: Random, clock: WallClock = .live, logger: Logger, failpoint: Failpoint = Failpoint(armed: nil),
        onListening: @escaping @Sendable (_ name: String, _ port: Int) async -> Void = { _, _ in }
    ) throws(WebError) {
        self.settings = settings
        self.sign = sign
        self.stamp = stamp ?? StampDigest(core: core, client: nil)
        self.core = core
        self.random = random
        self.logger = logger
        self.failpoint = failpoint
        self.onListening = onListening
        watch = HealthWatch(ask: health, logger: logger)
        admission = Admission(limits: settings.limits) { Monotonic.now }
        self.clock = clock
        let console = settings.console ?? WebSettings.Console(signIn: .development)
        sessions = ConsoleSessions(limit: console.sessions, idleSeconds: console.idleSeconds, random: random) {
            Monotonic.now
        }
        page = ConsolePage(templates: try Templates())
        let platformPage = try PlatformPage()
        self.platformPage = platformPage
        platform = settings.platform.map { [admission] in
            PlatformFront(
                settings: $0, core: core, admission: admission, limits: settings.limits, page: platformPage,
                random: random, clock: clock)
        }
        var transports: [ListenerTransport] = []
        for listener in settings.listeners { transports.append(try ListenerTransport(listener)) }
        self.transports = transports
    }

    /// Serves until graceful shutdown, then answers what is in flight and returns.
    ///
    /// Throws what the system says when an address cannot be bound.
    package func run() async throws {
        await watch.refresh()
        var services: [any Service] = [watch]
        for transport in transports {
            let listener = transport.listener
            services.append(
                application(
                    router(
                        groups: listener.groups, hosts: listener.servedHosts, tls: ConnectionFacts(listener),
                        isMutual: settings.isMutual(listener)),
                    server: try .secured(transport, by: settings.limits, problem: problem), name: listener.name,
                    address: listener.address, port: listener.port
                )
            )
        }
        if let metrics = settings.metrics {
            services.append(
                application(
                    metricsRouter, server: .bounded(by: settings.limits, problem: problem), name: "metrics",
                    address: metrics.address, port: metrics.port
                )
            )
        }
        try await ServiceGroup(configuration: .init(services: services, logger: logger)).run()
    }

    private func application(
        _ router: Router<APIContext>, server: HTTPServerBuilder, name: String, address: String, port: Int
    ) -> some Service {
        Application(
            router: router, server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(address, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(settings.limits.connections, logger: logger)
            ),
            onServerRunning: { [onListening] channel in
                await onListening(name, channel.localAddress?.port ?? port)
            },
            logger: logger
        )
    }
}

// MARK: What every listener has

extension WebServer {
    /// The routes of `groups`, answering requests for `hosts`; an empty set takes any host.
    ///
    /// `tls` tells of a connection what its TLS knows; `isMutual` says that the platform's endpoints are served at the
    /// origin that asks clients for certificates.
    package func router(
        groups: Set<WebSettings.RouteGroup>, hosts: Set<String> = [],
        tls: ConnectionFacts = ConnectionFacts(clientCertificate: APIContext.clientCertificate), isMutual: Bool = false
    ) -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        let isOfClients = isMutual && settings.mutualTLSOrigin != settings.platform?.issuer
        router.add(
            middleware: failures(
                groups: groups, hosts: hosts, offered: isOfClients ? groups.subtracting([.platform]) : groups))
        if groups.contains(.api) {
            let door = APIDoor(
                core: core, admission: admission, limits: settings.limits, failpoint: failpoint,
                publicOrigin: settings.publicOrigin, clientCertificate: tls.clientCertificate)
            SigningRoutes(sign: sign, door: door).add(to: router)
            SignatureRoutes(sign: sign, door: door).add(to: router)
            TimestampRoutes(stamp: stamp, door: door).add(to: router)
            ValidationRoutes(validate: sign.validation, door: door).add(to: router)
            BackchannelLogoutRoute(core: core, door: door).add(to: router)
        }
        if groups.contains(.ra) {
            RegistrationRoutes(
                core: core, admission: admission, limits: settings.limits, clientCertificate: tls.clientCertificate
            ).add(to: router)
        }
        if groups.contains(.console) {
            ConsoleRoutes(
                door: ConsoleDoor(
                    core: core, admission: admission, limits: settings.limits, sessions: sessions, random: random,
                    clock: clock),
                page: page
            ).add(to: router)
        }
        if groups.contains(.platform) { HelpRoutes(page: platformPage, admission: admission).add(to: router) }
        if let platform { addPlatform(platform, groups, tls, isMutual: isMutual, to: router) }
        if !groups.isDisjoint(with: WebSettings.RouteGroup.ofPlatform) { PlatformAssetRoutes().add(to: router) }
        if groups.contains(.health) { HealthRoutes(watch: watch).add(to: router) }
        return router
    }

    private func addPlatform(
        _ front: PlatformFront, _ groups: Set<WebSettings.RouteGroup>, _ tls: ConnectionFacts, isMutual: Bool,
        to router: Router<APIContext>
    ) {
        if groups.contains(.platform) {
            let mutual = settings.mutualTLSOrigin
            let origin = isMutual ? mutual ?? front.settings.issuer : front.settings.issuer
            MetadataRoutes(front: front, mutualTLSOrigin: mutual).add(to: router)
            TokenRoutes(front: front, tls: tls, origin: origin).add(to: router)
            // People log in at the issuer alone: elsewhere they would have other cookies.
            if origin == front.settings.issuer {
                AuthorizeRoutes(front: front).add(to: router)
                LoginRoutes(front: front).add(to: router)
                LogoutRoutes(front: front).add(to: router)
                SessionRoutes(front: front).add(to: router)
            }
        }
        if groups.contains(.cardHPKI) {
            CardRoutes(front: front.onCardHost, kind: .hpki, tls: tls).add(to: router)
        } else if groups.contains(.cardJPKI) {
            CardRoutes(front: front.onCardHost, kind: .jpki, tls: tls).add(to: router)
        }
    }

    /// The platform's clients are these from now on.
    package func replaceClients(by clients: [OAuthClient]) {
        platform?.clients.replace(by: clients)
    }

    /// Ends logins that nobody goes on with, and at core the sessions that were opened in them, until its task is
    /// cancelled.
    package func watchLogins() async {
        guard let platform else { return }
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            for secret in platform.ceremonies.sweep() { await platform.end(secret: secret, "sweep") }
        }
    }

    /// The route of the metrics.
    package var metricsRouter: Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: failures(groups: [], hosts: [], offered: []))
        MetricsRoutes(metrics: metrics, watch: watch).add(to: router)
        return router
    }

    /// `offered` are the groups of which every route is there, so that the table tells which methods a path takes.
    private func failures(
        groups: Set<WebSettings.RouteGroup>, hosts: Set<String>, offered: Set<WebSettings.RouteGroup>
    ) -> FailureMiddleware {
        var pages: [any FailurePages] = []
        if !groups.isDisjoint(with: [.platform, .api]) { pages.append(EndpointFailures()) }
        if groups.contains(.console) { pages.append(ConsoleFailures(page: page, sessions: sessions)) }
        if !groups.isDisjoint(with: WebSettings.RouteGroup.ofPlatform) {
            let isIssuer = groups.contains(.platform)
            let issuer = settings.platform?.issuer ?? settings.publicOrigin
            pages.append(
                PlatformFailures(page: isIssuer ? platformPage : platformPage.outside(issuer), clock: clock))
        }
        return FailureMiddleware(
            random: random, metrics: metrics, logger: logger, groups: offered, hosts: hosts, pages: pages)
    }

    /// What is answered where no request came through.
    private var problem: @Sendable (Failure) -> (HTTPResponse, ByteBuffer) {
        { [random, metrics] failure in
            let requestID = Hex.encode(random.bytes(16))
            let (head, body) = Problem.parts(for: failure, requestID: requestID)
            metrics.began()
            metrics.ended(route: "NotFound", status: head.status.code, nanoseconds: 0)
            return (head, body)
        }
    }
}
