import Certificates
import CoreProtocol
import HPKI
import Host
import Identity
import Keys
import Storage

// Certificates: delivered by the authority, judged here, and put into effect; and the lists that end them.
extension Registry {
    func deliver(
        _ der: [UInt8], for id: CredentialID, takesOverAt: Instant?, _ ask: Ask
    ) async throws(Failure) -> CredentialFacts {
        let held = try await owned(id, ask)
        if let known = held.certificate {
            guard known == der else {
                throw Failure(.registryConflict, "The credential has another certificate; order a renewal instead.")
            }
            // Taken before, and kept from taking effect by a fault or by another change at that moment.
            if held.state == .certified, held.takesOverAt.map({ $0 <= clock.now() }) != false {
                return try await activate(held, ask).facts
            }
            return held.facts
        }
        guard held.state == .generated, let publicKey = held.publicKey else {
            _ = try moved(held, to: .certified)
            throw Failure(.wrongState, "The credential has no key to be certified yet.")
        }
        let now = clock.now()
        // A little in the past is two clocks; more of it is a mistake that would revoke the old key at once.
        if let takesOverAt, takesOverAt < now.adding(seconds: -300) {
            throw Failure(
                .malformedRequest,
                "takesOverAt is past. Leave it away for at once; what is replaced is revoked for good then.")
        }
        let later = takesOverAt.flatMap { $0 > now ? $0 : nil }
        let certificate = try await judge(der, publicKey, held, takesOverAt: later, ask)
        var next = try moved(held, to: .certified)
        next.certificate = der
        // Also where that is now: should the next step fail, the clock's turn does it.
        next.takesOverAt = later ?? now
        let issuer = Digest(of: certificate.issuer.der)
        let serial = certificate.serialNumber
        try await store(
            [Change(from: held.state, next: next)],
            note: "certified: serial \(certificate.serialHex)" + (later?.rfc3339.map { ", takes over at \($0)" } ?? ""),
            ask
        ) { connection in
            guard try CredentialStore.noteSerial(issuer: issuer, serial: serial, of: id, in: connection) else {
                throw Failure(
                    .certificateRefused, "A certificate with this serial number was delivered before.",
                    reasons: ["serial-seen"])
            }
        }
        failpoint.pass("core.certified")
        return later == nil ? try await activate(next, ask).facts : next.facts
    }

    /// Puts a certified credential into effect; what it replaces is revoked as superseded in the same transaction.
    func activate(
        _ held: CredentialRecord, _ ask: Ask, note: String = "active"
    ) async throws(Failure) -> CredentialRecord {
        var next = try moved(held, to: .active)
        next.takesOverAt = nil
        next.reason = nil
        next.heldSince = nil
        var changes = [Change(from: held.state, next: next)]
        if let replaced = held.replaces,
            let old = try await read({ try CredentialStore.record(replaced, in: $0) }), old.holder == held.holder,
            var superseded = old.moved(to: .revoked, at: clock.now())
        {
            superseded.reason = .superseded
            superseded.takesOverAt = nil
            changes.append(Change(from: old.state, next: superseded))
        }
        let what = changes.count > 1 ? "\(note); takes over from \(changes[1].next.id), superseded" : note
        try await store(changes, note: what, ask)
        return next
    }

    /// A key that a restore suspended comes back only when its issuer's list is newer than the restore.
    func checkRecovery(_ held: CredentialRecord) throws(Failure) {
        guard let since = held.heldSince, let der = held.certificate,
            let certificate = try? HPKICertificate(der: der)
        else { return }
        guard let list = watch.newestList(for: certificate), list > since else {
            throw Failure(
                .wrongState,
                "The instance was restored from a backup; deliver a revocation list newer than that, then resume.",
                reasons: ["restored"])
        }
    }

    func take(list der: [UInt8], _ ask: Ask) async throws(Failure) -> RevocationListFacts {
        let list: CertificateRevocationList
        do {
            list = try CertificateRevocationList(der: der)
            // The registry goes by the list's own issuer and by complete lists.
            guard !list.isIndirect, list.baseNumber == nil else { throw CRLError.unsupportedScope }
            let remit = settings.authorities.first { $0.remit.name == ask.authority }?.remit
            guard remit?.issuers.contains(where: { $0.subject == list.issuer }) == true else {
                throw CRLError.unknownIssuer(list.issuer.text)
            }
            try watch.take(list)
        } catch let error as CRLError {
            throw Failure(.revocationListRefused, error.explanation)
        } catch {
            throw Failure(
                .coreUnavailable, "The list cannot be stored at present.", retryAfter: 5, cause: "\(error)")
        }
        let revoked = try await apply(list)
        return RevocationListFacts(
            issuer: list.issuer.commonName ?? String(list.issuer.text.prefix(200)), thisUpdate: list.thisUpdate,
            nextUpdate: list.nextUpdate, entries: UInt32(clamping: list.count),
            revoked: Array(revoked.prefix(RegistrationLimits.revoked))
        )
    }

    /// Revokes every credential whose certificate the list names.
    func apply(_ list: CertificateRevocationList) async throws(Failure) -> [CredentialID] {
        let issuer = Digest(of: list.issuer.der)
        var revoked: [CredentialID] = []
        for start in stride(from: 0, to: list.count, by: 500) {
            let entries = (start..<min(start + 500, list.count)).compactMap { list.entry(at: $0) }
            let found = try await read { connection in
                try entries.compactMap { entry -> (CredentialID, RevocationReason)? in
                    let id = try CredentialStore.credential(
                        issuer: issuer, serial: entry.serialNumber, in: connection)
                    return id.map { ($0, entry.reason ?? .unspecified) }
                }
            }
            for (id, reason) in found {
                guard let held = try await read({ try CredentialStore.record(id, in: $0) }) else { continue }
                // A hold is taken for what it is; all else ends the key.
                let target: CredentialState = reason == .certificateHold ? .suspended : .revoked
                guard reason != .removeFromCRL, var next = held.moved(to: target, at: clock.now()) else { continue }
                next.reason = reason
                next.takesOverAt = nil
                try await store(
                    [Change(from: held.state, next: next)],
                    note: "\(target.rawValue) by the revocation list of its issuer: \(reason.name)", itself(held))
                revoked.append(id)
            }
        }
        return revoked
    }

    private func judge(
        _ der: [UInt8], _ publicKey: [UInt8], _ held: CredentialRecord, takesOverAt: Instant?, _ ask: Ask
    ) async throws(Failure) -> HPKICertificate {
        guard let remit = settings.authorities.first(where: { $0.remit.name == ask.authority })?.remit else {
            throw Failure(.unknownAuthority, "The configuration names no authority \(ask.authority).")
        }
        let holder = try await owned(held.holder, ask)
        // Looked up beforehand, since judging is pure; the table's key decides between two deliveries at once.
        var isSeen = false
        if let certificate = try? HPKICertificate(der: der) {
            let (issuer, serial) = (Digest(of: certificate.issuer.der), certificate.serialNumber)
            isSeen = try await read { try CredentialStore.credential(issuer: issuer, serial: serial, in: $0) } != nil
        }
        let (trust, crls) = watch.snapshot
        let intake = CertificateIntake(
            remit: remit, trust: trust, crls: crls, acceptablePolicies: certificatePolicies,
            knownRoles: settings.knownRoles)
        return try intake.judge(
            der: der, for: publicKey, roles: holder.record.roles, takesOverAt: takesOverAt,
            seenSerial: { _, _ in isSeen }, at: clock.now())
    }
}

extension CredentialRecord {
    /// The certificate's end, while it can still end the credential.
    var endsAt: Instant? {
        switch state {
        case .certified, .active, .suspended:
            certificate.flatMap { try? HPKICertificate(der: $0) }?.notAfter
        default: nil
        }
    }
}
