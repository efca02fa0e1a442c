package import HPKI
import JOSE

/// A holder whose token was verified: the first ticket of the chain.
///
/// Only `TokenIdentification` makes one, so whoever holds a `Caller` knows that a configured issuer vouched for it,
/// that the issuer was registered for this holder, and that the token was valid when it was judged.
package struct Caller: Sendable, Hashable {
    package let holder: HolderID
    package let issuer: String
    package let subject: String
    /// The client system that the token was issued to (`client_id` or `azp`), where the token names one.
    package let client: ClientID?
    package let method: AuthenticationMethod
    /// The qualifications that the token claims, where it claims any.
    package let tokenRoles: [HCRole]?
    /// When the holder authenticated (`auth_time`, OpenID Connect Core §2).
    package let authenticatedAt: Instant
    package let tokenExpiresAt: Instant
    let tokenValidFrom: Instant?
    /// SHA-256 over the compact token: says which token without giving it away.
    package let tokenDigest: Digest

    fileprivate init(
        holder: HolderID, issuer: String, subject: String, client: ClientID?, method: AuthenticationMethod,
        tokenRoles: [HCRole]?, authenticatedAt: Instant, tokenExpiresAt: Instant, tokenValidFrom: Instant?,
        tokenDigest: Digest
    ) {
        self.holder = holder
        self.issuer = issuer
        self.subject = subject
        self.client = client
        self.method = method
        self.tokenRoles = tokenRoles
        self.authenticatedAt = authenticatedAt
        self.tokenExpiresAt = tokenExpiresAt
        self.tokenValidFrom = tokenValidFrom
        self.tokenDigest = tokenDigest
    }
}

extension TokenIdentification {
    /// Judges a token whose signature holds: the claims of OpenID Connect Core §2 and RFC 9068 §2.2.
    ///
    /// Times are judged by `checkTimes`, at every use.
    func caller(
        of token: VerifiedToken, digest: Digest, issuer: IssuerSettings
    ) async throws(IdentityError) -> Caller {
        let facts = try TokenFacts(token, issuer: issuer)
        guard let holder = try await holder(of: facts.subject, issuer: issuer) else { throw .unknownHolder }
        return Caller(
            holder: holder, issuer: issuer.issuer, subject: facts.subject, client: facts.client, method: facts.method,
            tokenRoles: token.roles.map { $0.map { HCRole($0) } }, authenticatedAt: facts.authenticatedAt,
            tokenExpiresAt: facts.expiresAt, tokenValidFrom: facts.validFrom, tokenDigest: digest
        )
    }

    /// Throws when the token of `caller` has expired or is not valid yet.
    func checkTimes(of caller: Caller, at now: Instant) throws(IdentityError) {
        try window.checkTimes(expiresAt: caller.tokenExpiresAt, validFrom: caller.tokenValidFrom, at: now)
    }
}

extension ActivationWindow {
    /// Throws when a token has expired or is not valid yet.
    func checkTimes(expiresAt: Instant, validFrom: Instant?, at now: Instant) throws(IdentityError) {
        guard now < expiresAt.adding(seconds: skewSeconds) else { throw .expired(at: expiresAt) }
        if let validFrom, now < validFrom.adding(seconds: -skewSeconds) { throw .notYetValid(until: validFrom) }
    }
}

/// What every token says of whoever shows it, judged but for its times.
struct TokenFacts {
    let subject: String
    let client: ClientID?
    let method: AuthenticationMethod
    let authenticatedAt: Instant
    let expiresAt: Instant
    let validFrom: Instant?

    init(_ token: VerifiedToken, issuer: IssuerSettings) throws(IdentityError) {
        guard token.issuer == issuer.issuer else { throw .unknownIssuer }
        guard token.audience.contains(issuer.audience) else { throw .wrongAudience }
        guard let subject = token.subject, (1...255).contains(subject.utf8.count),
            subject.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else {
            throw .claim("sub", "is missing, too long, or holds control characters")
        }
        guard let expires = token.expires else { throw .claim("exp", "is missing") }
        guard let authenticatedAt = token.authenticatedAt else { throw .claim("auth_time", "is missing") }
        guard let acr = token.authenticationContext else { throw .claim("acr", "is missing") }
        guard let method = AuthenticationMethod(rawValue: acr) else {
            throw .claim("acr", "names no authentication that is known here")
        }
        guard !token.authenticationMethods.isEmpty else { throw .claim("amr", "is missing or empty") }
        var client: ClientID?
        if let text = token.client {
            guard let id = ClientID(text) else { throw .claim("client_id", "is no client identifier") }
            client = id
        }
        self.subject = subject
        self.client = client
        self.method = method
        self.authenticatedAt = authenticatedAt
        expiresAt = expires
        validFrom = token.notBefore
    }
}
