import Audit
import Certificates
import HPKI
import Identity
import Keys
import Storage

// Keys that are held back: after a restore nothing signs until its authority has spoken anew.
extension Registry {
    /// Suspends every key that a restored copy calls active; goes on where an earlier start was cut off.
    ///
    /// Gives how many were suspended. Called before core answers anybody.
    func recover(_ restore: String) async throws(Failure) -> Int {
        let now = clock.now()
        let began: Instant?
        do { began = try await database.write { try BackupStore.beginRecovery(restore, at: now, in: $0) } } catch {
            throw Failure(.coreUnavailable, "The registry cannot be written.", cause: "\(error)")
        }
        guard let began else { return 0 }
        var count = 0
        for state in [CredentialState.active, .certified] {
            while true {
                let ids = try await read { try CredentialStore.ids(in: state, after: nil, limit: 500, in: $0) }
                guard !ids.isEmpty else { break }
                let fault = await withTaskGroup(of: Failure?.self) { group in
                    for id in ids { group.addTask { await hold(id, since: began) } }
                    var first: Failure?
                    for await fault in group { first = first ?? fault }
                    return first
                }
                if let fault { throw fault }
                count += ids.count
            }
        }
        // Those suspended in the copy may have been revoked since, too.
        var after: CredentialID?
        while true {
            let from = after
            let ids = try await read { try CredentialStore.ids(in: .suspended, after: from, limit: 500, in: $0) }
            guard let last = ids.last else { break }
            for id in ids { if let fault = await hold(id, since: began) { throw fault } }
            after = last
        }
        do { try await database.write { try BackupStore.endRecovery(restore, in: $0) } } catch {
            throw Failure(.coreUnavailable, "The registry cannot be written.", cause: "\(error)")
        }
        return count
    }

    private func hold(_ id: CredentialID, since: Instant) async -> Failure? {
        do throws(Failure) {
            guard let held = try await read({ try CredentialStore.record(id, in: $0) }), held.heldSince != since,
                let next = held.held(since: since, at: clock.now())
            else { return nil }
            try await store(
                [Change(from: held.state, next: next)], note: "suspended by a restore from backup", itself(held))
            return nil
        } catch { return error }
    }
}
