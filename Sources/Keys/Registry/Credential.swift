package import Certificates
package import HPKI

/// A key that can be used: whose it is, where it is kept, and what its values are checked against.
package struct SigningKey: Sendable, Hashable {
    package let credential: CredentialID
    package let holder: HolderID
    package let material: KeyMaterial
    package let keyType: KeyType
    package let algorithm: SignatureAlgorithm
    package let publicKey: VerificationKey

    /// A key of its parts.
    package init(
        credential: CredentialID, holder: HolderID, material: KeyMaterial, keyType: KeyType,
        algorithm: SignatureAlgorithm, publicKey: VerificationKey
    ) {
        self.credential = credential
        self.holder = holder
        self.material = material
        self.keyType = keyType
        self.algorithm = algorithm
        self.publicKey = publicKey
    }

    /// The same key signing by another hash function; nil where its kind or padding is not that of `algorithm`.
    package func signing(by algorithm: SignatureAlgorithm) -> SigningKey? {
        guard algorithm.family == self.algorithm.family, keyType.algorithms.contains(algorithm) else { return nil }
        return SigningKey(
            credential: credential, holder: holder, material: material, keyType: keyType, algorithm: algorithm,
            publicKey: publicKey)
    }

    var binding: KeyBinding {
        KeyBinding(
            credential: credential, holder: holder, keyType: keyType, publicKey: publicKey.subjectPublicKeyInfo)
    }
}

/// One second key with its certificate, as signing needs it.
package struct Credential: Sendable, Hashable {
    package let key: SigningKey
    package let certificate: HPKICertificate
    package let state: CredentialState

    /// Its name.
    package var id: CredentialID { key.credential }
    /// Whose it is.
    package var holder: HolderID { key.holder }
    /// How its key signs.
    package var algorithm: SignatureAlgorithm { key.algorithm }

    /// A credential whose key is that of its certificate.
    package init(
        id: CredentialID, holder: HolderID, material: KeyMaterial, algorithm: SignatureAlgorithm,
        certificate: HPKICertificate, state: CredentialState
    ) {
        key = SigningKey(
            credential: id, holder: holder, material: material, keyType: certificate.publicKey.keyType ?? .rsa2048,
            algorithm: algorithm, publicKey: certificate.publicKey
        )
        self.certificate = certificate
        self.state = state
    }
}
