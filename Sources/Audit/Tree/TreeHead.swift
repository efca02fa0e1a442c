internal import Crypto
import HPKI

/// The size and root of the log, sealed under the instance's log key: what `data/audit.head` holds.
struct TreeHead: Sendable, Hashable {
    let size: UInt64
    let root: [UInt8]

    /// The head's bytes: version, size, root, and HMAC-SHA-256 over them.
    func sealed(by key: LogKey) -> [UInt8] { body + seal(by: key) }

    /// HMAC-SHA-256 over version, size and root.
    func seal(by key: LogKey) -> [UInt8] { key.seal(body) }

    /// Whether `seal` was made by `seal(by:)` of this head under the same key.
    func holds(_ seal: [UInt8], by key: LogKey) -> Bool { key.holds(seal, over: body) }

    /// Reads a head; throws when its seal does not hold.
    init(sealed bytes: [UInt8], by key: LogKey) throws(AuditError) {
        guard bytes.count == 73 else { throw .broken("the head file has \(bytes.count) bytes instead of 73") }
        do {
            var reader = WireReader(bytes)
            guard try reader.uint8() == 1 else { throw AuditError.broken("the head file has an unknown version") }
            size = try reader.integer()
            root = try reader.raw(32)
        } catch let error as AuditError {
            throw error
        } catch {
            throw .broken("the head file cannot be read")
        }
        guard key.holds(Array(bytes.suffix(32)), over: Array(bytes.prefix(41))) else {
            throw .broken("the head file was not sealed by this instance")
        }
    }

    init(size: UInt64, root: [UInt8]) {
        self.size = size
        self.root = root
    }

    private var body: [UInt8] {
        var writer = WireWriter(capacity: 80)
        writer.uint8(1)
        writer.integer(size)
        writer.raw(root)
        return writer.bytes
    }
}

/// The key that seals the head.
package struct LogKey: Sendable {
    private let key: SymmetricKey

    /// Takes the instance's log key, 32 bytes.
    package init(_ bytes: [UInt8]) {
        key = SymmetricKey(data: bytes)
    }

    func seal(_ body: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: body, using: key))
    }

    func holds(_ seal: [UInt8], over body: [UInt8]) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(seal, authenticating: body, using: key)
    }
}
