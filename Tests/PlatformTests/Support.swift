import CoreProtocol
import HPKI
import Platform
import Synchronization

func made<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("a test's identifier is none") }
    return value
}

/// A clock that a test moves, in nanoseconds.
final class TestClock: Sendable {
    let nanoseconds = Mutex<UInt64>(1_000_000_000_000)

    var now: @Sendable () -> UInt64 { { self.nanoseconds.withLock { $0 } } }

    func pass(seconds: UInt64) { nanoseconds.withLock { $0 += seconds * 1_000_000_000 } }
}

/// Random bytes that never come twice.
func counting() -> Random {
    let count = Counter()
    return Random { length in
        let number = count.value.withLock { value in
            value += 1
            return value
        }
        return (0..<length).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0 % 8))) }
    }
}

private final class Counter: Sendable {
    let value = Mutex<UInt64>(0)
}

extension OAuthClient {
    static let plain = OAuthClient(
        id: made(ClientID("plain")), japaneseName: "診療所", englishName: "Clinic", profile: .plain,
        authentication: .none, redirectURIs: ["https://rp.example/cb", "http://127.0.0.1/cb"],
        postLogoutRedirectURIs: ["https://rp.example/bye"], audiences: ["https://sign.example"],
        scopes: ["openid", "sign"])
}

/// The parameters of a request of the plain client, changed by `changes`; nil takes one away.
func query(_ changes: [String: String?] = [:]) -> String {
    var all: [String: String?] = [
        "response_type": "code", "client_id": "plain", "redirect_uri": "https://rp.example/cb", "scope": "openid",
        "state": "s-1", "code_challenge": Base64URL.encode(Digest(of: [1]).bytes), "code_challenge_method": "S256",
    ]
    for (name, value) in changes { all[name] = .some(value) }
    return PercentEncoding.query(all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
}

func request(_ changes: [String: String?] = [:], isPushed: Bool = false) throws -> AuthorizationRequest {
    try AuthorizationRequest(try Parameters(query(changes)), of: .plain, isPushed: isPushed)
}

/// A session of `holder`, opened at `seconds`.
func session(
    _ holder: String = "doctor-1", id: String = "sid", method: AuthenticationMethod = .hpkiCard,
    at seconds: Int64 = 1_700_000_000
) -> SessionFacts {
    SessionFacts(
        id: id, holder: made(HolderID(holder)), method: method, authenticatedAt: Instant(seconds: seconds),
        endsAt: Instant(seconds: seconds + 64_800), clients: [], isCurrent: true)
}
