import Core
import HPKI
import Host
import Identity
import JOSE
import Keys
import Policies
import Web
import YAML

/// All faults of a configuration at once, each with its place.
struct ConfigurationFaults: Error, CustomStringConvertible {
    let faults: [String]

    var description: String {
        "the configuration cannot be used:\n" + faults.map { "  - \($0)" }.joined(separator: "\n")
    }
}

extension Configuration {
    /// Reads and checks the configuration of `home`; throws every fault at once.
    static func read(_ home: Home) throws -> Configuration {
        try home.mustExist()
        let bytes = try Files.read(home.configuration, atMost: YAMLNode.byteLimit)
        do {
            var reading = Reading(home: home)
            let configuration = try reading.configuration(try YAMLNode.read(bytes))
            let faults = reading.faults.errors.map(\.description) + configuration.faults(in: home)
            guard faults.isEmpty else { throw ConfigurationFaults(faults: faults) }
            return configuration
        } catch let error as YAMLError {
            throw ConfigurationFaults(faults: [error.description])
        }
    }
}

/// Reads the file key by key, collecting what is wrong.
private struct Reading {
    let home: Home
    var faults = YAMLFaults()

    mutating func configuration(_ root: YAMLNode) throws(YAMLError) -> Configuration {
        let map = try root.mapping(allowed: [
            "kind", "origin", "publicOrigin", "listeners", "metrics", "hsm", "issuers", "clients", "signingWindow",
            "clockSkew", "policy", "certificates", "limits", "clock",
        ])
        let kind = try map.required("kind").choice(Configuration.Kind.self)
        let (webLimits, inFlight) = map["limits"].map { limits($0) } ?? (WebSettings.Limits(), 512)
        var web = WebSettings()
        web.limits = webLimits
        web.publicOrigin = faults.read(or: "") { () throws(YAMLError) in try map.required("publicOrigin").string() }
        web.listeners = list(map["listeners"]) { reading, node throws(YAMLError) in try reading.listener(node) }
        do { web.metrics = try metrics(map["metrics"]) } catch { faults.add(error) }
        let window = faults.read(or: ActivationWindow()) { () throws(YAMLError) in
            ActivationWindow(
                seconds: Int64(try map["signingWindow"]?.duration(in: 60...64_800) ?? 64_800),
                skewSeconds: Int64(try map["clockSkew"]?.duration(in: 0...300) ?? 60)
            )
        }
        let watched = map["certificates"].map { certificates($0) }
        return Configuration(
            kind: kind,
            origin: faults.read(or: "") { () throws(YAMLError) in try map.required("origin").string(atMost: 200) },
            web: web,
            module: try module(try map.required("hsm")),
            issuers: list(map["issuers"]) { reading, node throws(YAMLError) in try reading.issuer(node, kind) },
            clients: list(map["clients"]) { reading, node throws(YAMLError) in try reading.client(node) },
            window: window,
            policyFile: home.resolve(
                faults.read(or: "") { () throws(YAMLError) in try map["policy"]?.string() ?? "policies/signing.yaml" }
            ),
            certificates: watched?.0 ?? CertificateWatch.Settings(folder: home.trust),
            certificatePolicies: watched?.1 ?? ["1.2.392.100495.1.5.1.1.0.1"],
            inFlight: inFlight,
            requireSynchronisedClock: faults.read(or: false) { () throws(YAMLError) in
                try map["clock"]?.mapping(allowed: ["requireSynchronised"])["requireSynchronised"]?.boolean() ?? false
            },
            allowPrivateAddresses: kind == .development
        )
    }

    private mutating func list<Value>(
        _ node: YAMLNode?, _ read: (inout Reading, YAMLNode) throws(YAMLError) -> Value
    ) -> [Value] {
        guard let node else { return [] }
        guard let nodes = faults.read({ () throws(YAMLError) in try node.sequence(atMost: 1000) }) else { return [] }
        var values: [Value] = []
        for node in nodes {
            do { values.append(try read(&self, node)) } catch { faults.add(error) }
        }
        return values
    }

    private mutating func listener(_ node: YAMLNode) throws(YAMLError) -> WebSettings.Listener {
        let map = try node.mapping(allowed: [
            "name", "address", "port", "hostNames", "certificate", "key", "clientCertificate", "authorities", "groups",
        ])
        let clientCertificate: WebSettings.ClientCertificate
        switch try map["clientCertificate"]?.string() ?? "none" {
        case "none": clientCertificate = .none
        case "request": clientCertificate = .request(authorities: home.resolve(try map.required("authorities").string()))
        case "require": clientCertificate = .require(authorities: home.resolve(try map.required("authorities").string()))
        default: throw map.fault("clientCertificate", "none, request or require")
        }
        var groups: Set<WebSettings.RouteGroup> = []
        for node in try map.required("groups").sequence(atMost: 10) {
            groups.insert(try node.choice(WebSettings.RouteGroup.self))
        }
        return WebSettings.Listener(
            name: try map.required("name").string(atMost: 64),
            address: try map.required("address").string(atMost: 64),
            port: try map.required("port").integer(in: 0...65_535),
            hostNames: try map["hostNames"]?.strings() ?? [],
            certificateChain: home.resolve(try map.required("certificate").string()),
            key: home.resolve(try map.required("key").string()),
            clientCertificate: clientCertificate,
            groups: groups
        )
    }

    private func metrics(_ node: YAMLNode?) throws(YAMLError) -> WebSettings.MetricsListener? {
        guard let map = try node?.mapping(allowed: ["address", "port"]) else { return nil }
        return WebSettings.MetricsListener(
            address: try map.required("address").string(atMost: 64),
            port: try map.required("port").integer(in: 0...65_535)
        )
    }

    private func module(_ node: YAMLNode) throws(YAMLError) -> Configuration.Module {
        let map = try node.mapping(allowed: [
            "module", "token", "pinFile", "sessions", "timeoutSeconds", "acceptSoftwareToken", "environment",
        ])
        var environment: [(name: String, value: String)] = []
        for entry in try map["environment"]?.mapping().entries ?? [] {
            let value = try entry.value.string()
            // A relative file of the instance, such as SoftHSM's configuration, is named in full.
            environment.append((entry.key, value.hasPrefix("hsm/") ? home.resolve(value) : value))
        }
        return Configuration.Module(
            path: try map.required("module").string(),
            token: try map.required("token").string(atMost: 32),
            pinFile: home.resolve(try map.required("pinFile").string()),
            sessions: try map["sessions"]?.integer(in: 1...256) ?? 4,
            timeoutSeconds: try map["timeoutSeconds"]?.integer(in: 1...120) ?? 10,
            acceptSoftwareToken: try map["acceptSoftwareToken"]?.boolean() ?? false,
            environment: environment
        )
    }

    private func issuer(_ node: YAMLNode, _ kind: Configuration.Kind) throws(YAMLError) -> IssuerSettings {
        let map = try node.mapping(allowed: [
            "issuer", "audience", "jwks", "algorithms", "refreshSeconds", "keepSeconds", "holders", "development",
        ])
        var algorithms = Set(JWSAlgorithm.allCases)
        if let node = map["algorithms"] {
            algorithms = []
            for node in try node.sequence(atMost: 10) { algorithms.insert(try node.choice(JWSAlgorithm.self)) }
        }
        var holders: Set<HolderID> = []
        for node in try map["holders"]?.sequence(atMost: 100_000) ?? [] {
            guard let holder = HolderID(try node.string(atMost: 64)) else { throw node.fault("a holder's id") }
            holders.insert(holder)
        }
        let jwks = try map.required("jwks").string()
        return IssuerSettings(
            issuer: try map.required("issuer").string(atMost: 512),
            audience: try map.required("audience").string(atMost: 512),
            jwks: jwks.contains("://") ? jwks : "file://" + home.resolve(jwks),
            algorithms: algorithms,
            refreshSeconds: Int64(try map["refreshSeconds"]?.integer(in: 1...86_400) ?? 300),
            keepSeconds: Int64(try map["keepSeconds"]?.integer(in: 0...86_400) ?? 3600),
            holders: holders,
            isDevelopment: try map["development"]?.boolean() ?? false
        )
    }

    private func client(_ node: YAMLNode) throws(YAMLError) -> ClientRegistration {
        let map = try node.mapping(allowed: ["id", "facility", "kind"])
        guard let id = ClientID(try map.required("id").string(atMost: 128)) else {
            throw map.fault("id", "1 to 128 printable ASCII characters without white space")
        }
        return ClientRegistration(
            id: id, facility: try map.required("facility").string(atMost: 32),
            kind: try map.required("kind").choice(ClientRegistration.FacilityKind.self)
        )
    }

    private mutating func certificates(_ node: YAMLNode) -> (CertificateWatch.Settings, Set<String>) {
        var settings = CertificateWatch.Settings(folder: home.trust)
        var policies: Set<String> = ["1.2.392.100495.1.5.1.1.0.1"]
        do {
            let map = try node.mapping(allowed: ["policies", "sources", "poll", "alarm"])
            if let node = map["policies"] { policies = Set(try node.strings()) }
            settings.sources = try map["sources"]?.strings() ?? []
            settings.pollSeconds = Int64(try map["poll"]?.duration(in: 1...86_400) ?? 3600)
            settings.alarmSeconds = Int64(try map["alarm"]?.duration(in: 60...604_800) ?? 129_600)
        } catch { faults.add(error) }
        return (settings, policies)
    }

    private mutating func limits(_ node: YAMLNode) -> (WebSettings.Limits, Int) {
        var limits = WebSettings.Limits()
        var inFlight = 512
        do {
            let map = try node.mapping(allowed: [
                "bodyBytes", "bodyBudget", "headerCount", "headerBytes", "requestSeconds", "answerSeconds",
                "idleSeconds", "connections", "queue", "perClient", "perClientRate", "inFlight",
            ])
            func read(_ key: String, _ range: ClosedRange<Int>, _ value: inout Int) throws(YAMLError) {
                if let node = map[key] { value = try node.integer(in: range) }
            }
            try read("bodyBytes", 1024...268_435_456, &limits.bodyBytes)
            try read("bodyBudget", 1024...1_073_741_824, &limits.bodyBudget)
            try read("headerCount", 8...1000, &limits.headerCount)
            try read("headerBytes", 1024...65_536, &limits.headerBytes)
            try read("requestSeconds", 1...600, &limits.requestSeconds)
            try read("answerSeconds", 1...600, &limits.answerSeconds)
            try read("idleSeconds", 1...3600, &limits.idleSeconds)
            try read("connections", 1...100_000, &limits.connections)
            try read("queue", 1...100_000, &limits.queue)
            try read("perClient", 1...100_000, &limits.perClient)
            try read("perClientRate", 0...1_000_000, &limits.perClientRate)
            try read("inFlight", 1...100_000, &inFlight)
        } catch { faults.add(error) }
        return (limits, inFlight)
    }
}

extension YAMLMapping {
    fileprivate func fault(_ key: String, _ expected: String) -> YAMLError {
        .wrongValue(line: self[key]?.line ?? line, key: path.isEmpty ? key : "\(path).\(key)", expected: expected)
    }
}
