package import HPKI
internal import Synchronization

/// The client systems that the operator registered, as they are now.
package final class Clients: Sendable {
    private let all: Mutex<[ClientID: OAuthClient]>

    /// Knows `clients`, of several with one id the last.
    package init(_ clients: [OAuthClient]) {
        all = Mutex(Self.table(clients))
    }

    /// Knows these from now on.
    package func replace(by clients: [OAuthClient]) {
        let table = Self.table(clients)
        all.withLock { $0 = table }
    }

    /// The client of that id; nil where nobody registered one.
    package subscript(id: ClientID) -> OAuthClient? { all.withLock { $0[id] } }

    /// The client that a parameter names.
    package func named(_ text: String?) -> OAuthClient? { text.flatMap { ClientID($0) }.flatMap { self[$0] } }

    private static func table(_ clients: [OAuthClient]) -> [ClientID: OAuthClient] {
        Dictionary(clients.map { ($0.id, $0) }) { $1 }
    }
}
