internal import Crypto
internal import CryptoExtras
internal import Foundation
package import HPKI
import Host

/// How a person's words become a key: scrypt (RFC 7914), which costs a guesser memory as well as time.
package struct Passphrase: Sendable, Hashable, Codable {
    /// Shorter ones are refused; people are told to use several words.
    package static let leastBytes = 12
    private static let keyBytes = 32

    let salt: HexBytes
    /// N of RFC 7914, a power of two.
    let rounds: Int
    /// r of RFC 7914.
    let blockSize: Int
    /// p of RFC 7914.
    let parallelism: Int

    /// Parameters with a fresh salt; the usual ones take 128 MiB and about half a second.
    package static func parameters(random: Random, rounds: Int = 1 << 17) -> Passphrase {
        Passphrase(salt: HexBytes(random.bytes(16)), rounds: rounds, blockSize: 8, parallelism: 1)
    }

    /// The key of these words; throws `.cryptography` for parameters that are weak or would eat the machine.
    func key(from words: LockedBytes) throws(CeremonyError) -> SymmetricKey {
        guard rounds >= 1 << 14, rounds <= 1 << 20, rounds & (rounds - 1) == 0, blockSize == 8, parallelism == 1,
            salt.bytes.count == 16
        else { throw .cryptography }
        var plain = words.copiedBytes
        defer { plain.erase() }
        do {
            return try KDF.Scrypt.deriveKey(
                from: plain, salt: salt.bytes, outputByteCount: Self.keyBytes, rounds: rounds, blockSize: blockSize,
                parallelism: parallelism, maxMemory: 2 << 30
            )
        } catch { throw .cryptography }
    }
}
