import Audit
import Certificates
import Core
import Development
import Evidence
import HPKI
import Host
import Identity
import Keys
import Policies
import Transparency
import Validation
import Web
import YAML

extension Configuration {
    /// What is unsafe or cannot work, each fault naming its key.
    func faults(in home: Home) -> [String] {
        var faults = web.faults
        for (key, text) in [("origin", origin), ("publicOrigin", web.publicOrigin), ("hsm.token", module.token)]
            + issuers.flatMap({ [("issuers", $0.issuer), ("issuers", $0.audience), ("issuers", $0.jwks)] })
        where text.contains("<") {
            faults.append("`\(key)` still holds a <placeholder>")
        }
        if !NoteKey.isName(origin) {
            faults.append("`origin` must be a name without spaces and plus signs, such as shirushi.example.jp/2026")
        }
        if issuers.isEmpty, platform == nil {
            faults.append("`issuers` must name at least one issuer, or nobody can sign")
        }
        if Set(issuers.map(\.issuer)).count != issuers.count { faults.append("`issuers` names one issuer twice") }
        if Set(authorities.map(\.name)).count != authorities.count {
            faults.append("`authorities` names one authority twice")
        }
        if Set(clients.map(\.id)).count != clients.count {
            faults.append("`clients` names one client twice, or one that `platform.clients` gives a facility too")
        }
        do { _ = try PolicySet(reading: try Files.read(policyFile, atMost: YAMLNode.byteLimit)) } catch {
            faults.append("`policy`: \(error)")
        }
        do throws(CommandError) { _ = try ValidationPolicy.load(validationPolicyFile) } catch {
            faults.append("`validationPolicy`: \(error)")
        }
        faults += evidenceFaults + witnessFaults + platformFaults
        if kind == .production { faults += productionFaults(in: home) }
        return faults
    }

    /// What is wrong with the files that the configuration names, as far as a start needs them; reads secrets.
    func faultsOfFiles(in home: Home) -> [String] {
        var faults = exposures(in: home)
        func check(_ key: String, _ path: String? = nil, _ body: () throws -> Void) {
            guard path != Configuration.noFile else { return }
            do { try body() } catch { faults.append("`\(key)`: \(error)") }
        }
        for (index, listener) in web.listeners.enumerated() {
            let key = "listeners[\(index)]"
            check("\(key).certificate", listener.certificateChain) {
                _ = try Files.read(listener.certificateChain, atMost: 1 << 20)
            }
            check("\(key).key", listener.key) { _ = try Files.read(listener.key, atMost: 1 << 20) }
            switch listener.clientCertificate {
            case .none, .ask: break
            case .request(let path), .require(let path):
                check("\(key).authorities") { _ = try Files.read(path, atMost: 1 << 20) }
            }
        }
        for issuer in issuers where issuer.jwks.hasPrefix("file://") {
            check("issuers") { _ = try Files.read(String(issuer.jwks.dropFirst(7)), atMost: 65_536) }
        }
        check("hsm.\(module.pin.key)") { _ = try module.pin.read() }
        check("authorities") {
            let certificates = try registration().authorities.flatMap(\.clientCertificates)
            guard Set(certificates).count == certificates.count else {
                throw CommandError("one client certificate belongs to two authorities")
            }
        }
        for path in [home.core.logKey, home.core.pseudonymKey, home.core.claimKey, home.core.adminKey] {
            check("secrets") { _ = try SecretFile.read(path, atMost: 4096) }
        }
        for path in [home.core.database, home.core.auditHead] where !Files.exists(path) {
            faults.append("`data`: there is no file \(path)")
        }
        check("trust") {
            let trust = try TrustStore.load(folder: home.trust)
            guard !trust.anchors.isEmpty else { throw CommandError("there is no certificate in \(home.trust)/anchors") }
            _ = try CRLStore.load(folder: home.crls, trust: trust)
        }
        check("validationPolicy") {
            _ = try TrustSnapshot(
                home: home, policies: certificatePolicies, policy: try ValidationPolicy.load(validationPolicyFile))
        }
        if !evidence.timestamps.authorities.isEmpty {
            check("timestamps") {
                guard try !TrustRealm(folder: home.timestamps).trust.anchors.isEmpty else {
                    throw CommandError("there is no certificate in \(home.timestamps)/anchors")
                }
            }
        }
        return faults
    }

    /// What keeps a start waiting: core comes up by itself once the module is there, such as on a mount that comes late.
    var missingModule: String? {
        Files.exists(module.path) ? nil : "`hsm.module`: there is no file \(module.path)"
    }

    private func productionFaults(in home: Home) -> [String] {
        var faults: [String] = []
        if module.path.contains("softhsm"), !module.acceptSoftwareToken {
            faults.append(
                "`hsm.module` is a software token; name an HSM's module, or set `hsm.acceptSoftwareToken: true`"
            )
        }
        for issuer in issuers where issuer.isDevelopment || issuer.jwks.hasPrefix("file://" + home.development) {
            faults.append("`issuers`: \(issuer.issuer) is a development issuer")
        }
        for issuer in issuers where issuer.jwks.hasPrefix("http://") {
            faults.append("`issuers`: the keys of \(issuer.issuer) must be fetched by https")
        }
        if Files.exists(home.developmentPKI) {
            faults.append(
                "`kind` is production, and \(home.development) holds development authorities; make a new home")
        }
        for folder in home.trustFolders + furtherTrust {
            for anchor in (try? TrustStore.load(folder: folder))?.anchors ?? []
            where anchor.subject.text.contains(DevelopmentPKI.mark) {
                let place = folder.hasPrefix(home.path + "/") ? folder.dropFirst(home.path.count + 1) : folder[...]
                faults.append("`\(place)/anchors`: \(anchor.subject.text) is a development anchor")
            }
        }
        faults += consoleFaults
        for retentionClass in retention.unkept {
            faults.append("`audit.retention.\(retentionClass.name)` is at least 1 in a production instance")
        }
        if evidence.developmentPort != nil {
            faults.append("`development`: a production instance has no development authority")
        }
        return faults
    }

    /// The folders that the validation policy names, with anchors of its own.
    var furtherTrust: [String] {
        (try? ValidationPolicy.load(validationPolicyFile)).map { $0.signerTrust + $0.timeStampTrust } ?? []
    }

    /// The effective configuration for people, without any secret.
    var summary: String {
        let listeners = web.listeners.map { "  \($0.name): https on \($0.address):\($0.port)" }
        let issuers = issuers.map { "  \($0.issuer) for \($0.audience), keys from \($0.jwks)" }
        let clients = clients.map { "  \($0.id): \($0.kind.rawValue) facility \($0.facility)" }
        let environment = module.environment.map { "\($0.name)=(set)" }.joined(separator: " ")
        return """
            kind:            \(kind.rawValue)
            log origin:      \(origin)
            public origin:   \(web.publicOrigin)
            listeners:
            \(listeners.joined(separator: "\n"))
            metrics:         \(web.metrics.map { "http on \($0.address):\($0.port)" } ?? "none")
            hsm:             \(module.path), token \(module.token), \(module.sessions) sessions, \(module.custody)
            hsm PIN:         (redacted, from \(module.pin.words))
            keys:            \(keys.mode.rawValue), \(keys.offers.map(\.keyType.rawValue).joined(separator: ", ")); \
            cache of \(keys.cacheSize) for \(keys.cacheSeconds) s
            authorities:     \(authorities.isEmpty ? "none" : authorities.map(\.name.description).joined(separator: ", "))
            hsm environment: \(environment.isEmpty ? "none" : environment)
            issuers:
            \(issuers.joined(separator: "\n"))
            clients:
            \(clients.joined(separator: "\n"))
            signing window:  \(window.seconds) s from auth_time, clock skew \(window.skewSeconds) s
            policy:          \(policyFile)
            validation:      \(validationPolicyFile ?? "the policy that ships")
            revocation:      every \(certificates.pollSeconds) s from \(certificates.folder)/crls \
            and \(certificates.sources.count) addresses
            time stamps:     \(evidence.timestamps.authorities.isEmpty ? "none" : authorityList)
            witnesses:       \(witnesses.words)
            platform:        \(platform?.words ?? "none")
            retention:       \(retention.words) years
            limits:          body \(web.limits.bodyBytes) bytes, \(web.limits.headerCount) headers, \
            \(web.limits.queue) requests at once, \(web.limits.perClient) a client
            """
    }

    private var authorityList: String {
        evidence.timestamps.authorities.map { "\($0.name) at \($0.url)" }.joined(separator: ", ")
    }

    /// What core is told.
    func coreSettings(_ home: Home, failpoint: String?) throws -> CoreSettings {
        CoreSettings(
            paths: home.core, origin: origin,
            token: CoreSettings.Token(
                module: module.path, label: module.token, pin: { [pin = module.pin] in try pin.read() },
                sessions: module.sessions, timeoutSeconds: module.timeoutSeconds, custody: module.custody,
                initializeArguments: module.initializeArguments
            ),
            issuers: issuers + (platform.map { [$0.ownIssuer] } ?? []), clients: clients, window: window,
            policies: try PolicySet(reading: try Files.read(policyFile, atMost: YAMLNode.byteLimit)),
            certificates: certificates, certificatePolicies: certificatePolicies,
            registration: try registration(), retention: retention, inFlight: inFlight,
            kind: kind.rawValue, witnesses: witnesses.servers.map(\.key),
            platform: platformSettings(home),
            failpoint: kind == .development ? failpoint : nil
        )
    }
}
