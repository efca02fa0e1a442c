import HPKI
import Host
import JOSE
import Synchronization

/// The keys that sign tokens, in a file that only core reads: one signs, the next is published before it does, and
/// those before stay published while tokens of theirs may be shown.
final class TokenKeys: Sendable {
    /// One key with its time.
    private struct Key: Sendable {
        let signer: TokenSigner
        /// When it signs; published from its making on.
        let from: Instant
    }

    /// How long a key is published before it signs, so that every relying system has fetched it.
    private static let aheadSeconds: Int64 = 3600
    /// How long it stays published behind its last signature: a window, and some.
    private static let behindSeconds: Int64 = 20 * 3600

    private let path: String
    private let keySeconds: Int64
    private let clock: WallClock
    private let random: Random
    // INVARIANT: never empty, in the order of `from`; the first signs until another's time has come.
    private let keys: Mutex<[Key]>

    /// Reads the keys, or makes the first; throws `HostError`, or `JOSEError` for a file that is damaged.
    init(path: String, keySeconds: Int64, clock: WallClock, random: Random) async throws {
        self.path = path
        self.keySeconds = keySeconds
        self.clock = clock
        self.random = random
        guard Files.exists(path) else {
            let first = Key(signer: try await TokenSigner.generate(random: random), from: clock.now())
            try Self.store([first], at: path)
            keys = Mutex([first])
            return
        }
        let file = try JSONValue.read(try SecretFile.read(path, atMost: 65_536).copiedBytes)
        guard case .array(let members)? = file["keys"], !members.isEmpty else {
            throw JOSEError.keySetMalformed("the file of token keys")
        }
        var found: [Key] = []
        for member in members {
            guard let pem = member["pem"]?.text, case .number(let digits)? = member["from"], let from = Int64(digits)
            else { throw JOSEError.keySetMalformed("the file of token keys") }
            found.append(Key(signer: try await TokenSigner(privateKeyPEM: pem), from: Instant(seconds: from)))
        }
        keys = Mutex(found.sorted { $0.from < $1.from })
    }

    /// The key that signs now.
    var signer: TokenSigner {
        let now = clock.now()
        return keys.withLock { keys in (keys.last { $0.from <= now } ?? keys[0]).signer }
    }

    /// The public keys (RFC 7517 §5).
    var published: [UInt8] { TokenSigner.jwks(of: keys.withLock { $0.map(\.signer) }) }

    /// Makes the next key where the newest has signed for long enough, and forgets those that nobody shows any more.
    ///
    /// Gives what was done, for the log; nil where nothing was due. Throws what writing the file throws.
    func rotate() async throws -> String? {
        let now = clock.now()
        let known = keys.withLock { $0 }
        var next = known
        if let newest = known.last, newest.from.adding(seconds: keySeconds) <= now {
            next.append(
                Key(
                    signer: try await TokenSigner.generate(random: random),
                    from: now.adding(seconds: Self.aheadSeconds)))
        }
        let isShown = zip(next, next.dropFirst()).map { $1.from.adding(seconds: Self.behindSeconds) > now } + [true]
        next = zip(next, isShown).filter(\.1).map(\.0)
        let (before, after) = (known.map(\.signer.keyID), next.map(\.signer.keyID))
        guard before != after else { return nil }
        try Self.store(next, at: path)
        let stored = next
        keys.withLock { $0 = stored }
        return "token keys: \(after.joined(separator: " "))"
    }

    private static func store(_ keys: [Key], at path: String) throws(HostError) {
        let members = keys.map { key in
            JSONValue.object([
                JSONMember("pem", .string(key.signer.privateKeyPEM)), JSONMember("from", .integer(key.from.seconds)),
            ])
        }
        try SecretFile.write(
            JSONValue.object([JSONMember("keys", .array(members))]).bytes, to: path, replacing: true)
    }
}
