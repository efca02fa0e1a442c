/// A URL of the narrow kind that every parser reads alike.
///
/// `http` and `https` with a plain host: no user, no fragment, no back slash, no white space, so that what is judged
/// here and what the client connects to cannot differ. `file` with an absolute path, as it is written.
struct OutboundURL: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case http
        case https
        case file(path: String)
    }

    let kind: Kind
    /// The URL as given, its scheme and authority in lower case.
    let text: String
    /// The host in lower case, an IPv6 address without its brackets; empty for `file`.
    let host: String

    init(_ text: String) throws(OutboundError) {
        guard (1...2048).contains(text.utf8.count) else { throw .badURL("its length") }
        // A file's path is taken byte for byte and by us alone.
        if text.lowercased().hasPrefix("file:///") {
            guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { throw .badURL("a control character") }
            (kind, host, self.text) = (.file(path: String(text.dropFirst(7))), "", text)
            return
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}#".utf8.contains($0) }) else {
            throw .badURL("a character that URLs do not have, or a fragment")
        }
        let lower = text.lowercased()
        if lower.hasPrefix("https://") {
            kind = .https
        } else if lower.hasPrefix("http://") {
            kind = .http
        } else {
            throw .refusedAddress("a scheme other than https, http and file")
        }
        let rest = text.dropFirst(kind == .https ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        host = try Self.host(of: authority)
        // The pinned address is looked up by the host's very letters.
        self.text = (kind == .https ? "https://" : "http://") + authority.lowercased() + rest.dropFirst(authority.count)
    }

    private static func host(of authority: Substring) throws(OutboundError) -> String {
        let host: Substring
        let port: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw .badURL("an address without its bracket") }
            host = authority[authority.index(after: authority.startIndex)..<end]
            port = authority[authority.index(after: end)...]
            guard InternetAddress(String(host))?.isIPv6 == true else { throw .badURL("its IPv6 address") }
        } else {
            host = authority.prefix { $0 != ":" }
            port = authority.dropFirst(host.count)
            let letters = host.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2D || byte == 0x2E
            }
            guard letters, (1...253).contains(host.utf8.count), !host.hasPrefix("."), !host.hasPrefix("-") else {
                throw .badURL("its host")
            }
        }
        guard port.isEmpty || (port.hasPrefix(":") && (UInt16(port.dropFirst()) ?? 0) > 0 && !port.contains("+")) else {
            throw .badURL("its port")
        }
        return host.lowercased()
    }

    /// The target of a redirect: a URL of the same scheme, or an absolute path on the same server.
    func redirected(to location: String) throws(OutboundError) -> OutboundURL {
        if location.hasPrefix("/"), !location.hasPrefix("//") {
            let start = text.utf8.count - text.dropFirst(kind == .https ? 8 : 7).utf8.count
            let authority = text.dropFirst(start).prefix { $0 != "/" && $0 != "?" }
            return try OutboundURL("\(text.prefix(start))\(authority)\(location)")
        }
        let target = try OutboundURL(location)
        guard target.kind == kind else { throw .refusedAddress("a redirect to another scheme") }
        return target
    }
}
