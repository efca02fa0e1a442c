package import Host

/// A token in a security officer's session, as far as ceremonies need it.
package protocol CeremonyToken: Sendable {
    /// Which token it is.
    var facts: TokenFacts { get }

    /// Puts a wrapping key of 32 bytes into the token, with the attributes that keep what it wraps unreadable.
    func importWrappingKey(_ value: LockedBytes, label: String, id: [UInt8]) async throws

    /// Has the token make a wrapping key whose value nobody learns.
    func generateWrappingKey(label: String, id: [UInt8]) async throws

    /// Puts a key into the token that unwraps what an old wrapping key wrapped, so that it can be wrapped anew.
    func importRotationKey(_ value: LockedBytes, label: String, id: [UInt8]) async throws

    /// Destroys the secret keys with this `CKA_ID`; none is no error.
    func destroy(id: [UInt8]) async throws
}

/// What a protocol says of a token.
package struct TokenFacts: Sendable, Hashable {
    package let label: String
    package let serial: String
    /// The path of the PKCS#11 module.
    package let module: String

    /// Facts of their parts.
    package init(label: String, serial: String, module: String) {
        self.label = label
        self.serial = serial
        self.module = module
    }
}

/// What a ceremony made, for the registry: one wrapping key's epoch.
package struct CeremonyResult: Sendable, Hashable {
    package let epoch: Int
    /// `CKA_ID` of the wrapping key.
    package let keyID: [UInt8]
    /// The first 8 bytes of HMAC-SHA-256 over `shirushi/kcv/1` under the value; nil where nobody knows the value.
    package let checkValue: [UInt8]?
    package let kind: WrappingKeyKind
    /// The signed protocol's file.
    package let protocolFile: String
}
