/// Why bytes of an authenticator were refused; the texts are ours and hold nothing of theirs.
package enum PasskeyError: Error, Sendable, Hashable {
    /// The CBOR breaks a rule (RFC 8949, CTAP 2.1 §8).
    case cbor(String)
    /// The authenticator data break a rule (WebAuthn Level 3 §6.1).
    case authenticatorData(String)
    /// What the browser says breaks a rule (WebAuthn Level 3 §5.8.1).
    case clientData(String)
    /// The public key is malformed, or no point on its curve (RFC 9053 §2, §7).
    case publicKey(String)
    /// The public key is for an algorithm that is not offered here.
    case algorithm(Int64)
    /// The attestation breaks a rule, or is of a kind that is not judged here (WebAuthn Level 3 §6.5, §8).
    case attestation(String)
    /// The signature is not one of these bytes by this key.
    case badSignature
    /// All of it can be read, and it is no answer to what was asked (WebAuthn Level 3 §7.1 and §7.2).
    case refused(Refusal)

    /// The rule that an answer breaks.
    package enum Refusal: String, Sendable, Hashable, CaseIterable {
        case ceremony
        case challenge
        case origin
        case crossOrigin = "cross-origin"
        case relyingParty = "relying-party"
        case userPresence = "user-presence"
        case userVerification = "user-verification"
        case credential
        case backupEligibility = "backup-eligibility"
        /// The counter did not move on: the key may have been copied.
        case signCount = "sign-count"
    }
}
