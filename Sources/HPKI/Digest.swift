internal import Crypto

/// A hash function that signatures and commitments here may use (FIPS 180-4).
package enum DigestAlgorithm: String, Sendable, Hashable, CaseIterable {
    case sha256
    case sha384
    case sha512

    /// The length of this function's output, in bytes.
    package var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }
}

/// The value of a hash function, together with which function it was.
package struct Digest: Sendable, Hashable {
    package let algorithm: DigestAlgorithm
    package let bytes: [UInt8]

    /// Takes a digest computed elsewhere; nil when its length is not that of `algorithm`.
    package init?(algorithm: DigestAlgorithm, bytes: [UInt8]) {
        guard bytes.count == algorithm.byteCount else { return nil }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// Hashes `message` with `algorithm`.
    package init(of message: [UInt8], by algorithm: DigestAlgorithm = .sha256) {
        self.algorithm = algorithm
        switch algorithm {
        case .sha256: bytes = Array(SHA256.hash(data: message))
        case .sha384: bytes = Array(SHA384.hash(data: message))
        case .sha512: bytes = Array(SHA512.hash(data: message))
        }
    }

    /// The value in lower-case hexadecimal.
    package var hex: String { Hex.encode(bytes) }
}
