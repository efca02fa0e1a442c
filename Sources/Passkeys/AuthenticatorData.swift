/// What an authenticator says and signs (WebAuthn Level 3 §6.1).
package struct AuthenticatorData: Sendable {
    /// A credential that was made, with its public key (§6.5.1).
    package struct AttestedCredential: Sendable {
        /// 16 bytes that name the authenticator's model; zeros where it does not say.
        package let aaguid: [UInt8]
        /// 1 to 1023 bytes.
        package let credentialID: [UInt8]
        package let publicKey: COSEKey
        /// The COSE_Key as it stood, which is what is kept.
        package let encodedKey: [UInt8]
    }

    /// All of it, as it is signed.
    package let bytes: [UInt8]
    /// SHA-256 of the relying party's id.
    package let rpIDHash: [UInt8]
    package let isUserPresent: Bool
    package let isUserVerified: Bool
    /// BE: the key may leave the device, as synced passkeys do.
    package let isBackupEligible: Bool
    /// BS: it has done so.
    package let isBackedUp: Bool
    package let signCount: UInt32
    package let credential: AttestedCredential?
    /// A CBOR map; nil where there is none.
    package let extensions: CBORValue?

    /// Reads the bytes, all of them; throws `.authenticatorData`, `.cbor`, `.publicKey`, or `.algorithm`.
    package init(_ bytes: [UInt8]) throws(PasskeyError) {
        guard bytes.count >= 37 else { throw .authenticatorData("it is cut short") }
        guard bytes.count <= 8192 else { throw .authenticatorData("it is longer than 8192 bytes") }
        self.bytes = bytes
        rpIDHash = Array(bytes[0..<32])
        let flags = bytes[32]
        isUserPresent = flags & 0x01 != 0
        isUserVerified = flags & 0x04 != 0
        isBackupEligible = flags & 0x08 != 0
        isBackedUp = flags & 0x10 != 0
        guard isBackupEligible || !isBackedUp else {
            throw .authenticatorData("it is backed up and not eligible for it")
        }
        signCount = bytes[33..<37].reduce(0) { $0 << 8 | UInt32($1) }
        var rest = bytes[37...]
        credential = flags & 0x40 == 0 ? nil : try Self.credential(&rest)
        if flags & 0x80 == 0 {
            extensions = nil
        } else {
            var reader = CBORReader(rest)
            let map = try reader.next()
            guard case .map = map else { throw .authenticatorData("the extensions are no map") }
            extensions = map
            rest = reader.rest
        }
        guard rest.isEmpty else { throw .authenticatorData("something follows it") }
    }

    private static func credential(_ rest: inout ArraySlice<UInt8>) throws(PasskeyError) -> AttestedCredential {
        guard rest.count >= 18 else { throw .authenticatorData("the credential is cut short") }
        let aaguid = Array(rest.prefix(16))
        let length = rest.dropFirst(16).prefix(2).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(18)
        guard (1...1023).contains(length), rest.count >= length else {
            throw .authenticatorData("the credential's id is empty, too long or cut short")
        }
        let id = Array(rest.prefix(length))
        rest = rest.dropFirst(length)
        var reader = CBORReader(rest)
        let key = try reader.next()
        let encoded = Array(rest[rest.startIndex..<reader.rest.startIndex])
        rest = reader.rest
        return AttestedCredential(
            aaguid: aaguid, credentialID: id, publicKey: try COSEKey(key), encodedKey: encoded)
    }
}
