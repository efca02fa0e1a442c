/// Where a second key stands in its life; only an active one signs.
package enum CredentialState: String, Sendable, Hashable, CaseIterable {
    /// Ordered; the key is being made.
    case requested
    /// The key exists and its PKCS#10 can be fetched.
    case generated
    /// The certificate is here and waits for its time.
    case certified
    case active
    case suspended
    case revoked
    case expired
    /// The key is deleted here, and a backup may still hold it.
    case destructionPending = "destruction-pending"
    case destroyed
}
