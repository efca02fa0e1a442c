/// Object identifiers as people write them: dotted decimal (RFC 4512 §1.4).
package enum ObjectIdentifierText {
    /// Whether the text is an object identifier that can be encoded: 2 to 32 arcs below 2^31, without leading zeros.
    package static func isValid(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (2...32).contains(parts.count) else { return false }
        let arcs = parts.compactMap { part -> UInt32? in
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), part == "0" || !part.hasPrefix("0") else {
                return nil
            }
            return UInt32(part).flatMap { $0 < 1 << 31 ? $0 : nil }
        }
        return arcs.count == parts.count && arcs[0] <= 2 && (arcs[0] == 2 || arcs[1] < 40)
    }
}
