package import HPKI
package import Keys

/// What core needs to know of authorities and of the keys that are made for them.
package struct RegistrationSettings: Sendable {
    /// An authority as the operator registered it.
    package struct Authority: Sendable {
        /// Its name, the certificates that it issues from, and the roles in its remit.
        package var remit: AuthorityRemit
        /// SHA-256 of the DER of each client certificate that it may show.
        package var clientCertificates: [Digest]

        /// An authority of its parts.
        package init(remit: AuthorityRemit, clientCertificates: [Digest]) {
            self.remit = remit
            self.clientCertificates = clientCertificates
        }
    }

    /// A kind of key that is made here, and how it signs.
    package struct Offer: Sendable, Hashable {
        package var keyType: KeyType
        package var algorithm: SignatureAlgorithm
        /// How many pairs are kept ready.
        package var spares: Int

        /// An offer; the algorithm is one that the kind can do.
        package init(keyType: KeyType, algorithm: SignatureAlgorithm, spares: Int) {
            self.keyType = keyType
            self.algorithm = algorithm
            self.spares = spares
        }
    }

    /// Where the private keys made from now on are kept.
    package enum Mode: String, Sendable, Hashable, CaseIterable {
        case wrapped
        case resident
    }

    package var authorities: [Authority]
    package var mode: Mode
    /// The first is made where an order names none; at least one.
    package var offers: [Offer]
    package var cache: KeyCache.Settings
    /// Roles that a certificate may name at all.
    package var knownRoles: Set<String>

    /// Settings with all their parts.
    package init(
        authorities: [Authority], mode: Mode, offers: [Offer], cache: KeyCache.Settings, knownRoles: Set<String>
    ) {
        self.authorities = authorities
        self.mode = mode
        self.offers = offers
        self.cache = cache
        self.knownRoles = knownRoles
    }
}
