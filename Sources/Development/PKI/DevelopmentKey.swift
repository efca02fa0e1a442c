import Certificates
internal import Crypto
internal import CryptoExtras
internal import Foundation
import HPKI

/// A signing key in software, for development authorities only.
package struct DevelopmentKey: Sendable {
    private enum Secret: Sendable {
        case rsa(_RSA.Signing.PrivateKey)
        case p256(P256.Signing.PrivateKey)
    }

    private let secret: Secret

    /// A fresh RSA key of 2048 bits, from the cryptographic library's own source of randomness.
    package static func rsa2048() throws(DevelopmentPKIError) -> DevelopmentKey {
        guard let key = try? _RSA.Signing.PrivateKey(keySize: .bits2048) else { throw .cryptography }
        return DevelopmentKey(secret: .rsa(key))
    }

    /// A fresh key on P-256, from the cryptographic library's own source of randomness.
    package static func p256() -> DevelopmentKey { DevelopmentKey(secret: .p256(P256.Signing.PrivateKey())) }

    private init(secret: Secret) {
        self.secret = secret
    }

    /// Reads a private key in PKCS#8 PEM.
    package init(pem: String) throws(DevelopmentPKIError) {
        if let key = try? _RSA.Signing.PrivateKey(pemRepresentation: pem) {
            secret = .rsa(key)
        } else if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) {
            secret = .p256(key)
        } else {
            throw .unreadableState
        }
    }

    /// The private key in PKCS#8 PEM.
    package var pem: String {
        switch secret {
        case .rsa(let key): key.pkcs8PEMRepresentation
        case .p256(let key): key.pemRepresentation
        }
    }

    /// The SubjectPublicKeyInfo in DER.
    package var subjectPublicKeyInfo: [UInt8] {
        switch secret {
        case .rsa(let key): Array(key.publicKey.derRepresentation)
        case .p256(let key): Array(key.publicKey.derRepresentation)
        }
    }

    /// The AlgorithmIdentifier of the signatures this key makes in certificates: SHA-256 with its kind of key.
    package var algorithmIdentifier: [UInt8] {
        switch secret {
        case .rsa: SignatureScheme.sha256WithRSA
        case .p256: SignatureScheme.ecdsaWithSHA256
        }
    }

    /// A signature over `message`: PKCS#1 v1.5 for RSA, DER for ECDSA.
    package func signature(over message: [UInt8]) throws(DevelopmentPKIError) -> [UInt8] {
        let digest = SHA256.hash(data: message)
        do {
            switch secret {
            case .rsa(let key):
                return Array(try key.signature(for: digest, padding: .insecurePKCS1v1_5).rawRepresentation)
            case .p256(let key): return Array(try key.signature(for: digest).derRepresentation)
            }
        } catch {
            throw .cryptography
        }
    }

    /// `SEQUENCE { toBeSigned, algorithm, signature }`.
    func sign(_ toBeSigned: [UInt8]) throws(DevelopmentPKIError) -> [UInt8] {
        DER.sequence(toBeSigned, algorithmIdentifier, DER.bitString(try signature(over: toBeSigned)))
    }
}
