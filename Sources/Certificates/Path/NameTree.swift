/// Tells whether a name is in the tree that a name constraint gives, form by form (RFC 5280 §4.2.1.10).
enum NameTree {
    enum Place {
        case inside
        case outside
        /// The name or the tree is written in a way that is not understood; it is never permitted, always excluded.
        case unclear
    }

    /// Longer texts are no names of hosts, mailboxes or services, and would be slow to compare.
    private static let lengthLimit = 2048

    /// Where `name` stands to `tree`; both must be of one form, or it is unclear.
    static func place(of name: GeneralName.Form, in tree: GeneralName.Form, isExclusion: Bool) -> Place {
        for form in [name, tree] where form.length > lengthLimit { return .unclear }
        return switch (name, tree) {
        case (.directoryName(let name), .directoryName(let base)):
            name.isWithin(base) ? .inside : .outside
        case (.dNSName(let name?), .dNSName(let base?)):
            placeOfHost(name.lowercased(), in: base.lowercased(), isExclusion)
        case (.rfc822Name(let name?), .rfc822Name(let base?)):
            placeOfAddress(name, in: base, isExclusion)
        case (.uniformResourceIdentifier(let name), .uniformResourceIdentifier(let base)):
            placeOfURI(name, in: base.lowercased(), isExclusion)
        case (.iPAddress(let name), .iPAddress(let base)):
            placeOfIP(name, in: base)
        default: .unclear
        }
    }

    /// True for dot-separated labels of letters, digits, underscores and inner hyphens, at least two of them.
    static func looksLikeHost(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count > 1
            && labels.allSatisfy { label in
                !label.isEmpty && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy {
                        switch $0 {
                        case 0x2D, 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: true
                        default: false
                        }
                    }
            }
    }

    private static func placeOfHost(_ name: String, in base: String, _ isExclusion: Bool) -> Place {
        if base.isEmpty { return .inside }
        guard !name.isEmpty, !name.hasSuffix("."), name.utf8.allSatisfy({ $0 > 0x20 }) else { return .unclear }
        // The leading dot is not in the standard for hosts; it is taken in the sense that refuses more.
        let domain = base.hasPrefix(".") ? String(base.dropFirst()) : base
        if name.hasSuffix("." + domain) { return .inside }
        if name == domain { return isExclusion || domain == base ? .inside : .outside }
        // A wildcard may stand for a host that is excluded.
        if isExclusion, name.hasPrefix("*."), domain.hasSuffix(String(name.dropFirst())) { return .unclear }
        return .outside
    }

    private static func placeOfAddress(_ name: String, in base: String, _ isExclusion: Bool) -> Place {
        if base.isEmpty { return isExclusion ? .inside : .outside }
        // Quoted local parts, which may hold an @, are not taken apart.
        let parts = name.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !name.contains("\""), !name.contains("\\"),
            !parts[1].hasSuffix(".")
        else { return .unclear }
        let host = parts[1].lowercased()
        let wanted = base.split(separator: "@", omittingEmptySubsequences: false)
        switch wanted.count {
        case 1 where base.hasPrefix("."): return host.hasSuffix(base.lowercased()) ? .inside : .outside
        case 1: return host == base.lowercased() ? .inside : .outside
        case 2:
            guard !wanted[0].isEmpty else { return host == wanted[1].lowercased() ? .inside : .outside }
            guard host == wanted[1].lowercased() else { return .outside }
            if parts[0] == wanted[0] { return .inside }
            // The local part's letter case counts by the book, and hardly anywhere else.
            return isExclusion && parts[0].lowercased() == wanted[0].lowercased() ? .unclear : .outside
        default: return .unclear
        }
    }

    private static func placeOfURI(_ name: String, in base: String, _ isExclusion: Bool) -> Place {
        guard let host = host(ofURI: name) else { return .unclear }
        if base.isEmpty { return isExclusion ? .inside : .outside }
        if base.hasPrefix(".") { return host.hasSuffix(base) ? .inside : .outside }
        return host == base ? .inside : .outside
    }

    /// The host of `scheme://user@host:port/…` in small letters; nil where there is none or it is an address.
    private static func host(ofURI uri: String) -> String? {
        guard let colon = uri.firstIndex(of: ":") else { return nil }
        let rest = uri[uri.index(after: colon)...]
        guard rest.hasPrefix("//") else { return nil }
        let authority = rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("["), !authority.contains("\\"), !authority.contains("%") else { return nil }
        let users = authority.split(separator: "@", omittingEmptySubsequences: false)
        guard users.count <= 2, let last = users.last else { return nil }
        let host = last.prefix { $0 != ":" }.lowercased()
        // Whatever ends in a number is an IPv4 address to some reader (WHATWG URL, "ends in a number").
        guard looksLikeHost(host) || isLabel(host), host.split(separator: ".").last?.first?.isNumber == false else {
            return nil
        }
        return host
    }

    private static func isLabel(_ text: String) -> Bool { looksLikeHost(text + ".x") }

    private static func placeOfIP(_ name: [UInt8], in base: [UInt8]) -> Place {
        guard [4, 16].contains(name.count), [8, 32].contains(base.count) else { return .unclear }
        guard base.count == name.count * 2 else { return .outside }
        let mask = base[name.count...]
        // RFC 4632: ones, then zeros.
        var isOver = false
        for octet in mask {
            guard !isOver || octet == 0, (~octet).leadingZeroBitCount + octet.trailingZeroBitCount >= 8
            else { return .unclear }
            isOver = isOver || octet != 0xFF
        }
        for index in name.indices where (name[index] ^ base[index]) & base[name.count + index] != 0 {
            return .outside
        }
        return .inside
    }
}

extension GeneralName.Form {
    /// The bytes of a text; 0 of other forms.
    fileprivate var length: Int {
        switch self {
        case .rfc822Name(let text?), .dNSName(let text?), .uniformResourceIdentifier(let text): text.utf8.count
        default: 0
        }
    }
}
