/// An IPv4 or IPv6 address from its text, to be judged by where it belongs (RFC 4291 §2.2, RFC 6890).
struct InternetAddress: Sendable, Hashable {
    /// 4 or 16 bytes in network order.
    let bytes: [UInt8]

    var isIPv6: Bool { bytes.count == 16 }

    init?(_ text: String) {
        guard let bytes = text.contains(":") ? Self.readIPv6(text[...]) : Self.readIPv4(text[...]) else { return nil }
        self.bytes = bytes
    }

    /// Whether the address belongs to the public Internet; false for every special range that we know of.
    var isPublic: Bool {
        if bytes.count == 4 { return Self.isPublicIPv4(bytes) }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        let last = Array(bytes[12...])
        // IPv4 inside IPv6: compatible, mapped, translated (RFC 6052), 6to4; Teredo is never public here.
        if groups[0..<5].allSatisfy({ $0 == 0 }), groups[5] == 0 || groups[5] == 0xFFFF {
            return Self.isPublicIPv4(last)
        }
        if groups[0] == 0x64, groups[1] == 0xFF9B { return groups[2] == 0 && Self.isPublicIPv4(last) }
        if groups[0] == 0x2002 { return Self.isPublicIPv4(Array(bytes[2..<6])) }
        if groups[0] == 0x2001, groups[1] < 0x0200 || groups[1] == 0x0DB8 { return false }
        // Global unicast only: neither unique local fc00::/7, link-local fe80::/10, nor multicast ff00::/8.
        return groups[0] & 0xE000 == 0x2000
    }

    private static func isPublicIPv4(_ part: [UInt8]) -> Bool {
        switch (part[0], part[1], part[2]) {
        case (0, _, _), (10, _, _), (127, _, _), (169, 254, _), (172, 16...31, _), (192, 168, _): false
        case (100, 64...127, _), (192, 0, 0), (192, 0, 2), (192, 88, 99), (198, 18...19, _): false
        case (198, 51, 100), (203, 0, 113), (224...255, _, _): false
        default: true
        }
    }

    private static func readIPv4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part -> UInt8? in
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), part == "0" || !part.hasPrefix("0") else {
                return nil
            }
            return UInt8(part)
        }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private static func readIPv6(_ text: Substring) -> [UInt8]? {
        // `::` splits the text into what stands before and behind the zeros.
        let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count), let head = readGroups(halves[0], isLast: halves.count == 1) else {
            return nil
        }
        guard halves.count == 2 else { return head.count == 16 ? head : nil }
        guard let tail = readGroups(halves[1], isLast: true), head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func readGroups(_ text: Substring, isLast: Bool) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if isLast, index == parts.count - 1, part.contains(".") {
                guard let address = readIPv4(part) else { return nil }
                bytes += address
            } else {
                guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
            }
        }
        return bytes.count <= 16 ? bytes : nil
    }
}
