import Foundation
import HPKI
import Identity
import JOSE
import Storage
import Synchronization

/// A clock that its test sets.
final class TestClock: Sendable {
    private let time: Mutex<Instant>

    init(_ time: Instant) { self.time = Mutex(time) }

    func advance(seconds: Int64) { time.withLock { $0 = $0.adding(seconds: seconds) } }

    func set(_ instant: Instant) { time.withLock { $0 = instant } }

    var wall: WallClock { WallClock { self.time.withLock { $0 } } }
}

/// An issuer's address, which a test may change, or take away.
final class JWKSServer: Sendable {
    struct Down: Error {}
    private let state: Mutex<(keys: [UInt8]?, fetches: [String])>

    init(_ keys: [UInt8]?) { state = Mutex((keys, [])) }

    func serve(_ keys: [UInt8]?) { state.withLock { $0.keys = keys } }

    var fetches: Int { state.withLock { $0.fetches.count } }

    /// Waits until the address was asked `count` times and has had the time to answer.
    func hasFetched(_ count: Int) async throws {
        while fetches < count { try await Task.sleep(for: .milliseconds(2)) }
        try await Task.sleep(for: .milliseconds(50))
    }

    @Sendable func fetch(_ address: String) async throws -> [UInt8] {
        let keys = state.withLock { state in
            state.fetches.append(address)
            return state.keys
        }
        guard let keys else { throw Down() }
        return keys
    }
}

/// An issuer with its keys, a registry with two holders, and what judges its tokens.
struct World {
    static let now = Instant(seconds: 1_800_000_000)
    static let issuer = "https://issuer.example"
    static let audience = "https://shirushi.example"
    static let doctor = made(HolderID("doctor-1"))
    static let linked = made(HolderID("dentist-1"))
    static let foreign = made(HolderID("pharmacist-1"))

    let clock = TestClock(now)
    let signer: TokenSigner
    let server: JWKSServer
    let database: Database
    let ended: EndedLogins
    let possession: PossessionGate
    let identification: TokenIdentification
    private let scratch: Scratch

    init(refresh: Int64 = 300, keep: Int64 = 3600) async throws {
        signer = try await TokenSigner.generate(keyID: "key-1", random: .system)
        server = JWKSServer(signer.publicJWKSet)
        scratch = try Scratch()
        database = try Database.create(
            at: scratch.folder + "/identity.sqlite", parts: [HolderStore.part, EndedLogins.part])
        try await database.write { connection in
            for holder in [Self.doctor, Self.linked, Self.foreign] {
                try HolderStore.insert(holder, in: connection)
            }
            try HolderStore.link(issuer: Self.issuer, subject: "u-77", to: Self.linked, in: connection)
            try HolderStore.link(issuer: "https://other.example", subject: "u-88", to: Self.foreign, in: connection)
        }
        let settings = IssuerSettings(
            issuer: Self.issuer, audience: Self.audience, jwks: "https://issuer.example/jwks", refreshSeconds: refresh,
            keepSeconds: keep, holders: [Self.doctor]
        )
        ended = EndedLogins()
        possession = PossessionGate(clock: clock.wall, random: .system)
        identification = TokenIdentification(
            issuers: [settings], window: ActivationWindow(), database: database, clock: clock.wall,
            possession: possession, ended: ended, fetch: server.fetch
        )
    }

    /// A token with the claims of a good one, some of them changed or, with nil, left out.
    func token(_ changes: [String: JSONValue?] = [:], by other: TokenSigner? = nil) throws -> String {
        var claims: [String: JSONValue?] = [
            "iss": .string(Self.issuer), "sub": "doctor-1", "aud": .string(Self.audience),
            "exp": .number("\(Self.now.seconds + 3600)"), "auth_time": .number("\(Self.now.seconds - 60)"),
            "acr": "hpki-card", "amr": ["hwk", "pin"],
        ]
        for (name, value) in changes { claims[name] = value }
        let members = claims.sorted { $0.key < $1.key }.compactMap { name, value in
            value.map { JSONMember(name, $0) }
        }
        return try (other ?? signer).sign(.object(members), type: "at+jwt")
    }

    /// Why a token with these changes is refused; nil when it is not.
    func fault(_ changes: [String: JSONValue?], by other: TokenSigner? = nil) async throws -> IdentityError? {
        let token = try token(changes, by: other)
        do throws(IdentityError) {
            _ = try identification.activate(try await identification.identify(PresentedToken(token)))
            return nil
        } catch { return error }
    }
}

extension Random {
    static let system = Random { count in (0..<count).map { _ in .random(in: .min ... .max) } }
}

/// A folder that goes with its owner.
final class Scratch: Sendable {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "shirushi-identity-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}

/// The value of an identifier written in a test.
func made<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("a test's identifier is none") }
    return value
}
