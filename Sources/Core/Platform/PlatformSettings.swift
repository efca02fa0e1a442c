package import Certificates
package import HPKI
package import Keys
package import Policies

/// What core needs to know to open sessions and sign tokens.
package struct PlatformSettings: Sendable {
    /// How one kind of card is judged.
    package struct Card: Sendable {
        package var trust: CertificateWatch.Settings
        package var requirements: PathRequirements
        /// The file in which the operator's adapter to the official service tells which renewed card follows which, a
        /// line each of four words in hexadecimal: issuer's key id and serial of the new one, and of the old one.
        package var successions: String?

        /// A kind of card.
        package init(trust: CertificateWatch.Settings, requirements: PathRequirements, successions: String? = nil) {
            self.trust = trust
            self.requirements = requirements
            self.successions = successions
        }
    }

    /// The clients as their files say now.
    package struct Registered: Sendable {
        package let clients: [OAuthClient]
        /// All client systems whose facility is known, those of the configuration too.
        package let registrations: [ClientRegistration]

        /// Clients with what the policy knows of them.
        package init(clients: [OAuthClient], registrations: [ClientRegistration]) {
            self.clients = clients
            self.registrations = registrations
        }
    }

    /// `iss` of tokens.
    package var issuer: String
    package var clients: [OAuthClient]
    /// Reads the clients' files anew, or throws what is wrong with them; nil where none changes while core serves.
    package var readClients: (@Sendable () throws -> Registered)?
    /// Nil where such cards are not taken.
    package var hpki: Card?
    package var jpki: Card?
    /// How long an access token lasts, in seconds.
    package var accessTokenSeconds: Int64
    /// How long one key signs tokens, in seconds.
    package var tokenKeySeconds: Int64

    /// Settings; tokens last 10 minutes and their keys 30 days unless said otherwise.
    package init(
        issuer: String, clients: [OAuthClient], hpki: Card?, jpki: Card?, accessTokenSeconds: Int64 = 600,
        tokenKeySeconds: Int64 = 30 * 86_400
    ) {
        self.issuer = issuer
        self.clients = clients
        self.hpki = hpki
        self.jpki = jpki
        self.accessTokenSeconds = accessTokenSeconds
        self.tokenKeySeconds = tokenKeySeconds
    }

    /// The endpoints whose addresses a client's assertion may name as its audience (RFC 7523 §3, RFC 9126 §2).
    var audiences: Set<String> {
        Set([issuer] + ["token", "pushed_authorize", "introspect", "revoke"].map { issuer + "/oauth2/" + $0 })
    }

    /// Where core's own checks of tokens find the platform's keys, instead of over the network.
    package static let ownKeys = "core:token-keys"
}
