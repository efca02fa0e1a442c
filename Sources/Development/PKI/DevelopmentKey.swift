import Certificates
internal import Crypto
internal import CryptoExtras
internal import Foundation
package import HPKI

/// A signing key in software, for development authorities only.
package struct DevelopmentKey: Sendable {
    private enum Secret: Sendable {
        case rsa(_RSA.Signing.PrivateKey)
        case p256(P256.Signing.PrivateKey)
        case p384(P384.Signing.PrivateKey)
    }

    private let secret: Secret

    /// A fresh RSA key of 2048 bits, from the cryptographic library's own source of randomness.
    package static func rsa2048() throws(DevelopmentPKIError) -> DevelopmentKey {
        guard let key = try? _RSA.Signing.PrivateKey(keySize: .bits2048) else { throw .cryptography }
        return DevelopmentKey(secret: .rsa(key))
    }

    /// Several fresh RSA keys of 2048 bits, made side by side since each takes a while.
    package static func rsa2048(count: Int) async throws(DevelopmentPKIError) -> [DevelopmentKey] {
        let keys = await withTaskGroup(of: DevelopmentKey?.self) { group in
            for _ in 0..<count { group.addTask { try? rsa2048() } }
            return await group.reduce(into: [DevelopmentKey]()) { keys, key in if let key { keys.append(key) } }
        }
        guard keys.count == count else { throw .cryptography }
        return keys
    }

    /// A fresh key on P-256, from the cryptographic library's own source of randomness.
    package static func p256() -> DevelopmentKey { DevelopmentKey(secret: .p256(P256.Signing.PrivateKey())) }

    /// A fresh key of any type, from the cryptographic library's own source of randomness.
    package static func make(_ type: KeyType) throws(DevelopmentPKIError) -> DevelopmentKey {
        if let bits = type.modulusBits {
            guard let key = try? _RSA.Signing.PrivateKey(keySize: .init(bitCount: bits)) else { throw .cryptography }
            return DevelopmentKey(secret: .rsa(key))
        }
        return type == .p384 ? DevelopmentKey(secret: .p384(P384.Signing.PrivateKey())) : p256()
    }

    private init(secret: Secret) {
        self.secret = secret
    }

    /// Reads a private key in PKCS#8 PEM.
    package init(pem: String) throws(DevelopmentPKIError) {
        if let key = try? _RSA.Signing.PrivateKey(pemRepresentation: pem) {
            secret = .rsa(key)
        } else if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) {
            secret = .p256(key)
        } else if let key = try? P384.Signing.PrivateKey(pemRepresentation: pem) {
            secret = .p384(key)
        } else {
            throw .unreadableState
        }
    }

    /// The private key in PKCS#8 PEM.
    package var pem: String {
        switch secret {
        case .rsa(let key): key.pkcs8PEMRepresentation
        case .p256(let key): key.pemRepresentation
        case .p384(let key): key.pemRepresentation
        }
    }

    /// The SubjectPublicKeyInfo in DER.
    package var subjectPublicKeyInfo: [UInt8] {
        switch secret {
        case .rsa(let key): Array(key.publicKey.derRepresentation)
        case .p256(let key): Array(key.publicKey.derRepresentation)
        case .p384(let key): Array(key.publicKey.derRepresentation)
        }
    }

    /// The AlgorithmIdentifier of the signatures this key makes in certificates.
    package var algorithmIdentifier: [UInt8] { usualAlgorithm.identifier }

    private var usualAlgorithm: SignatureAlgorithm {
        switch secret {
        case .rsa: .rsaPKCS1SHA256
        case .p256: .ecdsaP256SHA256
        case .p384: .ecdsaP384SHA384
        }
    }

    /// A signature over `message` as certificates hold it: PKCS#1 v1.5 for RSA, DER for ECDSA.
    package func signature(over message: [UInt8]) throws(DevelopmentPKIError) -> [UInt8] {
        let algorithm = usualAlgorithm
        return algorithm.structureValue(of: try value(over: message, by: algorithm))
    }

    /// A signature over `message` as a token gives it: RSA octets, or r‖s for ECDSA.
    ///
    /// Throws `.cryptography`, also where the algorithm is not one of this kind of key.
    package func value(
        over message: [UInt8], by algorithm: SignatureAlgorithm
    ) throws(DevelopmentPKIError) -> [UInt8] {
        do {
            switch (secret, algorithm) {
            case (.rsa(let key), _) where algorithm.family != .ecdsa:
                let padding: _RSA.Signing.Padding = algorithm.family == .rsaPSS ? .PSS : .insecurePKCS1v1_5
                let value =
                    switch algorithm.digestAlgorithm {
                    case .sha256: try key.signature(for: SHA256.hash(data: message), padding: padding)
                    case .sha384: try key.signature(for: SHA384.hash(data: message), padding: padding)
                    case .sha512: try key.signature(for: SHA512.hash(data: message), padding: padding)
                    }
                return Array(value.rawRepresentation)
            case (.p256(let key), .ecdsaP256SHA256):
                return Array(try key.signature(for: SHA256.hash(data: message)).rawRepresentation)
            case (.p384(let key), .ecdsaP384SHA384):
                return Array(try key.signature(for: SHA384.hash(data: message)).rawRepresentation)
            default: break
            }
        } catch {
            throw .cryptography
        }
        throw .cryptography
    }

    /// `SEQUENCE { toBeSigned, algorithm, signature }`.
    func sign(_ toBeSigned: [UInt8]) throws(DevelopmentPKIError) -> [UInt8] {
        DER.sequence(toBeSigned, algorithmIdentifier, DER.bitString(try signature(over: toBeSigned)))
    }
}
