import HPKI
import Host
import JOSE
import Policies
import YAML

/// A relying system's registration: one YAML file in the folder of clients.
struct OAuthClientFile {
    static let known = [
        "id", "name", "profile", "redirectURIs", "postLogoutRedirectURIs", "backchannelLogoutURI", "authentication",
        "jwks", "certificates", "subjectDN", "audiences", "scopes", "methods", "refreshTokens", "facility", "kind",
        "authorizationDetailTypes",
    ]
    /// The scopes that there are.
    static let scopes = ["openid", "profile", "sign", "credential"]

    /// All clients of the folder, in the order of the files' names, with what is wrong with each; none where there is no
    /// folder.
    static func all(in folder: String, home: Home, audience: String) -> Folder {
        var found = Folder()
        guard let names = try? Files.names(in: folder) else { return found }
        for name in names.sorted() where name.hasSuffix(".yaml") {
            do {
                let node = try YAMLNode.read(try Files.read(folder + "/" + name, atMost: 65_536))
                let client = try client(node, home: home, audience: audience)
                found.clients.append(client)
                if let known = try registration(of: client.id, node) { found.registrations.append(known) }
            } catch { found.faults.append("`platform.clients`: \(name): \(error)") }
        }
        return found
    }

    /// What the files of a folder say.
    struct Folder {
        var clients: [OAuthClient] = []
        /// Those that name the facility they work for, by which the signing policy knows them.
        var registrations: [ClientRegistration] = []
        var faults: [String] = []
    }

    /// The client system as the signing policy knows it; nil where the file names no facility.
    static func registration(of id: ClientID, _ node: YAMLNode) throws -> ClientRegistration? {
        let map = try node.mapping(allowed: known)
        guard let facility = try map["facility"]?.string(atMost: 32) else { return nil }
        return ClientRegistration(
            id: id, facility: facility,
            kind: try map.required("kind").choice(ClientRegistration.FacilityKind.self))
    }

    /// Reads one registration; throws `YAMLError` with the line, or a `CommandError` for a file that it names.
    static func client(_ node: YAMLNode, home: Home, audience: String) throws -> OAuthClient {
        let map = try node.mapping(allowed: known)
        let idNode = try map.required("id")
        guard let id = ClientID(try idNode.string(atMost: 128)) else {
            throw idNode.fault("must be 1 to 128 printable ASCII characters without white space")
        }
        let name = try map["name"]?.mapping(allowed: ["ja", "en"])
        let redirects = try uris("redirectURIs", in: map)
        guard !redirects.isEmpty else { throw node.fault("needs redirectURIs") }
        let logout = try map["backchannelLogoutURI"]?.string(atMost: 2048)
        if let logout, !isWeb(logout) { throw node.fault("backchannelLogoutURI must be an address by https") }
        let scopes = try map["scopes"]?.strings() ?? ["openid", "sign"]
        guard Set(scopes).isSubset(of: Self.scopes) else {
            throw node.fault("has scopes other than \(Self.scopes.joined(separator: ", "))")
        }
        var methods = Set(AuthenticationMethod.allCases)
        if let node = map["methods"] {
            methods = []
            for node in try node.sequence(atMost: 10) { methods.insert(try node.choice(AuthenticationMethod.self)) }
        }
        let types = try map["authorizationDetailTypes"]?.sequence(atMost: 10).map { node in
            try node.choice(CredentialAuthorization.Kind.self).rawValue
        }
        guard !scopes.contains("credential") || types?.contains("credential") ?? false else {
            throw node.fault("has the scope credential without it in authorizationDetailTypes")
        }
        let authentication = try authentication(map, node, home: home)
        return OAuthClient(
            id: id, japaneseName: try name?["ja"]?.string(atMost: 200) ?? id.description,
            englishName: try name?["en"]?.string(atMost: 200) ?? id.description,
            profile: try map["profile"]?.choice(OAuthClient.Profile.self) ?? .strict, authentication: authentication,
            redirectURIs: redirects, postLogoutRedirectURIs: try uris("postLogoutRedirectURIs", in: map),
            backchannelLogoutURI: logout, audiences: try map["audiences"]?.strings() ?? [audience], scopes: scopes,
            authorizationDetailTypes: types ?? [], methods: methods,
            hasRefreshTokens: try map["refreshTokens"]?.boolean() ?? true)
    }

    private static func authentication(
        _ map: YAMLMapping, _ node: YAMLNode, home: Home
    ) throws -> OAuthClient.Authentication {
        switch try map.required("authentication").string() {
        case "none": return .none
        case "private_key_jwt":
            let path = home.resolve(try map.required("jwks").string())
            return .privateKeyJWT(jwks: try Files.read(path, atMost: 65_536))
        case "tls_client_auth": return .tlsClientAuth(subject: try map.required("subjectDN").string(atMost: 1024))
        case "self_signed_tls_client_auth":
            let texts = try map.required("certificates").strings()
            let digests = texts.compactMap { text in
                Hex.decode(text).flatMap { Digest(algorithm: .sha256, bytes: $0) }
            }
            guard !digests.isEmpty, digests.count == texts.count else {
                throw node.fault("certificates must be SHA-256 digests in hexadecimal")
            }
            return .selfSignedTLSClientAuth(digests)
        default:
            throw node.fault(
                "authentication must be private_key_jwt, tls_client_auth, self_signed_tls_client_auth or none")
        }
    }

    /// Addresses without a fragment (RFC 6749 §3.1.2); plain HTTP on loopback alone (RFC 8252 §7.3).
    private static func uris(_ key: String, in map: YAMLMapping) throws -> [String] {
        guard let node = map[key] else { return [] }
        let uris = try node.strings()
        for uri in uris where !isWeb(uri) {
            throw node.fault("has an address that is neither https nor on loopback, or has a fragment: \(uri)")
        }
        return uris
    }

    private static func isWeb(_ uri: String) -> Bool {
        guard (10...2048).contains(uri.utf8.count), uri.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !uri.contains("#"), !uri.contains("*")
        else { return false }
        let host = uri.dropFirst(uri.hasPrefix("https://") ? 8 : 7).prefix { $0 != "/" && $0 != "?" }
        guard !host.isEmpty, !host.contains("@") else { return false }
        if uri.hasPrefix("https://") { return true }
        return uri.hasPrefix("http://")
            && ["127.0.0.1", "[::1]", "localhost"].contains { host == $0 || host.hasPrefix($0 + ":") }
    }
}
