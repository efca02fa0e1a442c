import Evidence
import HPKI
import Signing
import YAML

// What the file says of time stamps and revocation data.
extension Reading {
    mutating func evidence(_ root: YAMLMapping) -> Configuration.Evidence {
        let stamps = root["timestamps"]?.mapping(
            allowed: ["authorities", "allowPrivateAddresses", "maximumAccuracy", "perClientMinute"], faults: &faults)
        let data = root["revocation"]?.mapping(
            allowed: [
                "prefixes", "allowPrivateAddresses", "refresh", "retry", "timeoutSeconds", "keptMegabytes",
            ], faults: &faults)
        let development = root["development"]?.mapping(allowed: ["port"], faults: &faults)
        var timestamps = TimeStampSettings()
        if let stamps { timestamps.authorities = list("authorities", in: stamps) { $0.timeStampAuthority($1) } }
        timestamps.maximumAccuracyMicroseconds = optional("maximumAccuracy", in: stamps, or: nil) {
            (node) throws(YAMLError) -> Int64? in Int64(try node.duration(in: 1...86_400)) * 1_000_000
        }
        var revocation = RevocationSettings(folder: home.seenLists)
        revocation.prefixes = optional("prefixes", in: data, or: []) { (node) throws(YAMLError) in
            try node.strings()
        }
        revocation.refreshSeconds = duration("refresh", in: data, or: revocation.refreshSeconds, 1...86_400)
        revocation.retrySeconds = duration("retry", in: data, or: revocation.retrySeconds, 1...3600)
        revocation.timeoutSeconds = number("timeoutSeconds", in: data, or: revocation.timeoutSeconds, 1...600)
        revocation.keptBytes = number("keptMegabytes", in: data, or: revocation.keptBytes >> 20, 64...1_048_576) << 20
        return Configuration.Evidence(
            timestamps: timestamps,
            timestampsPerClientMinute: number("perClientMinute", in: stamps, or: 600, 0...1_000_000),
            timestampsArePrivate: flag("allowPrivateAddresses", in: stamps),
            revocation: revocation,
            revocationIsPrivate: flag("allowPrivateAddresses", in: data),
            developmentPort: development.map { map in
                required("port", in: map, or: 0) { (node) throws(YAMLError) in try node.integer(in: 1...65_535) }
            }
        )
    }

    private mutating func timeStampAuthority(_ node: YAMLNode) -> TimeStampSettings.Authority? {
        let known = ["name", "url", "policies", "timeoutSeconds"]
        guard let map = node.mapping(allowed: known, faults: &faults) else { return nil }
        return TimeStampSettings.Authority(
            name: text("name", in: map, or: "line \(node.line)", atMost: 64),
            url: text("url", in: map, or: "https://-", atMost: 2048),
            policies: optional("policies", in: map, or: []) { (node) throws(YAMLError) in
                let policies = try node.strings()
                guard policies.allSatisfy(ObjectIdentifierText.isValid) else {
                    throw node.fault("must be object identifiers in dotted decimal")
                }
                return Set(policies)
            },
            timeoutSeconds: number("timeoutSeconds", in: map, or: 5, 1...60)
        )
    }
}

extension Configuration {
    /// What of the keys for time stamps and revocation data is unsafe or cannot work.
    var evidenceFaults: [String] {
        var faults: [String] = []
        let authorities = evidence.timestamps.authorities
        if Set(authorities.map(\.name)).count != authorities.count {
            faults.append("`timestamps.authorities` names one authority twice")
        }
        for authority in authorities where !Self.isWeb(authority.url) {
            faults.append("`timestamps.authorities`: the url of \(authority.name) must begin with https:// or http://")
        }
        if authorities.reduce(0, { $0 + $1.timeoutSeconds }) > 60 {
            faults.append("`timestamps.authorities`: their timeoutSeconds together are more than a minute")
        }
        if (1..<TimeStampRate.orderMost).contains(evidence.timestampsPerClientMinute) {
            faults.append(
                "`timestamps.perClientMinute` must be 0 or at least \(TimeStampRate.orderMost): one order may need so many"
            )
        }
        for prefix in evidence.revocation.prefixes {
            // Without the slash behind the host, another host's name could begin so.
            guard Self.isWeb(prefix), prefix.split(separator: "/", omittingEmptySubsequences: false).count > 3 else {
                faults.append("`revocation.prefixes`: \(prefix) must be http://host/ or https://host/, and may go on")
                continue
            }
        }
        return faults
    }

    /// Whether a text may be the address of a server.
    static func isWeb(_ text: String) -> Bool { text.hasPrefix("https://") || text.hasPrefix("http://") }
}
