package import HPKI
package import JOSE

/// An issuer of access tokens as the operator configured it.
package struct IssuerSettings: Sendable, Hashable {
    /// Compared with `iss` character by character.
    package var issuer: String
    /// Must be among `aud`.
    package var audience: String
    /// The address of the issuer's JWK Set.
    package var jwks: String
    package var algorithms: Set<JWSAlgorithm>
    /// Seconds after which the key set is fetched again; also the shortest time between two fetches for unknown keys
    /// is a tenth of it.
    package var refreshSeconds: Int64
    /// Seconds for which known keys are kept while the set cannot be fetched.
    package var keepSeconds: Int64
    /// The holders that the issuer may speak for with their 本人ID as subject; others are linked in the registry.
    package var holders: Set<HolderID>
    /// Whether the issuer may speak for every holder that an authority registered, with the 本人ID as subject.
    package var speaksForRegistered: Bool
    /// Whether this is the instance's own development issuer.
    package var isDevelopment: Bool
    /// Whether this is the instance's own platform, whose access tokens say so by their type, scope and session.
    package var isPlatform: Bool

    /// An issuer; keys are fetched every 5 minutes and kept 1 hour through an outage unless said otherwise.
    package init(
        issuer: String, audience: String, jwks: String, algorithms: Set<JWSAlgorithm> = Set(JWSAlgorithm.allCases),
        refreshSeconds: Int64 = 300, keepSeconds: Int64 = 3600, holders: Set<HolderID> = [],
        speaksForRegistered: Bool = false, isDevelopment: Bool = false, isPlatform: Bool = false
    ) {
        self.speaksForRegistered = speaksForRegistered
        self.issuer = issuer
        self.audience = audience
        self.jwks = jwks
        self.algorithms = algorithms
        self.refreshSeconds = refreshSeconds
        self.keepSeconds = keepSeconds
        self.holders = holders
        self.isDevelopment = isDevelopment
        self.isPlatform = isPlatform
    }
}
