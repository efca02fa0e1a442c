package import HPKI
package import PKCS11

/// Why a key did not sign.
package enum KeyError: Error, Sendable, Hashable {
    /// The token holds no private key for this credential.
    case keyMissing(CredentialID)
    /// The module refused, failed or did not answer in time.
    case token(PKCS11Error)
    /// The module gave a value that does not hold against the certificate.
    case wrongValue
    /// A wrapped key's row was moved or altered since it was sealed; it was not used.
    case sealBroken(CredentialID?)
    /// The token refused to unwrap the key.
    case unwrapRefused(CredentialID?)
    /// The token does not hold the wrapping key of this epoch.
    case epochMissing(Int64)
    /// No ceremony has made a wrapping key yet.
    case noWrappingKey
    /// The key is being suspended, revoked or destroyed at this moment; it was not used.
    case closed(CredentialID)
    /// The audit log could not record the outcome, so nothing may be given out.
    case auditStopped
}

extension KeyError {
    /// The failure that a caller is told.
    package var failure: Failure {
        switch self {
        case .keyMissing:
            Failure(.keyUnavailable, "The key is not in the security module.", retryAfter: 60)
        case .sealBroken:
            Failure(
                .credentialUnusable, "The key's row in the custody database was altered; it is not used.",
                reasons: ["seal-broken"]
            )
        case .unwrapRefused:
            Failure(
                .credentialUnusable, "The security module does not accept the wrapped key.",
                reasons: ["unwrap-refused"]
            )
        case .epochMissing:
            Failure(
                .keyUnavailable, "The security module does not hold the wrapping key of this key.", retryAfter: 60)
        case .noWrappingKey:
            Failure(
                .keyUnavailable, "This instance has no wrapping key yet; two officers make it: shirushi hsm init.",
                retryAfter: 600)
        case .closed:
            Failure(.credentialUnusable, "The key is being suspended, revoked or destroyed.")
        case .token(.busy):
            Failure(.overloaded, "The security module has more to do than it can at present.", retryAfter: 1)
        case .token(let error):
            Failure(
                .keyUnavailable, "The security module is not available at present.", retryAfter: 5, cause: "\(error)"
            )
        case .wrongValue:
            Failure(
                .keyUnavailable, "The security module gave a signature that does not hold; it was not given out.",
                retryAfter: 5
            )
        case .auditStopped:
            Failure(
                .auditUnavailable, "The audit log cannot be written at present, so no signature is given out.",
                retryAfter: 5
            )
        }
    }
}
