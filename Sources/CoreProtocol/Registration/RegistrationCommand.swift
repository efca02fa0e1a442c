package import HPKI

/// What a registration authority, or an operator in its place, asks of the registry.
///
/// `RegistrationLimits` bounds every part; a frame beyond them cannot be read, and core closes the link it came on.
package struct RegistrationCommand: Sendable, Hashable {
    /// At most 64 bytes.
    package let requestID: String
    package let party: Party
    package let act: Act

    /// Who asks.
    package enum Party: Sendable, Hashable {
        /// The authority that showed this client certificate (DER) in TLS, by front's word.
        case authority(certificate: [UInt8])
        /// The operator, who proves it with the admin key; `authority` is the one in whose place the act is done.
        case operatorCommand(authority: AuthorityID, proof: [UInt8])
    }

    /// One act; each may be repeated, and then changes nothing more.
    package enum Act: Sendable, Hashable {
        /// Create a holder, or change one's facts.
        case putHolder(HolderRecord)
        case holder(HolderID)
        /// At most `limit` holders (1 to 200) behind `after` in the order of their ids.
        case listHolders(after: HolderID?, limit: UInt16)
        /// Have a key made for a holder; `replaces` names the credential that it takes over from when it is certified.
        case requestKey(KeyOrder)
        case credential(CredentialID)
        /// At most `limit` credentials (1 to 200) behind `after` in the order of their ids, of one holder or of all.
        case listCredentials(of: HolderID?, after: CredentialID?, limit: UInt16)
        /// The PKCS#10 certification request (RFC 2986) of a generated key.
        case certificationRequest(CredentialID)
        /// Deliver the certificate (DER, at most 16 KiB); it takes effect at `takesOverAt`, or at once.
        case deliver(CredentialID, certificate: [UInt8], takesOverAt: Instant?)
        case suspend(CredentialID, reason: RevocationReason)
        case resume(CredentialID)
        case revoke(CredentialID, reason: RevocationReason)
        /// Delete the key of a revoked or expired credential, or of one that was never certified.
        case destroy(CredentialID)
        /// Let a holder act, or not; what is disabled signs nothing.
        case enable(HolderID, Bool)
        /// Take a certificate revocation list (DER, at most 1,000,000 bytes) of one of the authority's issuers.
        case takeRevocationList([UInt8])
        /// Start a bulk import under a name of the authority's choice (at most 64 bytes); at most 1,000 rows.
        ///
        /// A larger import is several, each under its own name; all of a frame is at most 1 MiB, else `.tooLarge`.
        case startImport(name: String, rows: [ImportRow])
        case importJob(name: String)
        /// At most `limit` rows (1 to 500) of an import's report, from row `from` (0 is the first).
        case importRows(name: String, from: UInt32, limit: UInt16)
    }

    /// A command with all its parts.
    package init(requestID: String, party: Party, act: Act) {
        self.requestID = requestID
        self.party = party
        self.act = act
    }
}

/// A key that is to be made.
package struct KeyOrder: Sendable, Hashable {
    /// The new credential's name, of the authority's choice.
    package let credential: CredentialID
    package let holder: HolderID
    /// Nil for the first that the configuration offers.
    package let keyType: KeyType?
    /// The credential that this one takes over from: a renewal, or a re-issue after a revocation.
    package let replaces: CredentialID?

    /// An order with all its parts.
    package init(credential: CredentialID, holder: HolderID, keyType: KeyType?, replaces: CredentialID?) {
        self.credential = credential
        self.holder = holder
        self.keyType = keyType
        self.replaces = replaces
    }
}

/// One row of a bulk import: a holder, and a key for them where one is ordered.
package struct ImportRow: Sendable, Hashable {
    package let holder: HolderRecord
    package let order: KeyOrder?

    /// A row.
    package init(holder: HolderRecord, order: KeyOrder?) {
        self.holder = holder
        self.order = order
    }
}
