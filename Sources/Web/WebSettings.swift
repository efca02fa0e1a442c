/// What front listens on and what it bears; plain values, read from the configuration by the composition.
package struct WebSettings: Sendable {
    /// One address that TLS is spoken on.
    package struct Listener: Sendable {
        package var name: String
        /// An IP address of this machine.
        package var address: String
        /// 0 lets the system choose.
        package var port: Int
        /// The host names that requests may name, beside the address; empty takes any.
        package var hostNames: [String]
        /// The path of a PEM file: the server's certificate first, then its issuers.
        package var certificateChain: String
        /// The path of a PEM file with the server's private key.
        package var key: String
        package var clientCertificate: ClientCertificate
        package var groups: Set<RouteGroup>

        /// A listener; by default for callers with tokens.
        package init(
            name: String, address: String, port: Int, hostNames: [String] = [], certificateChain: String, key: String,
            clientCertificate: ClientCertificate = .none, groups: Set<RouteGroup> = [.api, .health]
        ) {
            self.name = name
            self.address = address
            self.port = port
            self.hostNames = hostNames
            self.certificateChain = certificateChain
            self.key = key
            self.clientCertificate = clientCertificate
            self.groups = groups
        }
    }

    /// Whether clients show a certificate in TLS, and the PEM file of the authorities that may have issued it.
    package enum ClientCertificate: Sendable, Hashable {
        case none
        /// One is asked for, and whatever comes is taken: the application judges it, and explains what is wrong with it.
        case ask
        /// One that is shown must be good.
        case request(authorities: String)
        case require(authorities: String)
    }

    /// Routes that a listener has or has not.
    package enum RouteGroup: String, Sendable, Hashable, CaseIterable {
        case api
        case health
        /// The registration authorities' door, on a listener that requires a client certificate and has no `api`.
        case ra
        /// The reviewer's console, below `/console`.
        case console
        /// The authentication platform: OpenID provider, login, sessions and help.
        case platform
        /// The host at which a login asks for an HPKI card.
        case cardHPKI = "card-hpki"
        /// The host at which a login asks for a My Number card.
        case cardJPKI = "card-jpki"

        /// Those whose pages are the platform's.
        package static let ofPlatform: Set<RouteGroup> = [.platform, .cardHPKI, .cardJPKI]
        /// Those of the card hosts.
        package static let ofCards: Set<RouteGroup> = [.cardHPKI, .cardJPKI]
    }

    /// How reviewers come into the console, and for how long.
    package struct Console: Sendable, Hashable {
        /// Who says who a reviewer is.
        package enum SignIn: String, Sendable, Hashable, CaseIterable {
            /// A token is pasted into a form: for development instances alone.
            case development
        }

        package var signIn: SignIn
        /// How long a session lasts while nothing is asked in it.
        package var idleSeconds = 1800
        /// How many there are at once; the one idle for longest ends before another begins.
        package var sessions = 1000

        /// A console with that sign-in.
        package init(signIn: SignIn) {
            self.signIn = signIn
        }
    }

    /// The bounds of every request.
    package struct Limits: Sendable, Hashable {
        package var bodyBytes = 8 << 20
        package var headerCount = 64
        /// Of all header fields together.
        package var headerBytes = 32 << 10
        /// For a whole request to arrive.
        package var requestSeconds = 10
        /// For the answer, from the request's arrival on.
        package var answerSeconds = 10
        /// For the next request on a connection.
        package var idleSeconds = 60
        /// Per listener; further ones wait in the system's backlog.
        package var connections = 1024
        /// Per listener, of one peer address; further ones are closed at once.
        package var connectionsPerAddress = 512
        /// Requests being done at once, of all clients.
        package var queue = 256
        /// Documents being judged at once, of all clients.
        package var judgements = 128
        /// Requests under way at once, of one client.
        package var perClient = 32
        /// Requests a second of one client, with bursts of as many; 0 sets no rate.
        package var perClientRate = 1000
        /// Bytes of bodies held at once, of all clients.
        package var bodyBudget = 64 << 20

        /// The defaults.
        package init() {}
    }

    /// The address of the metrics: plain HTTP, so a loopback or management address.
    package struct MetricsListener: Sendable, Hashable {
        package var address: String
        package var port: Int

        /// An address; port 0 lets the system choose.
        package init(address: String, port: Int) {
            self.address = address
            self.port = port
        }
    }

    package var listeners: [Listener]
    /// The origin that clients see, such as `https://localhost:8443`.
    package var publicOrigin: String
    package var limits: Limits
    package var metrics: MetricsListener?
    /// Needed where a listener has the group `console`.
    package var console: Console?
    /// Needed where a listener has the group `platform`.
    package var platform: Platform?

    /// Settings; see `faults` for what may be wrong with them.
    package init(
        listeners: [Listener] = [], publicOrigin: String = "", limits: Limits = Limits(),
        metrics: MetricsListener? = nil, console: Console? = nil, platform: Platform? = nil
    ) {
        self.listeners = listeners
        self.publicOrigin = publicOrigin
        self.limits = limits
        self.metrics = metrics
        self.console = console
        self.platform = platform
    }
}

extension WebSettings {
    /// Everything wrong with the values, one sentence each, naming the key; files are read by `WebServer`.
    package var faults: [String] {
        var faults: [String] = []
        if listeners.isEmpty { faults.append("listeners: there must be at least one.") }
        if Set(listeners.map(\.name)).count != listeners.count { faults.append("listeners: a name comes twice.") }
        for (index, listener) in listeners.enumerated() {
            if !(0...65_535).contains(listener.port) {
                faults.append("listeners[\(index)].port: \(listener.port) is no port.")
            }
            if listener.address.isEmpty { faults.append("listeners[\(index)].address: it is missing.") }
            if listener.groups.contains(.ra) {
                if case .require = listener.clientCertificate {
                } else {
                    faults.append("listeners[\(index)].clientCertificate: the group ra needs require.")
                }
                if listener.groups.contains(.api) {
                    faults.append("listeners[\(index)].groups: ra and api need listeners of their own.")
                }
            }
            if listener.groups.contains(.console), console == nil {
                faults.append("listeners[\(index)].groups: the group console needs the key console.")
            }
            faults += platformFaults(listener, "listeners[\(index)]")
            if listener.groups.isEmpty { faults.append("listeners[\(index)].groups: the listener has no routes.") }
        }
        if let console {
            if !(60...86_400).contains(console.idleSeconds) {
                faults.append("console.idle: it must be between 60s and 24h.")
            }
            if !(1...100_000).contains(console.sessions) {
                faults.append("console.sessions: \(console.sessions) is not between 1 and 100000.")
            }
        }
        if !publicOrigin.hasPrefix("https://") { faults.append("publicOrigin: it must begin with https://.") }
        if let metrics, !(0...65_535).contains(metrics.port) {
            faults.append("metrics.port: \(metrics.port) is no port.")
        }
        if let platform { faults += platform.faults }
        return faults + limits.faults
    }
}

extension WebSettings.Limits {
    fileprivate var faults: [String] {
        let bounds: [(key: String, value: Int, range: ClosedRange<Int>)] = [
            ("bodyBytes", bodyBytes, 1024...(256 << 20)),
            ("headerCount", headerCount, 8...1000),
            ("headerBytes", headerBytes, 1024...(1 << 20)),
            ("requestSeconds", requestSeconds, 1...600),
            ("answerSeconds", answerSeconds, 1...600),
            ("idleSeconds", idleSeconds, 1...3600),
            ("connections", connections, 1...1_000_000),
            ("connectionsPerAddress", connectionsPerAddress, 1...1_000_000),
            ("queue", queue, 1...100_000),
            ("judgements", judgements, 1...100_000),
            ("perClient", perClient, 1...100_000),
            ("perClientRate", perClientRate, 0...1_000_000),
            ("bodyBudget", bodyBudget, bodyBytes...max(bodyBytes, 16 << 30)),
        ]
        return bounds.filter { !$0.range.contains($0.value) }.map {
            "limits.\($0.key): \($0.value) is not between \($0.range.lowerBound) and \($0.range.upperBound)."
        }
    }
}
