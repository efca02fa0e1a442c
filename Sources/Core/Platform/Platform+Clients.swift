import Audit
import HPKI
import Logging

// Client systems whose files change while core serves.
extension Platform {
    private static let everySeconds = 5
    /// Names of each kind of change that a record holds.
    private static let names = 5

    /// Follows the clients' files until its task is cancelled; what is at fault changes nothing.
    func followClients(
        _ read: @Sendable () throws -> PlatformSettings.Registered, _ logger: Logger
    ) async {
        var complaint = ""
        while (try? await Task.sleep(for: .seconds(Self.everySeconds))) != nil {
            do {
                try await take(try read())
                complaint = ""
            } catch {
                guard "\(error)" != complaint else { continue }
                complaint = "\(error)"
                logger.warning("the clients stay as they were", metadata: ["cause": "\(error)"])
            }
        }
    }

    /// Recorded before it counts.
    private func take(_ registered: PlatformSettings.Registered) async throws {
        let (before, after) = (clients.table, ClientAuthentication.table(registered.clients))
        let (old, new) = (facilities.table, RegisteredClients.table(registered.registrations))
        guard before != after || old != new else { return }
        let next = try await clients.prepared(registered.clients)
        let ids = Set(before.keys).union(after.keys).union(old.keys).union(new.keys)
        let changed = ids.filter { before[$0] != after[$0] || old[$0] != new[$0] }
        let added = changed.filter { before[$0] == nil && old[$0] == nil }
        let removed = changed.filter { after[$0] == nil && new[$0] == nil }
        let parts = [
            ("added", added), ("removed", removed), ("changed", changed.subtracting(added).subtracting(removed)),
        ].filter { !$0.1.isEmpty }
            .map { word, ids in
                let shown = ids.map(\.description).sorted().prefix(Self.names).joined(separator: " ")
                return "\(word) \(shown)" + (ids.count > Self.names ? " and \(ids.count - Self.names) more" : "")
            }
        try await log.recordEvent(.configuration, note: "clients: " + parts.joined(separator: ", "))
        clients.take(next)
        facilities.replace(by: registered.registrations)
    }
}
