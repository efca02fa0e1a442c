/// Where revocation data may come from, and how long it is kept.
package struct RevocationSettings: Sendable, Hashable {
    /// What an address must begin with to be asked; empty for every address that a certificate names.
    package var prefixes: [String] = []
    /// Seconds after which a list or answer that still holds is asked for again.
    package var refreshSeconds: Int64 = 3600
    /// Seconds for which an address that gave nothing is left alone.
    package var retrySeconds: Int64 = 60
    /// Seconds that one exchange may take.
    package var timeoutSeconds = 20
    /// The folder in which fetched lists are kept as they stood.
    package var folder: String
    /// The most bytes that all kept lists may have together, but for the newest of each authority.
    package var keptBytes = 4 << 30

    /// The settings that hold where nothing is configured.
    package init(folder: String) {
        self.folder = folder
    }

    /// Whether the address may be asked: over HTTP, and below a prefix where there are any.
    func permits(_ address: String) -> Bool {
        let lower = address.lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else { return false }
        return prefixes.isEmpty || prefixes.contains { address.hasPrefix($0) }
    }
}
