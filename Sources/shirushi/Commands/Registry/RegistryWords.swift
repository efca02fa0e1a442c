import ArgumentParser
import CoreProtocol
import HPKI
import Web

// What a command line says of the registry, and how its answers read.

extension HolderID: ExpressibleByArgument {
    /// An identifier as typed.
    package init?(argument: String) { self.init(argument) }
}

extension CredentialID: ExpressibleByArgument {
    /// An identifier as typed.
    package init?(argument: String) { self.init(argument) }
}

extension ClientID: ExpressibleByArgument {
    init?(argument: String) { self.init(argument) }
}

extension KeyType: ExpressibleByArgument {}

extension RevocationReason: ExpressibleByArgument {
    /// A reason by its name in RFC 5280 §5.3.1.
    package init?(argument: String) {
        guard let reason = RegistrationFile.reason(argument) else { return nil }
        self = reason
    }

    /// The names that are taken.
    package static var allValueStrings: [String] { allCases.filter { $0 != .removeFromCRL }.map(\.name) }
}

extension RegistrationReply {
    /// The answer for people.
    var text: String {
        switch self {
        case .holder(let facts): facts.text
        case .holders(let holders, _): holders.map(\.line).joined(separator: "\n")
        case .credential(let facts): facts.text
        case .credentials(let credentials, _): credentials.map(\.line).joined(separator: "\n")
        case .certificationRequest(let request): Base64.encode(request)
        case .revocationList(let facts):
            """
            list of \(facts.issuer): \(facts.entries) entries, issued \(facts.thisUpdate.rfc3339 ?? "at no known time"), \
            next \(facts.nextUpdate?.rfc3339 ?? "not said")
            revoked by it here: \(facts.revoked.isEmpty ? "none" : facts.revoked.map(\.description).joined(separator: " "))
            """
        case .importJob(let facts):
            "import \(facts.name): \(facts.done) of \(facts.total) rows done, \(facts.failed) of them failed"
        case .importRows(let rows): rows.map(\.line).joined(separator: "\n")
        }
    }
}

extension HolderFacts {
    fileprivate var text: String {
        let numbers = record.registerNumbers.map { "\($0.register) \($0.number)" }
        return """
            holder:     \(record.id) (\(isEnabled ? "enabled" : "disabled"))
            name:       \(record.romajiName) \(record.japaneseName)
            roles:      \(record.roles.map(\.description).joined(separator: ", "))
            registers:  \(numbers.joined(separator: ", "))
            """
    }

    fileprivate var line: String {
        let roles = record.roles.map(\.description).joined(separator: ", ")
        return "\(record.id)  \(isEnabled ? "enabled" : "disabled")  \(record.japaneseName)  \(roles)"
    }
}

extension CredentialFacts {
    fileprivate var text: String {
        var lines = [
            "credential: \(id) of \(holder)",
            "state:      \(state.rawValue)\(reason.map { " (\($0.name))" } ?? "") since \(changedAt.rfc3339 ?? "")",
            "key:        \(keyType.rawValue), \(custody)",
        ]
        if let certificate { lines.append("certificate: SHA-256 \(Digest(of: certificate).hex)") }
        if let takesOverAt { lines.append("takes over: \(takesOverAt.rfc3339 ?? "")") }
        if let replaces { lines.append("replaces:   \(replaces)") }
        return lines.joined(separator: "\n")
    }

    fileprivate var line: String {
        "\(id)  \(holder)  \(state.rawValue)\(reason.map { " (\($0.name))" } ?? "")  \(keyType.rawValue)  \(custody)"
    }
}

extension ImportRowFacts {
    fileprivate var line: String {
        let credential = credential.map { " \($0)" } ?? ""
        return "row \(row)  \(holder)\(credential)  \(RegistrationFile.outcome(self))\(detail.map { ": \($0)" } ?? "")"
    }
}
