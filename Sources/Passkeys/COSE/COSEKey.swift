internal import Crypto
internal import CryptoExtras
internal import Foundation

/// The public key of a credential, as its authenticator encodes it (RFC 9052 §7, WebAuthn Level 3 §6.5.1.1).
package struct COSEKey: Sendable {
    /// The algorithms that are offered (RFC 9053 §2, RFC 8812 §2), by their COSE numbers.
    package enum Algorithm: Int64, Sendable, Hashable, CaseIterable {
        case es256 = -7
        case es384 = -35
        case edDSA = -8
        case rs256 = -257
    }

    private enum Parsed: Sendable {
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
    }

    package let algorithm: Algorithm
    private let parsed: Parsed

    /// Reads a COSE_Key; throws `.publicKey`, or `.algorithm` for one that is not offered.
    package init(_ value: CBORValue) throws(PasskeyError) {
        guard case .map(let members) = value else { throw .publicKey("it is no map") }
        guard let number = value[3]?.integer else { throw .publicKey("alg is missing") }
        guard let algorithm = Algorithm(rawValue: number) else { throw .algorithm(number) }
        self.algorithm = algorithm
        let labels: Set<Int64>
        switch algorithm {
        case .es256:
            try Self.check(value, type: 2, curve: 1)
            let point = try Self.point(value, size: 32)
            guard let key = try? P256.Signing.PublicKey(x963Representation: point) else {
                throw .publicKey("it is no point on P-256")
            }
            (parsed, labels) = (.p256(key), [1, 3, -1, -2, -3])
        case .es384:
            try Self.check(value, type: 2, curve: 2)
            let point = try Self.point(value, size: 48)
            guard let key = try? P384.Signing.PublicKey(x963Representation: point) else {
                throw .publicKey("it is no point on P-384")
            }
            (parsed, labels) = (.p384(key), [1, 3, -1, -2, -3])
        case .edDSA:
            try Self.check(value, type: 1, curve: 6)
            guard let x = value[-2]?.bytes, x.count == 32,
                let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x)
            else { throw .publicKey("x is not 32 bytes") }
            (parsed, labels) = (.ed25519(key), [1, 3, -1, -2])
        case .rs256:
            try Self.check(value, type: 3, curve: nil)
            guard let modulus = value[-1]?.bytes, let exponent = value[-2]?.bytes,
                (256...512).contains(modulus.count), modulus[0] != 0, (1...4).contains(exponent.count),
                exponent[0] != 0, let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent)
            else { throw .publicKey("it is no RSA key of 2048 to 4096 bits") }
            (parsed, labels) = (.rsa(key), [1, 3, -1, -2])
        }
        // WebAuthn Level 3 §6.5.1.1: the required parameters and no others.
        guard members.allSatisfy({ $0.key.integer.map(labels.contains) == true }) else {
            throw .publicKey("it has parameters that it must not have")
        }
    }

    /// Throws `.badSignature` unless the signature is one of these bytes; ECDSA's in DER (WebAuthn Level 3 §6.5.5).
    package func verify(_ signature: [UInt8], over bytes: [UInt8]) throws(PasskeyError) {
        let isValid: Bool
        switch parsed {
        case .p256(let key):
            guard let value = try? P256.Signing.ECDSASignature(derRepresentation: signature) else {
                throw .badSignature
            }
            isValid = key.isValidSignature(value, for: bytes)
        case .p384(let key):
            guard let value = try? P384.Signing.ECDSASignature(derRepresentation: signature) else {
                throw .badSignature
            }
            isValid = key.isValidSignature(value, for: bytes)
        case .ed25519(let key): isValid = key.isValidSignature(signature, for: bytes)
        case .rsa(let key):
            isValid = key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: bytes, padding: .insecurePKCS1v1_5)
        }
        guard isValid else { throw .badSignature }
    }

    private static func check(_ value: CBORValue, type: Int64, curve: Int64?) throws(PasskeyError) {
        guard value[1]?.integer == type else { throw .publicKey("kty does not fit alg") }
        guard let curve else { return }
        guard value[-1]?.integer == curve else { throw .publicKey("crv does not fit alg") }
    }

    /// The uncompressed point (SEC 1 §2.3.3); compressed ones are not allowed in a credential (§6.5.1.1).
    private static func point(_ value: CBORValue, size: Int) throws(PasskeyError) -> [UInt8] {
        guard let x = value[-2]?.bytes, let y = value[-3]?.bytes, x.count == size, y.count == size else {
            throw .publicKey("x or y is not of the curve's size")
        }
        return [0x04] + x + y
    }
}
