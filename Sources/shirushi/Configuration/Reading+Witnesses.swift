import Transparency
import YAML

extension Configuration {
    /// Who cosigns the log's checkpoints (C2SP tlog-witness).
    struct Witnesses: Sendable {
        struct Server: Sendable {
            /// The submission prefix, without a slash at its end.
            var url: String
            var key: NoteKey
        }

        var servers: [Server] = []
        /// Seconds from one round to the next.
        var everySeconds: Int64 = 60
        /// Whether they may have private addresses.
        var arePrivate = false

        /// What the check of a configuration says of them.
        var words: String {
            guard !servers.isEmpty else {
                return "none: only a checkpoint kept elsewhere shows a rollback of everything"
            }
            return servers.map { "\($0.key.name) at \($0.url)" }.joined(separator: ", ") + ", every \(everySeconds) s"
        }
    }
}

// What the file says of witnesses.
extension Reading {
    mutating func witnesses(_ node: YAMLNode?) -> Configuration.Witnesses {
        var witnesses = Configuration.Witnesses()
        let known = ["servers", "every", "allowPrivateAddresses"]
        guard let map = node?.mapping(allowed: known, faults: &faults) else { return witnesses }
        witnesses.servers = list("servers", in: map) { $0.witness($1) }
        witnesses.everySeconds = duration("every", in: map, or: witnesses.everySeconds, 1...86_400)
        witnesses.arePrivate = flag("allowPrivateAddresses", in: map)
        return witnesses
    }

    private mutating func witness(_ node: YAMLNode) -> Configuration.Witnesses.Server? {
        guard let map = node.mapping(allowed: ["url", "key"], faults: &faults) else { return nil }
        let url = text("url", in: map, or: "https://-", atMost: 2048)
        let key: NoteKey? = required("key", in: map, or: nil) { (node) throws(YAMLError) in
            let text = try node.string()
            guard !text.contains("<") else { throw node.unfilled }
            guard let key = try? NoteKey(text), key.kind == .cosignature, key.name.utf8.count <= 100 else {
                throw node.fault(
                    "must be a witness's key, as shirushi witness show prints it: name+id+Base64, the name at most 100 bytes"
                )
            }
            return key
        }
        return key.map { Configuration.Witnesses.Server(url: url, key: $0) }
    }
}

extension Configuration {
    /// What of the witnesses cannot work.
    var witnessFaults: [String] {
        var faults: [String] = []
        if Set(witnesses.servers.map(\.key)).count != witnesses.servers.count {
            faults.append("`witnesses.servers` has one key twice")
        }
        if witnesses.servers.count > 16 { faults.append("`witnesses.servers` has more than 16") }
        for server in witnesses.servers where !Self.isWeb(server.url) || server.url.hasSuffix("/") {
            faults.append(
                "`witnesses.servers`: the url of \(server.key.name) must begin with https:// or http:// and not end in /"
            )
        }
        return faults
    }
}
