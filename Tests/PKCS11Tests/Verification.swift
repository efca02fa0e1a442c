import Crypto
import CryptoExtras
import Foundation
import HPKI
import PKCS11

extension KeyType {
    /// The digest that goes with the key.
    var digestAlgorithm: DigestAlgorithm { self == .p384 ? .sha384 : .sha256 }

    /// The mechanisms that use the key.
    var mechanisms: [SignatureMechanism] { modulusBits == nil ? [.ecdsa] : [.rsaPKCS1, .rsaPSS] }

    /// Whether `signature` over `message` holds against the public key, by swift-crypto.
    func verifies(
        _ signature: [UInt8], over message: [UInt8], by mechanism: SignatureMechanism, key spki: [UInt8]
    ) throws -> Bool {
        switch self {
        case .p256:
            try P256.Signing.PublicKey(derRepresentation: spki)
                .isValidSignature(.init(rawRepresentation: signature), for: Data(message))
        case .p384:
            try P384.Signing.PublicKey(derRepresentation: spki)
                .isValidSignature(.init(rawRepresentation: signature), for: Data(message))
        case .rsa2048, .rsa3072, .rsa4096:
            try _RSA.Signing.PublicKey(derRepresentation: spki)
                .isValidSignature(
                    .init(rawRepresentation: signature), for: SHA256.hash(data: message),
                    padding: mechanism == .rsaPSS ? .PSS : .insecurePKCS1v1_5)
        }
    }
}
