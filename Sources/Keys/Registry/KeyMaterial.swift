internal import Crypto
package import HPKI

/// Where a private key is kept, both modes behind one type; nothing in it can be read as a key.
package enum KeyMaterial: Sendable, Hashable {
    /// A non-extractable object of the token, by its CKA_ID.
    case resident(keyID: [UInt8])
    /// Wrapped under the wrapping key of an epoch, with a seal that binds it to its holder and credential.
    case wrapped(WrappedKey)

    /// The word that registry and answers use.
    package var custody: String {
        switch self {
        case .resident: "resident"
        case .wrapped: "wrapped"
        }
    }
}

/// A private key as the custody database holds it: useless without the token's wrapping key.
package struct WrappedKey: Sendable, Hashable {
    /// The number of the wrapping key, from 1.
    package let epoch: Int64
    /// What C_WrapKey gave.
    package let blob: [UInt8]
    /// HMAC-SHA-256 over blob, epoch, kind, public key, holder and credential, under the instance's custody key.
    package let seal: [UInt8]
}

/// Whose a wrapped key is: what its seal binds it to.
package struct KeyBinding: Sendable, Hashable {
    /// What a fault of the seal names.
    let credential: CredentialID?
    let owner: [String]
    let keyType: KeyType
    /// SubjectPublicKeyInfo in DER.
    let publicKey: [UInt8]

    /// The place of a holder's key.
    package init(credential: CredentialID, holder: HolderID, keyType: KeyType, publicKey: [UInt8]) {
        self.credential = credential
        owner = [credential.description, holder.description]
        self.keyType = keyType
        self.publicKey = publicKey
    }

    /// The place of a spare key; no identifier of a holder's has white space in it.
    init(spare id: String, keyType: KeyType, publicKey: [UInt8]) {
        credential = nil
        owner = ["spare key", id]
        self.keyType = keyType
        self.publicKey = publicKey
    }

    fileprivate func message(epoch: Int64, blob: [UInt8]) -> [UInt8] {
        var writer = WireWriter(capacity: 2048)
        writer.text("shirushi/wrapped-key/1")
        writer.list(owner) { $0.text($1) }
        writer.text(keyType.rawValue)
        writer.data(publicKey)
        writer.integer(epoch)
        writer.data(blob)
        return writer.bytes
    }
}

/// The instance's custody key: seals wrapped keys, so that a row moved to another holder or altered is not used.
package struct CustodyKey: Sendable {
    private let key: SymmetricKey

    /// Takes 32 secret bytes.
    package init(_ bytes: [UInt8]) {
        key = SymmetricKey(data: bytes)
    }

    /// Seals a wrapped key for its place.
    package func seal(_ blob: [UInt8], epoch: Int64, for binding: KeyBinding) -> WrappedKey {
        let message = binding.message(epoch: epoch, blob: blob)
        return WrappedKey(
            epoch: epoch, blob: blob, seal: Array(HMAC<SHA256>.authenticationCode(for: message, using: key)))
    }

    /// Throws `.sealBroken` unless this very key was sealed for this very place.
    package func check(_ wrapped: WrappedKey, for binding: KeyBinding) throws(KeyError) {
        let message = binding.message(epoch: wrapped.epoch, blob: wrapped.blob)
        guard HMAC<SHA256>.isValidAuthenticationCode(wrapped.seal, authenticating: message, using: key) else {
            throw .sealBroken(binding.credential)
        }
    }
}
