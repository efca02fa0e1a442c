internal import Crypto
internal import Foundation
import HPKI

/// Bytes that stand in JSON as lower-case hexadecimal.
package struct HexBytes: Sendable, Hashable, Codable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// The bytes as they are.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = Hex.decode(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not hexadecimal")
        }
        self.bytes = bytes
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    package var description: String { Hex.encode(bytes) }
}

/// The one JSON text of each value: what is signed and hashed, and what files must be to the byte.
///
/// A file that differs from the text of what it decodes to is refused, so it holds nothing that a reader would
/// see and a signature would not cover.
enum CustodyJSON {
    /// The bound of every file that is read through here, in bytes.
    static let fileLimit = 1 << 20

    static func bytes(_ value: some Encodable) throws(CeremonyError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { throw .cryptography }
        return Array(data) + [0x0A]
    }

    static func value<Value: Codable>(
        _ type: Value.Type, from bytes: [UInt8], at path: String
    ) throws(CeremonyError) -> Value {
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(bytes)) else {
            throw .damaged(path: path, what: "it is no file of this kind")
        }
        guard try self.bytes(value) == bytes else {
            throw .damaged(path: path, what: "it was altered: its text is not the one that this program writes")
        }
        return value
    }
}

/// SHA-256.
func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

/// What two people may compare of a secret without learning it.
package enum CheckValue {
    /// The first 8 bytes of HMAC-SHA-256 over `shirushi/kcv/1`, keyed with the secret.
    package static func of(_ secret: borrowing [UInt8]) -> HexBytes {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("shirushi/kcv/1".utf8), using: SymmetricKey(data: copy secret))
        return HexBytes(Array(code.prefix(8)))
    }
}
