import Core
import HPKI
import YAML

// What the file says of authorities and keys.
extension Reading {
    mutating func authority(_ node: YAMLNode) -> Configuration.Authority? {
        guard let map = node.mapping(allowed: ["name", "clientCertificates", "issuers", "roles"], faults: &faults)
        else { return nil }
        let name = required("name", in: map, or: nil) { (node) throws(YAMLError) -> AuthorityID? in
            guard let name = AuthorityID(try node.string(atMost: 64)) else {
                throw node.fault("must be 1 to 64 printable ASCII characters without white space")
            }
            return name
        }
        let home = home
        func files(_ key: String, _ reading: inout Reading) -> [String] {
            reading.required(key, in: map, or: []) { (node) throws(YAMLError) in try node.strings().map(home.resolve) }
        }
        let clients = files("clientCertificates", &self)
        let issuers = files("issuers", &self)
        let roles = required("roles", in: map, or: []) { (node) throws(YAMLError) in try node.strings() }
        return name.map {
            Configuration.Authority(name: $0, clientCertificates: clients, issuers: issuers, roles: roles)
        }
    }

    mutating func keys(_ node: YAMLNode?) -> Configuration.Keys {
        let map = node?.mapping(allowed: ["mode", "offered", "spares", "cache", "roles"], faults: &faults)
        let spares = number("spares", in: map, or: 0, 0...10_000)
        let offers = optional("offered", in: map, or: [RegistrationSettings.Offer.usual(spares)]) {
            (node) throws(YAMLError) in
            var offers: [RegistrationSettings.Offer] = []
            for node in try node.sequence(atMost: 5) {
                guard let offer = Self.offer(try node.string(atMost: 64), spares) else {
                    throw node.fault(
                        "must be one of \(KeyType.allCases.map(\.rawValue).joined(separator: ", ")), and may end with -pss"
                    )
                }
                guard !offers.contains(where: { $0.keyType == offer.keyType }) else {
                    throw node.fault("comes twice")
                }
                offers.append(offer)
            }
            guard !offers.isEmpty else { throw node.fault("must have at least one entry") }
            return offers
        }
        let cache = map?["cache"]?.mapping(allowed: ["size", "lifetime"], faults: &faults)
        return Configuration.Keys(
            mode: optional("mode", in: map, or: .wrapped) { (node) throws(YAMLError) in
                try node.choice(RegistrationSettings.Mode.self)
            },
            offers: offers,
            cacheSize: number("size", in: cache, or: 512, 0...100_000),
            cacheSeconds: duration("lifetime", in: cache, or: 300, 1...86_400),
            roles: optional("roles", in: map, or: Configuration.Keys.usualRoles) { (node) throws(YAMLError) in
                try node.strings()
            }
        )
    }

    /// `rsa-2048` signs by PKCS#1 v1.5, `rsa-2048-pss` by PSS.
    private static func offer(_ text: String, _ spares: Int) -> RegistrationSettings.Offer? {
        let isPSS = text.hasSuffix("-pss")
        guard let keyType = KeyType(rawValue: isPSS ? String(text.dropLast(4)) : text),
            let algorithm = keyType.algorithms.first(where: { ($0.family == .rsaPSS) == isPSS })
        else { return nil }
        return RegistrationSettings.Offer(keyType: keyType, algorithm: algorithm, spares: spares)
    }
}

extension RegistrationSettings.Offer {
    /// Today's key of the HPKI.
    fileprivate static func usual(_ spares: Int) -> Self {
        Self(keyType: .rsa2048, algorithm: .rsaPKCS1SHA256, spares: spares)
    }
}

extension Configuration.Keys {
    /// The qualifications of the HPKI as far as certificates or the authorities' guides show them; an operator's list
    /// replaces these.
    fileprivate static let usualRoles = [
        "Medical Doctor", "Dentist", "Pharmacist", "General Nurse", "Director of Hospital", "Director of Clinic",
    ]
}
