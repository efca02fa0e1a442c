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
    /// The audit log could not record the outcome, so nothing may be given out.
    case auditStopped
}

extension KeyError {
    /// The failure that a caller is told.
    package var failure: Failure {
        switch self {
        case .keyMissing:
            Failure(.keyUnavailable, "The key is not in the security module.", retryAfter: 60)
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
