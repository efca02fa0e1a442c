package import HPKI

/// Why a token did not make a caller.
package enum IdentityError: Error, Sendable, Hashable {
    /// The token cannot be read or its signature does not hold; the text names the reason, never the token.
    case token(String)
    /// The issuer is not configured.
    case unknownIssuer
    /// The token was made for others.
    case wrongAudience
    /// The token's key is not in the issuer's set, also after asking again.
    case unknownKey
    /// The issuer's keys could not be fetched and none are known.
    case keysUnavailable
    /// The registry of holders could not be read; the text is the database's word for it.
    case registryUnreadable(String)
    /// `exp` lies behind now.
    case expired(at: Instant)
    /// `nbf` lies ahead of now.
    case notYetValid(until: Instant)
    /// A claim is missing or not usable: its name and what is wrong with it.
    case claim(String, String)
    /// No enabled holder belongs to this issuer and subject.
    case unknownHolder
    /// The token makes nobody who may look at the log: why, by its claim `shirushi_roles`.
    case notReviewer(String)
    /// `auth_time` lies too far back.
    case windowElapsed(end: Instant)
    /// The login that the token rests on has ended.
    case loginEnded
    /// The token is for given documents (`authorization_details`), and nothing else may be signed by it.
    case boundToDocuments
    /// The token is bound to a key, and the request does not prove that it has it: why.
    case notPossessed(String)
    /// The proof of possession must have this nonce.
    case nonceNeeded(String)
    /// More proofs were used lately than can be remembered.
    case tooManyProofs
}

extension IdentityError {
    /// The failure that a caller is told.
    package var failure: Failure {
        switch self {
        case .token(let reason):
            Failure(.invalidToken, "The access token was refused: \(reason).")
        case .unknownIssuer:
            Failure(
                .invalidToken, "The access token was refused: its issuer (iss) is not one of those configured here.")
        case .wrongAudience:
            Failure(.invalidToken, "The access token was refused: its audience (aud) is not this service.")
        case .unknownKey:
            Failure(.invalidToken, "The access token was refused: its signing key (kid) is not one of its issuer's.")
        case .keysUnavailable:
            Failure(
                .issuerUnavailable, "The keys of the token's issuer cannot be fetched at present.", retryAfter: 10
            )
        case .registryUnreadable(let cause):
            Failure(.coreUnavailable, "The registry cannot be read at present.", retryAfter: 5, cause: cause)
        case .expired(let at):
            Failure(.expiredToken, "The access token expired at \(at.rfc3339 ?? "an unknown time"); refresh it.")
        case .notYetValid(let until):
            Failure(
                .invalidToken,
                "The access token was refused: it is not yet valid (not-yet-valid until \(until.rfc3339 ?? "later"))."
            )
        case .claim(let name, let fault):
            Failure(.invalidToken, "The access token was refused: its claim \(name) \(fault).")
        case .unknownHolder:
            Failure(.unknownHolder, "No enabled holder is registered here for this token's issuer and subject.")
        case .notReviewer(let reason):
            Failure(.denied, "The access token lets nobody look at the log: its claim shirushi_roles \(reason).")
        case .loginEnded:
            Failure(.invalidToken, "The access token was refused: its login has ended; log in again.")
        case .boundToDocuments:
            Failure(
                .invalidToken,
                "The access token was refused: it is for the documents of its authorization_details alone.")
        case .notPossessed(let reason):
            Failure(.invalidDPoPProof, "The access token was refused: \(reason).")
        case .nonceNeeded(let nonce):
            Failure(
                .dpopNonceNeeded, "The DPoP proof needs the nonce of this service; ask again with that of DPoP-Nonce.",
                reasons: [nonce])
        case .tooManyProofs:
            Failure(.overloaded, "More proofs are in use than can be remembered; ask again.", retryAfter: 5)
        case .windowElapsed(let end):
            Failure(
                .windowElapsed,
                "The signing window of this authentication closed at \(end.rfc3339 ?? "an unknown time"); "
                    + "the holder must log in again."
            )
        }
    }
}
