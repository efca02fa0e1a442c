package import HPKI
package import Platform

extension WebSettings {
    /// The authentication platform: who it is, which hosts ask for cards, and who may send people to it.
    package struct Platform: Sendable {
        /// `iss` of everything it signs, and the origin of its endpoints: `https://`, without a path.
        package var issuer: String
        /// The origin at which TLS asks for an HPKI card; nil where that way to log in is not offered.
        package var hpkiOrigin: String?
        /// The origin at which TLS asks for a My Number card; nil where that way to log in is not offered.
        package var jpkiOrigin: String?
        /// The origin at which the endpoints for clients ask for a client certificate (RFC 8705 §5), where it is another.
        package var mutualTLSOrigin: String?
        package var clients: [OAuthClient]
        /// Whether relying systems may be told of logouts at private addresses.
        package var allowPrivateAddresses = false
        /// The path of a PEM file of the authorities that relying systems' servers have certificates of, in place of the
        /// system's; nil for the system's.
        package var logoutAuthorities: String?
        /// How long choosing a certificate and entering its PIN may take (row F17).
        package var choiceSeconds: Int
        /// How long a login may be under way.
        package var ceremonySeconds = 600
        /// Pages of a login, for one address.
        package var addressRate = RateLimits.Rate(perSecond: 20, burst: 100)
        /// Requests of one client from one address.
        package var clientRate = RateLimits.Rate(perSecond: 200, burst: 400)
        /// Logins for one account that a relying system names, from one address.
        package var accountRate = RateLimits.Rate(perSecond: 0.2, burst: 20)

        /// A platform with the defaults.
        package init(
            issuer: String, hpkiOrigin: String? = nil, jpkiOrigin: String? = nil, clients: [OAuthClient] = [],
            choiceSeconds: Int = 60
        ) {
            self.choiceSeconds = choiceSeconds
            self.issuer = issuer
            self.hpkiOrigin = hpkiOrigin
            self.jpkiOrigin = jpkiOrigin
            self.clients = clients
        }

        /// Where a card of that kind is asked for.
        func origin(_ kind: CardKind) -> String? {
            switch kind {
            case .hpki: hpkiOrigin
            case .jpki: jpkiOrigin
            }
        }

        /// The ways to log in that there are.
        var methods: [AuthenticationMethod] { CardKind.allCases.filter { origin($0) != nil }.map(\.method) }
    }

    /// The origin at which the endpoints for clients ask for a client certificate; nil where no listener does.
    var mutualTLSOrigin: String? {
        guard let listener = listeners.first(where: { isMutual($0) }) else { return nil }
        if let origin = platform?.mutualTLSOrigin { return origin }
        // The issuer's own listener: its endpoints are those already.
        guard listeners.contains(where: { $0.groups.contains(.platform) && !isMutual($0) }) else {
            return platform?.issuer
        }
        return "https://\(listener.hostNames.first ?? listener.address):\(listener.port)"
    }

    /// Whether a listener serves the platform's endpoints and asks for client certificates.
    func isMutual(_ listener: Listener) -> Bool {
        listener.groups.contains(.platform) && listener.clientCertificate != .none
    }

    /// What is wrong with a listener where the platform's groups are concerned; `key` names it.
    func platformFaults(_ listener: Listener, _ key: String) -> [String] {
        var faults: [String] = []
        let cards = listener.groups.intersection(RouteGroup.ofCards)
        if !listener.groups.isDisjoint(with: RouteGroup.ofPlatform), platform == nil {
            faults.append("\(key).groups: the groups of the platform need the key platform.")
        }
        if !cards.isEmpty {
            if listener.clientCertificate != .ask {
                faults.append("\(key).clientCertificate: the groups card-hpki and card-jpki need ask.")
            }
            // A page of another part on such a host would share its origin, and each card needs a host of its own.
            if listener.groups.count > 1 {
                faults.append("\(key).groups: card-hpki and card-jpki each need a listener of their own.")
            }
        }
        return faults
    }
}

extension WebSettings.Platform {
    var faults: [String] {
        var faults: [String] = []
        let origins = [
            ("issuer", issuer), ("hpkiOrigin", hpkiOrigin), ("jpkiOrigin", jpkiOrigin),
            ("mutualTLSOrigin", mutualTLSOrigin),
        ]
        for (key, origin) in origins {
            guard let origin, PageFence.source(origin) != origin || !origin.hasPrefix("https://") else { continue }
            faults.append("platform.\(key): it must be https:// with a host in lower case, and nothing behind it.")
        }
        let hosts = [issuer, hpkiOrigin, jpkiOrigin].compactMap {
            $0?.split(separator: "/").last?.split(separator: ":").first
        }
        if Set(hosts).count != hosts.count {
            faults.append("platform: issuer, hpkiOrigin and jpkiOrigin must be on hosts of their own.")
        }
        if !(1...300).contains(choiceSeconds) {
            faults.append("platform.choice: it must be between 1s and 300s.")
        }
        if !(60...3600).contains(ceremonySeconds) {
            faults.append("platform.ceremony: it must be between 60s and 1h.")
        }
        if Set(clients.map(\.id)).count != clients.count { faults.append("platform.clients: an id comes twice.") }
        return faults
    }
}

extension CardKind {
    /// How a login by such a card is told.
    var method: AuthenticationMethod {
        switch self {
        case .hpki: .hpkiCard
        case .jpki: .jpkiCard
        }
    }

    /// The card that a way to log in needs; nil for another.
    init?(_ method: AuthenticationMethod) {
        switch method {
        case .hpkiCard: self = .hpki
        case .jpkiCard: self = .jpki
        case .passkeyDevice, .passkeySynced: return nil
        }
    }
}
