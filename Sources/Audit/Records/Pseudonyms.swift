internal import Crypto
package import HPKI

/// Names holders in leaves by a keyed hash that changes each calendar month, so that leaves alone do not link a
/// holder's years.
package struct Pseudonyms: Sendable {
    private let key: SymmetricKey

    /// Takes the instance's pseudonym key, 32 bytes.
    package init(key: [UInt8]) {
        self.key = SymmetricKey(data: key)
    }

    /// The holder's name in the month of `time` (UTC), 16 bytes.
    package func pseudonym(of holder: HolderID, at time: Instant) -> [UInt8] {
        let period = time.civil.map { "\($0.year)-\($0.month)" } ?? "outside"
        let message = Array("shirushi/pseudonym/1\n\(period)\n\(holder)".utf8)
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: key).prefix(16))
    }

    /// Sixteen zero bytes: no holder is concerned.
    package static let none = [UInt8](repeating: 0, count: 16)
}
