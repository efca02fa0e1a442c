package import HPKI

/// What the registry answers.
///
/// `RegistrationLimits` bounds every part; a reply beyond them cannot be read, and its caller runs into the deadline.
package enum RegistrationReply: Sendable, Hashable {
    case holder(HolderFacts)
    /// `next` is the id to list behind for more; nil at the end.
    ///
    /// At most 200.
    case holders([HolderFacts], next: HolderID?)
    case credential(CredentialFacts)
    /// At most 200.
    case credentials([CredentialFacts], next: CredentialID?)
    /// PKCS#10 in DER.
    case certificationRequest([UInt8])
    case revocationList(RevocationListFacts)
    case importJob(ImportFacts)
    /// At most 500.
    case importRows([ImportRowFacts])
}

/// A holder as the registry has them.
package struct HolderFacts: Sendable, Hashable {
    package let record: HolderRecord
    package let isEnabled: Bool

    /// Facts of a holder.
    package init(record: HolderRecord, isEnabled: Bool) {
        self.record = record
        self.isEnabled = isEnabled
    }
}

/// A credential as the registry has it.
package struct CredentialFacts: Sendable, Hashable {
    package let id: CredentialID
    package let holder: HolderID
    package let state: CredentialState
    package let keyType: KeyType
    /// `wrapped` or `resident`.
    package let custody: String
    /// SubjectPublicKeyInfo in DER; nil before the key is generated.
    package let publicKey: [UInt8]?
    /// DER; nil before it is delivered.
    package let certificate: [UInt8]?
    package let replaces: CredentialID?
    /// When a certified credential becomes active; nil unless it waits for that.
    package let takesOverAt: Instant?
    /// Why it was suspended or revoked.
    package let reason: RevocationReason?
    package let changedAt: Instant

    /// Facts of a credential.
    package init(
        id: CredentialID, holder: HolderID, state: CredentialState, keyType: KeyType, custody: String,
        publicKey: [UInt8]?, certificate: [UInt8]?, replaces: CredentialID?, takesOverAt: Instant?,
        reason: RevocationReason?, changedAt: Instant
    ) {
        self.id = id
        self.holder = holder
        self.state = state
        self.keyType = keyType
        self.custody = custody
        self.publicKey = publicKey
        self.certificate = certificate
        self.replaces = replaces
        self.takesOverAt = takesOverAt
        self.reason = reason
        self.changedAt = changedAt
    }
}

/// A revocation list that was taken.
package struct RevocationListFacts: Sendable, Hashable {
    /// The issuer's common name, or its whole name; at most 1000 bytes.
    package let issuer: String
    package let thisUpdate: Instant
    package let nextUpdate: Instant?
    package let entries: UInt32
    /// Credentials that became revoked by it; at most 10,000 are named.
    package let revoked: [CredentialID]

    /// Facts of a list.
    package init(
        issuer: String, thisUpdate: Instant, nextUpdate: Instant?, entries: UInt32, revoked: [CredentialID]
    ) {
        self.issuer = issuer
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
        self.entries = entries
        self.revoked = revoked
    }
}

/// How far a bulk import is.
package struct ImportFacts: Sendable, Hashable {
    package let name: String
    package let total: UInt32
    package let done: UInt32
    package let failed: UInt32

    /// Whether every row has its outcome.
    package var isFinished: Bool { done == total }

    /// Facts of an import.
    package init(name: String, total: UInt32, done: UInt32, failed: UInt32) {
        self.name = name
        self.total = total
        self.done = done
        self.failed = failed
    }
}

/// What became of one row of an import.
package struct ImportRowFacts: Sendable, Hashable {
    /// 0 is the first.
    package let row: UInt32
    package let holder: HolderID
    package let credential: CredentialID?
    /// `waiting`, `done` or the name of a failure's kind.
    package let outcome: String
    /// A sentence for a row that failed; at most 1000 bytes.
    package let detail: String?

    /// Facts of a row.
    package init(row: UInt32, holder: HolderID, credential: CredentialID?, outcome: String, detail: String?) {
        self.row = row
        self.holder = holder
        self.credential = credential
        self.outcome = outcome
        self.detail = detail
    }
}
