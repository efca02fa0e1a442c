package import Certificates
package import HPKI

/// Everything that the registry knows of one second key, but not the key itself.
package struct CredentialRecord: Sendable, Hashable {
    package let id: CredentialID
    package let holder: HolderID
    /// The authority that ordered it; only it sees it.
    package let authority: AuthorityID
    package var state: CredentialState
    package let keyType: KeyType
    package let algorithm: SignatureAlgorithm
    /// `resident` or `wrapped`; decided anew while there is no key.
    package var custody: String
    /// The credential from which this one takes over.
    package let replaces: CredentialID?
    /// When a certified one becomes active.
    package var takesOverAt: Instant?
    package var reason: RevocationReason?
    /// Suspended by a restore: resumed only once its issuer's list is newer than the restore.
    package var heldSince: Instant?
    package var changedAt: Instant
    /// Counts the changes of the row, from 1; 0 for rows older than the count.
    package var version: Int64
    /// SubjectPublicKeyInfo in DER; nil before there is a key.
    package var publicKey: [UInt8]?
    /// PKCS#10 in DER.
    package var request: [UInt8]?
    /// DER.
    package var certificate: [UInt8]?

    /// A key just ordered.
    package init(
        id: CredentialID, holder: HolderID, authority: AuthorityID, keyType: KeyType, algorithm: SignatureAlgorithm,
        custody: String, replaces: CredentialID?, at now: Instant
    ) {
        self.init(
            id: id, holder: holder, authority: authority, state: .requested, keyType: keyType, algorithm: algorithm,
            custody: custody, replaces: replaces, changedAt: now, version: 1
        )
    }

    /// A key with its certificate, in effect at once: what a development instance begins with.
    package init(
        active certificate: HPKICertificate, id: CredentialID, holder: HolderID, authority: AuthorityID,
        keyType: KeyType, algorithm: SignatureAlgorithm, custody: String, at now: Instant
    ) {
        self.init(
            id: id, holder: holder, authority: authority, state: .active, keyType: keyType, algorithm: algorithm,
            custody: custody, replaces: nil, changedAt: now, version: 1
        )
        publicKey = certificate.publicKey.subjectPublicKeyInfo
        self.certificate = certificate.der
    }

    init(
        id: CredentialID, holder: HolderID, authority: AuthorityID, state: CredentialState, keyType: KeyType,
        algorithm: SignatureAlgorithm, custody: String, replaces: CredentialID?, changedAt: Instant, version: Int64
    ) {
        self.id = id
        self.holder = holder
        self.authority = authority
        self.state = state
        self.keyType = keyType
        self.algorithm = algorithm
        self.custody = custody
        self.replaces = replaces
        self.changedAt = changedAt
        self.version = version
    }

    /// The record behind a change, or nil where the life of a key has no such step.
    package func moved(to state: CredentialState, at now: Instant) -> CredentialRecord? {
        guard self.state.successors.contains(state), var next = restated(at: now) else { return nil }
        next.state = state
        return next
    }

    /// The record behind a change that leaves its state; nil where the row's version is at its end.
    package func restated(at now: Instant) -> CredentialRecord? {
        guard version < .max else { return nil }
        var next = self
        next.changedAt = now
        next.version += 1
        return next
    }

    /// The record of a key that a restore holds back, suspended before or now; nil for one that cannot sign again.
    package func held(since: Instant, at now: Instant) -> CredentialRecord? {
        guard state == .suspended || state.successors.contains(.suspended), var next = restated(at: now) else {
            return nil
        }
        if state != .suspended { next.reason = .certificateHold }
        next.state = .suspended
        next.heldSince = since
        return next
    }

    /// SHA-256 over everything that the row holds: what the log commits to at each change.
    ///
    /// The key's blob is not in it, since a new epoch changes it; its seal binds it to the public key that is.
    package var digest: Digest {
        var writer = WireWriter(capacity: 4096)
        writer.text("shirushi/credential/1")
        for text in [id.description, holder.description, authority.description, state.rawValue, keyType.rawValue] {
            writer.text(text)
        }
        writer.text(algorithm.rawValue)
        writer.text(custody)
        writer.optional(replaces) { $0.text($1.description) }
        writer.optional(takesOverAt) { $0.integer($1.milliseconds) }
        writer.optional(reason) { $0.uint8($1.rawValue) }
        writer.optional(heldSince) { $0.integer($1.milliseconds) }
        writer.integer(changedAt.milliseconds)
        writer.integer(version)
        for bytes in [publicKey, request, certificate] { writer.optional(bytes) { $0.data($1) } }
        return Digest(of: writer.bytes)
    }
}

extension CredentialState {
    /// The states that may follow this one; a renewed key is a credential of its own.
    package var successors: Set<CredentialState> {
        switch self {
        case .requested: [.generated, .destructionPending]
        case .generated: [.certified, .destructionPending]
        case .certified: [.active, .suspended, .revoked, .expired]
        case .active: [.suspended, .revoked, .expired]
        case .suspended: [.active, .revoked, .expired]
        case .revoked, .expired: [.destructionPending]
        case .destructionPending: [.destroyed]
        case .destroyed: []
        }
    }
}
