/// Why bytes of an authenticator were refused; the texts are ours and hold nothing of theirs.
package enum PasskeyError: Error, Sendable, Hashable {
    /// The CBOR breaks a rule (RFC 8949, CTAP 2.1 §8).
    case cbor(String)
    /// The authenticator data break a rule (WebAuthn Level 3 §6.1).
    case authenticatorData(String)
    /// The public key is malformed, or no point on its curve (RFC 9053 §2, §7).
    case publicKey(String)
    /// The public key is for an algorithm that is not offered here.
    case algorithm(Int64)
    /// The signature is not one of these bytes by this key.
    case badSignature
}
