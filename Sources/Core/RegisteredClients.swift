import HPKI
import Policies
import Synchronization

/// The client systems whose facility the policy and the console know, as they are now.
final class RegisteredClients: Sendable {
    private let known: Mutex<[ClientID: ClientRegistration]>

    /// Knows `clients`, of several with one id the first.
    init(_ clients: [ClientRegistration]) {
        known = Mutex(Self.table(clients))
    }

    subscript(id: ClientID) -> ClientRegistration? { known.withLock { $0[id] } }

    var table: [ClientID: ClientRegistration] { known.withLock { $0 } }

    /// Knows these from now on.
    func replace(by clients: [ClientRegistration]) {
        let table = Self.table(clients)
        known.withLock { $0 = table }
    }

    static func table(_ clients: [ClientRegistration]) -> [ClientID: ClientRegistration] {
        Dictionary(clients.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
