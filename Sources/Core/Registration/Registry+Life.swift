import CoreProtocol
import HPKI
import Identity
import Keys
import Storage

// The later life of a credential: suspended and resumed, revoked, expired, destroyed.
extension Registry {
    func suspend(_ id: CredentialID, _ reason: RevocationReason, _ ask: Ask) async throws(Failure) -> CredentialFacts {
        let held = try await owned(id, ask)
        guard held.state != .suspended else { return held.facts }
        var next = try moved(held, to: .suspended)
        next.reason = reason
        try await store([Change(from: held.state, next: next)], note: "suspended: \(reason.name)", ask)
        return next.facts
    }

    func resume(_ id: CredentialID, _ ask: Ask) async throws(Failure) -> CredentialFacts {
        let held = try await owned(id, ask)
        guard held.state != .active else { return held.facts }
        if held.state == .certified {
            throw Failure(.wrongState, "The credential is certified and becomes active at its time.")
        }
        _ = try moved(held, to: .active)
        try checkRecovery(held)
        if let moment = held.takesOverAt, moment > clock.now() {
            throw Failure(
                .wrongState, "The credential takes over at \(moment.rfc3339 ?? "a later time"); resume it then.")
        }
        return try await activate(held, ask, note: "resumed").facts
    }

    func revoke(_ id: CredentialID, _ reason: RevocationReason, _ ask: Ask) async throws(Failure) -> CredentialFacts {
        let held = try await owned(id, ask)
        guard reason != .certificateHold, reason != .removeFromCRL else {
            throw Failure(.malformedRequest, "\(reason.name) is no reason for a revocation; suspend, or resume.")
        }
        if held.state == .revoked {
            // That a key was compromised is worth knowing whenever it comes out.
            guard reason == .keyCompromise, held.reason != .keyCompromise, var next = held.restated(at: clock.now())
            else { return held.facts }
            next.reason = reason
            try await store([Change(from: held.state, next: next)], note: "revoked before; now: \(reason.name)", ask)
            return next.facts
        }
        var next = try moved(held, to: .revoked)
        next.reason = reason
        next.takesOverAt = nil
        try await store([Change(from: held.state, next: next)], note: "revoked: \(reason.name)", ask)
        return next.facts
    }

    func destroy(_ id: CredentialID, _ ask: Ask) async throws(Failure) -> CredentialFacts {
        let held = try await owned(id, ask)
        guard held.state != .destructionPending, held.state != .destroyed else { return held.facts }
        let next = try moved(held, to: .destructionPending)
        await custody.gate.close(id)
        defer { custody.gate.open(id) }
        // A resident key goes first: should the record fail, destroying what is gone is no fault.
        if case .resident(let keyID)? = try await read({ try CredentialStore.material(of: id, in: $0) }) {
            do { try await custody.destroyResident(keyID) } catch { throw error.failure }
        }
        try await store(
            [Change(from: held.state, next: next)], note: "key deleted; destruction waits for the last backup", ask
        ) { try CredentialStore.deleteMaterial(of: id, in: $0) }
        try await finishDestruction()
        return try await owned(id, ask).facts
    }

    // MARK: What falls due by itself

    /// Does what time demands: renewals take over, certificates end, deleted keys count as destroyed.
    func tick() async throws(Failure) {
        let now = clock.now()
        while true {
            let due = try await read { try CredentialStore.due(at: now, limit: 100, in: $0) }
            guard !due.takeOver.isEmpty || !due.ended.isEmpty else { break }
            for id in due.ended { try await end(id) }
            for id in due.takeOver where !due.ended.contains(id) { try await takeOver(id) }
        }
        try await finishDestruction()
    }

    /// What this program does on its own account, for the authority that owns the record.
    func itself(_ record: CredentialRecord) -> Ask {
        Ask(party: identification.itself(for: record.authority), requestID: "-")
    }

    private func end(_ id: CredentialID) async throws(Failure) {
        guard let held = try await read({ try CredentialStore.record(id, in: $0) }),
            var next = held.moved(to: .expired, at: clock.now())
        else { return }
        next.takesOverAt = nil
        try await store([Change(from: held.state, next: next)], note: "expired: its certificate ended", itself(held))
    }

    private func takeOver(_ id: CredentialID) async throws(Failure) {
        guard let held = try await read({ try CredentialStore.record(id, in: $0) }) else { return }
        do { _ = try await activate(held, itself(held)) } catch {
            // The next turn does it, should what it replaces be changed at this moment.
            guard error.kind == .registryConflict || error.kind == .wrongState else { throw error }
        }
    }

    private func finishDestruction() async throws(Failure) {
        let now = clock.now()
        let ids = try await read { connection in
            try CredentialStore.pendingDestruction(before: now.adding(seconds: 1), limit: 1000, in: connection)
        }
        for id in ids {
            guard let held = try await read({ try CredentialStore.record(id, in: $0) }) else { continue }
            // A backup made before the deletion, and not yet expired, could bring the key back.
            if try await read({ try BackupStore.mayHold(deletedAt: held.changedAt, at: now, in: $0) }) { continue }
            guard let next = held.moved(to: .destroyed, at: now) else { continue }
            do {
                try await store(
                    [Change(from: held.state, next: next)], note: "destroyed: no backup can bring the key back",
                    itself(held))
            } catch {
                // Somebody else finishes at the same moment: the clock's turn and an authority's order may meet.
                guard error.kind == .registryConflict else { throw error }
            }
        }
    }
}
