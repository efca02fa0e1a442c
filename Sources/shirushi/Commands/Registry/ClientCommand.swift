import ArgumentParser
import HPKI
import Host
import JOSE
import YAML

/// `shirushi client`: the relying systems that may ask the authentication platform for logins.
struct ClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client",
        abstract: "Register the relying systems of the authentication platform.",
        discussion: """
            Each is one file in platform/clients, which may also be written by hand
            (docs/authentication.md has its keys). They are read when the instance starts.

            EXAMPLES
              shirushi client add clinic --home ./var/home --name-ja 医院 \\
                  --name-en Clinic --redirect-uri https://rp.example/callback \\
                  --jwks clinic.jwks.json
              shirushi client list --home ./var/home
              shirushi client remove clinic --home ./var/home
            """,
        subcommands: [Add.self, List.self, Show.self, Remove.self]
    )

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a relying system.",
            discussion: """
                Without --jwks the client is public: it proves nothing, and its tokens
                are bound to its DPoP key. --plain is for relying parties that know code
                and PKCE alone.

                EXAMPLES
                  shirushi client add clinic --home ./var/home \\
                      --redirect-uri https://rp.example/callback \\
                      --jwks clinic.jwks.json --facility 1310000001 --kind medical
                  shirushi client add portal --home ./var/home --plain \\
                      --redirect-uri https://rp.example/callback \\
                      --backchannel-logout-uri https://rp.example/logout
                """
        )

        @OptionGroup var home: HomeOption
        @Argument(help: "The client_id.") var client: ClientID
        @Option(name: .customLong("name-ja"), help: "The name that users read, in Japanese.") var nameJa: String?
        @Option(name: .customLong("name-en"), help: "The name that users read, in English.") var nameEn: String?
        @Option(name: .customLong("redirect-uri"), help: "Where codes are sent; may be repeated.")
        var redirectURIs: [String]
        @Option(name: .customLong("post-logout-redirect-uri"), help: "Where a logout may lead; may be repeated.")
        var postLogoutRedirectURIs: [String] = []
        @Option(name: .customLong("backchannel-logout-uri"), help: "Where ends of sessions are told.")
        var backchannelLogoutURI: String?
        @Option(help: "The file of the client's public keys (a JWK Set), which is copied.") var jwks: String?
        @Option(name: .customLong("scope"), help: "A scope that it may ask for; may be repeated (openid and sign).")
        var scopes: [String] = ["openid", "sign"]
        @Option(help: "The code of the facility that it signs for.") var facility: String?
        @Option(help: "The facility's kind, medical or pharmacy.") var kind: String?
        @Flag(help: "Code and PKCE alone, with bearer tokens.") var plain = false

        func run() async throws {
            let home = home.home
            try home.mustExist()
            let folder = try ClientCommand.folder(home)
            try Files.makeFolder(folder)
            let stem = Hex.encode(Array(Digest(of: Array(client.description.utf8)).bytes.prefix(8)))
            let path = "\(folder)/\(stem).yaml"
            guard !Files.exists(path) else {
                throw CommandError("\(client) is registered already; remove it first: shirushi client remove \(client)")
            }
            var lines = ["id: \(Self.quoted(client.description))", "profile: \(plain ? "plain" : "strict")"]
            if nameJa != nil || nameEn != nil {
                lines.append("name:")
                if let nameJa { lines.append("  ja: \(Self.quoted(nameJa))") }
                if let nameEn { lines.append("  en: \(Self.quoted(nameEn))") }
            }
            lines.append("authentication: \(jwks == nil ? "none" : "private_key_jwt")")
            var keys: [UInt8]?
            if let jwks {
                keys = try Files.read(Paths.absolute(jwks), atMost: 65_536)
                // Below the home by the way from there, so that the home may be moved or restored elsewhere.
                let path = "\(folder)/\(stem).jwks.json"
                let prefix = home.path + "/"
                lines.append(
                    "jwks: \(Self.quoted(path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path))")
            }
            lines += Self.list("redirectURIs", redirectURIs)
            if !postLogoutRedirectURIs.isEmpty { lines += Self.list("postLogoutRedirectURIs", postLogoutRedirectURIs) }
            if let uri = backchannelLogoutURI { lines.append("backchannelLogoutURI: \(Self.quoted(uri))") }
            lines += Self.list("scopes", scopes)
            if let facility { lines.append("facility: \(Self.quoted(facility))") }
            if let kind { lines.append("kind: \(Self.quoted(kind))") }
            let text = Array((lines.joined(separator: "\n") + "\n").utf8)
            if let keys { try Files.write(keys, to: "\(folder)/\(stem).jwks.json") }
            do {
                let node = try YAMLNode.read(text)
                _ = try OAuthClientFile.client(node, home: home, audience: "https://-")
                _ = try OAuthClientFile.registration(of: client, node)
                if let keys { _ = try await JWKSet(keys) }
            } catch {
                if keys != nil { try? Files.remove("\(folder)/\(stem).jwks.json") }
                throw CommandError("the client cannot be registered: \(error)")
            }
            try Files.write(text, to: path, replacing: false)
            print("registered \(client) in \(path); a running instance lets it in within seconds")
        }

        private static func list(_ key: String, _ values: [String]) -> [String] {
            ["\(key):"] + values.map { "  - \(quoted($0))" }
        }

        /// A double-quoted scalar of YAML.
        private static func quoted(_ text: String) -> String {
            let escaped = text.unicodeScalars.map { scalar in
                switch scalar {
                case "\"": "\\\""
                case "\\": "\\\\"
                case _ where scalar.value < 0x20 || scalar.value == 0x7F: " "
                default: String(scalar)
                }
            }
            return "\"\(escaped.joined())\""
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the relying systems.",
            discussion: """
                EXAMPLE
                  shirushi client list --home ./var/home
                """
        )

        @OptionGroup var home: HomeOption

        func run() async throws {
            for client in try ClientCommand.clients(home.home) {
                print("\(client.id)  \(client.profile.rawValue)  \(client.authentication.name)  \(client.japaneseName)")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one relying system.",
            discussion: """
                EXAMPLE
                  shirushi client show clinic --home ./var/home
                """
        )

        @OptionGroup var home: HomeOption
        @Argument(help: "The client_id.") var client: ClientID

        func run() async throws {
            guard let found = try ClientCommand.clients(home.home).first(where: { $0.id == client }) else {
                throw CommandError("no client \(client) is registered; see: shirushi client list")
            }
            print(
                """
                client:          \(found.id)
                names:           \(found.japaneseName), \(found.englishName)
                profile:         \(found.profile.rawValue)
                authentication:  \(found.authentication.name)
                redirect URIs:   \(found.redirectURIs.joined(separator: " "))
                after logout:    \(found.postLogoutRedirectURIs.joined(separator: " "))
                told of ends at: \(found.backchannelLogoutURI ?? "nowhere")
                audiences:       \(found.audiences.joined(separator: " "))
                scopes:          \(found.scopes.joined(separator: " "))
                methods:         \(found.methods.map(\.rawValue).sorted().joined(separator: " "))
                refresh tokens:  \(found.hasRefreshTokens ? "yes" : "no")
                """)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a relying system in no more.",
            discussion: """
                EXAMPLE
                  shirushi client remove clinic --home ./var/home
                """
        )

        @OptionGroup var home: HomeOption
        @Argument(help: "The client_id.") var client: ClientID

        func run() async throws {
            let home = home.home
            try home.mustExist()
            let folder = try ClientCommand.folder(home)
            for name in (try? Files.names(in: folder)) ?? [] where name.hasSuffix(".yaml") {
                let path = "\(folder)/\(name)"
                let found = try? OAuthClientFile.client(
                    try YAMLNode.read(try Files.read(path, atMost: 65_536)), home: home, audience: "https://-")
                guard found?.id == client else { continue }
                try Files.remove(path)
                let keys = path.dropLast(".yaml".count) + ".jwks.json"
                if Files.exists(String(keys)) { try Files.remove(String(keys)) }
                print("removed \(path); a running instance shuts \(client) out within seconds")
                return
            }
            throw CommandError("no client \(client) is registered; see: shirushi client list")
        }
    }

    private static func folder(_ home: Home) throws -> String {
        guard let platform = try Configuration.read(home).platform else {
            throw CommandError("\(home.path) is no authentication platform: shirushi.yaml has no `platform`")
        }
        return platform.clientFolder
    }

    private static func clients(_ home: Home) throws -> [OAuthClient] {
        guard let platform = try Configuration.read(home).platform else {
            throw CommandError("\(home.path) is no authentication platform: shirushi.yaml has no `platform`")
        }
        return platform.clients
    }
}
