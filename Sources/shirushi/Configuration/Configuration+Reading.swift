import Core
import HPKI
import Host
import Identity
import JOSE
import Keys
import Policies
import Web
import YAML

extension Configuration {
    /// Reads and checks the configuration of `home`; throws every fault at once.
    ///
    /// `withFiles` asks that the files which it names, secrets among them, can be read too; `withModule` that the security
    /// module's is there.
    static func read(_ home: Home, withFiles: Bool = false, withModule: Bool = false) throws -> Configuration {
        try home.mustExist()
        let root: YAMLNode
        do { root = try YAMLNode.read(try Files.read(home.configuration, atMost: YAMLNode.byteLimit)) } catch {
            throw ConfigurationFaults(faults: ["\(error)"])
        }
        var reading = Reading(home: home)
        var configuration = reading.configuration(root)
        var clientFaults: [String] = []
        if let platform = configuration?.platform {
            let found = OAuthClientFile.all(in: platform.clientFolder, home: home, audience: platform.audience)
            configuration?.platform?.clients = found.clients
            let web = configuration?.webPlatform
            configuration?.web.platform = web
            let others = configuration?.clients ?? []
            configuration?.platform?.otherClients = others
            configuration?.clients += found.registrations
            clientFaults = found.faults
        }
        var faults = reading.faults.errors.sorted { ($0.line ?? 0) < ($1.line ?? 0) }.map(\.description)
        if let configuration {
            faults +=
                clientFaults + configuration.faults(in: home) + (withFiles ? configuration.faultsOfFiles(in: home) : [])
            if withModule, let fault = configuration.missingModule { faults.append(fault) }
        }
        guard let configuration, faults.isEmpty else { throw ConfigurationFaults(faults: faults) }
        return configuration
    }
}

/// Reads the file key by key, collecting what is wrong.
///
/// Where a key is at fault a harmless value stands for it, so that what else is wrong is found too.
struct Reading {
    let home: Home
    var faults = YAMLFaults()

    mutating func configuration(_ root: YAMLNode) -> Configuration? {
        let known = [
            "kind", "origin", "publicOrigin", "listeners", "metrics", "hsm", "issuers", "clients", "signingWindow",
            "clockSkew", "policy", "certificates", "limits", "clock", "authorities", "keys",
            "timestamps", "revocation", "development", "validationPolicy", "console", "witnesses", "audit", "platform",
        ]
        guard let map = root.mapping(allowed: known, faults: &faults) else { return nil }
        let kind = required("kind", in: map, or: .development) { (node) throws(YAMLError) in
            try node.choice(Configuration.Kind.self)
        }
        let (webLimits, inFlight) = limits(map["limits"])
        let (watched, policies) = certificates(map["certificates"])
        let clock = map["clock"]?.mapping(allowed: ["requireSynchronised"], faults: &faults)
        return Configuration(
            kind: kind,
            origin: text("origin", in: map, or: "-", atMost: 200),
            web: WebSettings(
                listeners: list("listeners", in: map) { $0.listener($1) },
                publicOrigin: text("publicOrigin", in: map, or: "https://-"),
                limits: webLimits,
                metrics: map["metrics"].flatMap { metrics($0) },
                console: console(map["console"])
            ),
            module: module(map),
            issuers: list("issuers", in: map) { $0.issuer($1) },
            clients: list("clients", in: map) { $0.client($1) },
            window: ActivationWindow(
                seconds: duration("signingWindow", in: map, or: 64_800, 60...64_800),
                skewSeconds: duration("clockSkew", in: map, or: 60, 0...300)
            ),
            policyFile: home.resolve(
                optional("policy", in: map, or: "policies/signing.yaml") { (node) throws(YAMLError) in
                    try node.string()
                }
            ),
            validationPolicyFile: validationPolicy(map),
            certificates: watched,
            certificatePolicies: policies,
            authorities: list("authorities", in: map) { $0.authority($1) },
            keys: keys(map["keys"]),
            evidence: evidence(map),
            witnesses: witnesses(map["witnesses"]),
            platform: platform(map["platform"]),
            retention: retention(map["audit"]),
            inFlight: inFlight,
            requireSynchronisedClock: flag("requireSynchronised", in: clock),
            allowPrivateAddresses: kind == .development
        )
    }

    private mutating func validationPolicy(_ root: YAMLMapping) -> String? {
        optional("validationPolicy", in: root, or: nil) { (node) throws(YAMLError) -> String? in try node.string() }
            .map(home.resolve)
    }

    private mutating func listener(_ node: YAMLNode) -> WebSettings.Listener? {
        let known = [
            "name", "address", "port", "hostNames", "certificate", "key", "clientCertificate", "authorities", "groups",
        ]
        guard let map = node.mapping(allowed: known, faults: &faults) else { return nil }
        let home = home
        let clientCertificate = optional("clientCertificate", in: map, or: WebSettings.ClientCertificate.none) {
            (node) throws(YAMLError) in
            switch try node.string() {
            case "none": return .none
            case "ask": return .ask
            case "request": return .request(authorities: home.resolve(try map.required("authorities").string()))
            case "require": return .require(authorities: home.resolve(try map.required("authorities").string()))
            default: throw node.fault("must be none, ask, request or require")
            }
        }
        let groups = required("groups", in: map, or: Set<WebSettings.RouteGroup>([.health])) {
            (node) throws(YAMLError) in
            var groups: Set<WebSettings.RouteGroup> = []
            for node in try node.sequence(atMost: 10) { groups.insert(try node.choice(WebSettings.RouteGroup.self)) }
            return groups
        }
        return WebSettings.Listener(
            name: text("name", in: map, or: "line \(node.line)", atMost: 64),
            address: text("address", in: map, or: "-", atMost: 64),
            port: required("port", in: map, or: 0) { (node) throws(YAMLError) in try node.integer(in: 0...65_535) },
            hostNames: optional("hostNames", in: map, or: []) { (node) throws(YAMLError) in
                let names = try node.strings()
                guard !names.contains(where: { $0.contains("<") }) else { throw node.unfilled }
                return names
            },
            certificateChain: home.resolve(text("certificate", in: map, or: Configuration.noFile)),
            key: home.resolve(text("key", in: map, or: Configuration.noFile)),
            clientCertificate: clientCertificate,
            groups: groups
        )
    }

    private mutating func metrics(_ node: YAMLNode) -> WebSettings.MetricsListener? {
        guard let map = node.mapping(allowed: ["address", "port"], faults: &faults) else { return nil }
        return WebSettings.MetricsListener(
            address: text("address", in: map, or: "-", atMost: 64),
            port: required("port", in: map, or: 0) { (node) throws(YAMLError) in try node.integer(in: 0...65_535) }
        )
    }

    private mutating func module(_ root: YAMLMapping) -> Configuration.Module {
        let known = [
            "module", "token", "pinFile", "pinEnvironment", "pinCredential", "sessions", "timeoutSeconds",
            "acceptSoftwareToken", "environment", "initializeArguments",
        ]
        let node = required("hsm", in: root, or: nil) { (node) throws(YAMLError) -> YAMLNode? in node }
        let map = node?.mapping(allowed: known, faults: &faults)
        let home = home
        let environment: [(name: String, value: String)] = optional("environment", in: map, or: []) {
            (node) throws(YAMLError) in
            try node.mapping().entries.map { (entry) throws(YAMLError) in
                let value = try entry.value.string()
                // A relative file of the instance, such as SoftHSM's configuration, is named in full.
                return (entry.key, value.hasPrefix("hsm/") ? home.resolve(value) : value)
            }
        }
        return Configuration.Module(
            path: text("module", in: map, or: Configuration.noFile),
            token: text("token", in: map, or: "-", atMost: 32),
            pin: pin(map),
            initializeArguments: map?["initializeArguments"].flatMap { node in
                faults.read(or: nil) { () throws(YAMLError) -> String? in try node.string(atMost: 1024) }
            },
            sessions: number("sessions", in: map, or: 4, 1...256),
            timeoutSeconds: number("timeoutSeconds", in: map, or: 10, 1...120),
            acceptSoftwareToken: flag("acceptSoftwareToken", in: map),
            environment: environment
        )
    }

    /// Exactly one of the three places.
    private mutating func pin(_ map: YAMLMapping?) -> Configuration.PINSource {
        let named = ["pinFile", "pinEnvironment", "pinCredential"].filter { map?[$0] != nil }
        if named.count > 1, let node = map?[named[1]] {
            faults.add(node.fault("is one place too many for the PIN; \(named[0]) is named too"))
        }
        switch named.first {
        case "pinEnvironment": return .environment(text("pinEnvironment", in: map, or: "-", atMost: 128))
        case "pinCredential": return .credential(text("pinCredential", in: map, or: "-", atMost: 128))
        default: return .file(home.resolve(text("pinFile", in: map, or: Configuration.noFile)))
        }
    }

    private mutating func issuer(_ node: YAMLNode) -> IssuerSettings? {
        let known = [
            "issuer", "audience", "jwks", "algorithms", "refreshSeconds", "keepSeconds", "holders",
            "registeredHolders", "development",
        ]
        guard let map = node.mapping(allowed: known, faults: &faults) else { return nil }
        let algorithms = optional("algorithms", in: map, or: Set(JWSAlgorithm.allCases)) { (node) throws(YAMLError) in
            var algorithms: Set<JWSAlgorithm> = []
            for node in try node.sequence(atMost: 10) { algorithms.insert(try node.choice(JWSAlgorithm.self)) }
            return algorithms
        }
        let holders = optional("holders", in: map, or: Set<HolderID>()) { (node) throws(YAMLError) in
            var holders: Set<HolderID> = []
            for node in try node.sequence(atMost: 100_000) {
                guard let holder = HolderID(try node.string(atMost: 64)) else {
                    throw node.fault("must be a holder's id")
                }
                holders.insert(holder)
            }
            return holders
        }
        let jwks = text("jwks", in: map, or: "https://-")
        return IssuerSettings(
            issuer: text("issuer", in: map, or: "line \(node.line)", atMost: 512),
            audience: text("audience", in: map, or: "-", atMost: 512),
            jwks: jwks.contains("://") ? jwks : "file://" + home.resolve(jwks),
            algorithms: algorithms,
            refreshSeconds: Int64(number("refreshSeconds", in: map, or: 300, 1...86_400)),
            keepSeconds: Int64(number("keepSeconds", in: map, or: 3600, 0...86_400)),
            holders: holders,
            speaksForRegistered: flag("registeredHolders", in: map),
            isDevelopment: flag("development", in: map)
        )
    }

    private mutating func client(_ node: YAMLNode) -> ClientRegistration? {
        guard let map = node.mapping(allowed: ["id", "facility", "kind"], faults: &faults) else { return nil }
        let id = required("id", in: map, or: nil) { (node) throws(YAMLError) -> ClientID? in
            guard let id = ClientID(try node.string(atMost: 128)) else {
                throw node.fault("must be 1 to 128 printable ASCII characters without white space")
            }
            return id
        }
        let facility = text("facility", in: map, or: "-", atMost: 32)
        let kind = required("kind", in: map, or: .medical) { (node) throws(YAMLError) in
            try node.choice(ClientRegistration.FacilityKind.self)
        }
        return id.map { ClientRegistration(id: $0, facility: facility, kind: kind) }
    }

    private mutating func certificates(_ node: YAMLNode?) -> (CertificateWatch.Settings, Set<String>) {
        let map = node?.mapping(allowed: ["policies", "sources", "poll", "alarm"], faults: &faults)
        var settings = CertificateWatch.Settings(folder: home.trust)
        settings.sources = optional("sources", in: map, or: []) { (node) throws(YAMLError) in try node.strings() }
        settings.pollSeconds = duration("poll", in: map, or: 3600, 1...86_400)
        settings.alarmSeconds = duration("alarm", in: map, or: 129_600, 60...604_800)
        let policies = optional("policies", in: map, or: ["1.2.392.100495.1.5.1.1.0.1"]) { (node) throws(YAMLError) in
            try node.strings()
        }
        return (settings, Set(policies))
    }

    private mutating func limits(_ node: YAMLNode?) -> (WebSettings.Limits, Int) {
        let known = [
            "bodyBytes", "bodyBudget", "headerCount", "headerBytes", "requestSeconds", "answerSeconds", "idleSeconds",
            "connections", "connectionsPerAddress", "queue", "judgements", "perClient", "perClientRate", "inFlight",
        ]
        let map = node?.mapping(allowed: known, faults: &faults)
        let usual = WebSettings.Limits()
        var limits = usual
        limits.bodyBytes = number("bodyBytes", in: map, or: usual.bodyBytes, 1024...268_435_456)
        limits.bodyBudget = number("bodyBudget", in: map, or: usual.bodyBudget, 1024...1_073_741_824)
        limits.headerCount = number("headerCount", in: map, or: usual.headerCount, 8...1000)
        limits.headerBytes = number("headerBytes", in: map, or: usual.headerBytes, 1024...65_536)
        limits.requestSeconds = number("requestSeconds", in: map, or: usual.requestSeconds, 1...600)
        limits.answerSeconds = number("answerSeconds", in: map, or: usual.answerSeconds, 1...600)
        limits.idleSeconds = number("idleSeconds", in: map, or: usual.idleSeconds, 1...3600)
        limits.connections = number("connections", in: map, or: usual.connections, 1...100_000)
        limits.connectionsPerAddress = number(
            "connectionsPerAddress", in: map, or: usual.connectionsPerAddress, 1...100_000
        )
        limits.queue = number("queue", in: map, or: usual.queue, 1...100_000)
        limits.judgements = number("judgements", in: map, or: usual.judgements, 1...100_000)
        limits.perClient = number("perClient", in: map, or: usual.perClient, 1...100_000)
        limits.perClientRate = number("perClientRate", in: map, or: usual.perClientRate, 0...1_000_000)
        return (limits, number("inFlight", in: map, or: 512, 1...100_000))
    }
}

// MARK: Single keys

extension Reading {
    /// What `read` makes of the key's value; `fallback` where it is at fault, missing included.
    mutating func required<Value>(
        _ key: String, in map: YAMLMapping?, or fallback: Value, _ read: (YAMLNode) throws(YAMLError) -> Value
    ) -> Value {
        guard let map else { return fallback }
        return faults.read(or: fallback) { () throws(YAMLError) in try read(try map.required(key)) }
    }

    /// What `read` makes of the key's value; `fallback` where it is missing or at fault.
    mutating func optional<Value>(
        _ key: String, in map: YAMLMapping?, or fallback: Value, _ read: (YAMLNode) throws(YAMLError) -> Value
    ) -> Value {
        guard let node = map?[key] else { return fallback }
        return faults.read(or: fallback) { () throws(YAMLError) in try read(node) }
    }

    mutating func text(
        _ key: String, in map: YAMLMapping?, or fallback: String, atMost limit: Int = 4096
    ) -> String {
        required(key, in: map, or: fallback) { (node) throws(YAMLError) in
            let text = try node.string(atMost: limit)
            guard !text.contains("<") else { throw node.unfilled }
            return text
        }
    }

    mutating func number(
        _ key: String, in map: YAMLMapping?, or usual: Int, _ range: ClosedRange<Int>
    ) -> Int {
        optional(key, in: map, or: usual) { (node) throws(YAMLError) in try node.integer(in: range) }
    }

    mutating func duration(
        _ key: String, in map: YAMLMapping?, or usual: Int64, _ range: ClosedRange<Int>
    ) -> Int64 {
        optional(key, in: map, or: usual) { (node) throws(YAMLError) in Int64(try node.duration(in: range)) }
    }

    mutating func flag(_ key: String, in map: YAMLMapping?) -> Bool {
        optional(key, in: map, or: false) { (node) throws(YAMLError) in try node.boolean() }
    }

    /// The entries of a list that can be read.
    mutating func list<Value>(
        _ key: String, in map: YAMLMapping, _ read: (inout Reading, YAMLNode) -> Value?
    ) -> [Value] {
        let nodes = optional(key, in: map, or: []) { (node) throws(YAMLError) in try node.sequence(atMost: 1000) }
        var values: [Value] = []
        for node in nodes {
            if let value = read(&self, node) { values.append(value) }
        }
        return values
    }
}

extension YAMLNode {
    /// A place in angle brackets stands here as `init` wrote it for a production instance.
    var unfilled: YAMLError { fault("is still to be filled in") }
}
