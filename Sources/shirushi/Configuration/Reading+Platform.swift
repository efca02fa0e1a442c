import Certificates
import Core
import HPKI
import Host
import Identity
import JOSE
import Keys
import Platform
import Policies
import Web
import YAML

extension Configuration {
    /// What the file says of the authentication platform.
    struct Platform: Sendable {
        /// One kind of card.
        struct Cards: Sendable {
            /// Where browsers show such cards: a host of its own.
            var origin: String
            var policies: [String]
            var sources: [String]
            var successions: String?
        }

        var issuer: String
        /// Where clients show certificates, when that is not the listener's own address.
        var mutualTLSOrigin: String?
        /// `aud` of tokens that this instance's signing service takes.
        var audience: String
        /// The folder with one file for each client.
        var clientFolder: String
        var clients: [OAuthClient]
        /// What the policy knows of client systems that are not the platform's.
        var otherClients: [ClientRegistration] = []
        var accessTokenSeconds: Int64
        var tokenKeySeconds: Int64
        /// From the choice of a certificate to the PIN.
        var choiceSeconds: Int64
        /// Whether relying systems may be told of logouts at private addresses.
        var logoutsArePrivate: Bool
        /// A PEM file of the authorities of relying systems' servers; nil for the system's.
        var logoutAuthorities: String?
        /// Pages of a login a second for one address, and requests of one client from one address.
        var addressPerSecond: Int
        var clientPerSecond: Int
        var hpki: Cards?
        var jpki: Cards?

        /// The platform as the signing service of this instance sees it: an issuer whose keys core has itself.
        var ownIssuer: IssuerSettings {
            IssuerSettings(
                issuer: issuer, audience: audience, jwks: PlatformSettings.ownKeys, algorithms: [.es256],
                refreshSeconds: 10, speaksForRegistered: true, isPlatform: true)
        }

        /// What the check of a configuration says of it.
        var words: String {
            let hosts = [hpki?.origin, jpki?.origin].compactMap { $0 }.joined(separator: ", ")
            return "\(issuer), cards at \(hosts), \(clients.count) clients, tokens for \(audience)"
        }
    }
}

// What the file says of the authentication platform.
extension Reading {
    mutating func platform(_ node: YAMLNode?) -> Configuration.Platform? {
        let known = [
            "issuer", "mutualTLSOrigin", "audience", "clients", "accessTokens", "tokenKeys", "choice", "hpki", "jpki",
            "allowPrivateAddresses", "logoutAuthorities", "addressPerSecond", "clientPerSecond",
        ]
        guard let map = node?.mapping(allowed: known, faults: &faults) else { return nil }
        let issuer = text("issuer", in: map, or: "https://-", atMost: 512)
        let folder = home.resolve(
            optional("clients", in: map, or: "platform/clients") { (node) throws(YAMLError) in try node.string() })
        return Configuration.Platform(
            issuer: issuer,
            mutualTLSOrigin: optional("mutualTLSOrigin", in: map, or: nil) { (node) throws(YAMLError) -> String? in
                try node.string(atMost: 512)
            },
            audience: optional("audience", in: map, or: issuer) { (node) throws(YAMLError) in
                try node.string(atMost: 512)
            },
            clientFolder: folder, clients: [],
            accessTokenSeconds: duration("accessTokens", in: map, or: 600, 30...3600),
            tokenKeySeconds: duration("tokenKeys", in: map, or: 30 * 86_400, 86_400...31_536_000),
            choiceSeconds: duration("choice", in: map, or: 60, 1...300),
            logoutsArePrivate: flag("allowPrivateAddresses", in: map),
            logoutAuthorities: optional("logoutAuthorities", in: map, or: nil) { (node) throws(YAMLError) -> String? in
                try node.string()
            }.map(home.resolve),
            addressPerSecond: number("addressPerSecond", in: map, or: 20, 1...100_000),
            clientPerSecond: number("clientPerSecond", in: map, or: 200, 1...100_000),
            hpki: cards("hpki", in: map, policies: PathRequirements.hpkiAuthentication.acceptablePolicies),
            jpki: cards("jpki", in: map, policies: PathRequirements.jpkiAuthentication.acceptablePolicies))
    }

    private mutating func cards(
        _ key: String, in root: YAMLMapping, policies: Set<String>
    ) -> Configuration.Platform.Cards? {
        let known = ["origin", "policies", "sources"] + (key == "jpki" ? ["successions"] : [])
        guard let map = root[key]?.mapping(allowed: known, faults: &faults) else { return nil }
        return Configuration.Platform.Cards(
            origin: text("origin", in: map, or: "https://-", atMost: 512),
            policies: optional("policies", in: map, or: policies.sorted()) { (node) throws(YAMLError) in
                try node.strings()
            },
            sources: optional("sources", in: map, or: []) { (node) throws(YAMLError) in try node.strings() },
            successions: optional("successions", in: map, or: nil) { (node) throws(YAMLError) -> String? in
                try node.string()
            }.map(home.resolve))
    }
}

extension Configuration {
    /// What of the platform cannot work.
    var platformFaults: [String] {
        guard let platform else { return [] }
        var faults: [String] = []
        let origins =
            [("issuer", platform.issuer)]
            + [("hpki.origin", platform.hpki?.origin), ("jpki.origin", platform.jpki?.origin)]
            .compactMap { name, origin in origin.map { (name, $0) } }
        for (name, origin) in origins
        where !origin.hasPrefix("https://") || origin.dropFirst(8).contains("/") || origin.contains("<") {
            faults.append("`platform.\(name)` must be https:// with a host and nothing behind it, not even a slash")
        }
        // A login with one card must leave no state that a login with the other meets (F5, F19).
        let hosts = origins.map { $0.1.dropFirst(8).split(separator: ":").first ?? "" }
        if Set(hosts).count != hosts.count {
            faults.append("`platform`: issuer, hpki and jpki each need a host name of their own")
        }
        if platform.hpki == nil, platform.jpki == nil {
            faults.append("`platform` takes no cards: name hpki, jpki, or both")
        }
        if Set(platform.clients.map(\.id)).count != platform.clients.count {
            faults.append("`platform.clients`: two files register one client")
        }
        if issuers.contains(where: { $0.issuer == platform.issuer }) {
            faults.append("`issuers` names the platform itself, which needs no entry there")
        }
        return faults
    }

    /// What core is told of the platform.
    func platformSettings(_ home: Home) -> PlatformSettings? {
        guard let platform else { return nil }
        func card(
            _ cards: Platform.Cards?, _ folder: String, _ usual: PathRequirements
        ) -> PlatformSettings.Card? {
            guard let cards else { return nil }
            var requirements = usual
            requirements.acceptablePolicies = Set(cards.policies)
            var trust = certificates
            trust.folder = folder
            trust.sources = cards.sources
            return PlatformSettings.Card(trust: trust, requirements: requirements, successions: cards.successions)
        }
        var settings = PlatformSettings(
            issuer: platform.issuer, clients: platform.clients,
            hpki: card(platform.hpki, home.hpkiTrust, .hpkiAuthentication),
            jpki: card(platform.jpki, home.jpkiTrust, .jpkiAuthentication),
            accessTokenSeconds: platform.accessTokenSeconds, tokenKeySeconds: platform.tokenKeySeconds)
        settings.readClients = clientReader(home)
        return settings
    }

    /// Reads the clients' files anew; it throws where one is at fault, so that none of a half-written folder counts.
    func clientReader(_ home: Home) -> (@Sendable () throws -> PlatformSettings.Registered)? {
        guard let platform else { return nil }
        return {
            let found = OAuthClientFile.all(in: platform.clientFolder, home: home, audience: platform.audience)
            guard found.faults.isEmpty else { throw CommandError(found.faults.joined(separator: "; ")) }
            guard Set(found.clients.map(\.id)).count == found.clients.count else {
                throw CommandError("two files register one client")
            }
            return PlatformSettings.Registered(
                clients: found.clients, registrations: platform.otherClients + found.registrations)
        }
    }

    /// What front is told of the platform.
    var webPlatform: WebSettings.Platform? {
        platform.map { platform in
            var web = WebSettings.Platform(
                issuer: platform.issuer, hpkiOrigin: platform.hpki?.origin, jpkiOrigin: platform.jpki?.origin,
                clients: platform.clients)
            web.mutualTLSOrigin = platform.mutualTLSOrigin
            web.choiceSeconds = Int(platform.choiceSeconds)
            web.allowPrivateAddresses = platform.logoutsArePrivate
            web.logoutAuthorities = platform.logoutAuthorities
            let (address, client) = (Double(platform.addressPerSecond), Double(platform.clientPerSecond))
            web.addressRate = RateLimits.Rate(perSecond: address, burst: address * 5)
            web.clientRate = RateLimits.Rate(perSecond: client, burst: client * 2)
            return web
        }
    }
}
