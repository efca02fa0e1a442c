import Audit
import CoreProtocol
import HPKI
import Keys
import Logging
import Storage

/// Moves every key to the current epoch while core serves: row by row, so that a restart goes on where it was.
struct Rotation: Sendable {
    let database: Database
    let custody: KeyCustody
    let epochs: Epochs
    let choice: CredentialChoice
    let log: AuditLog
    let clock: WallClock

    /// Makes the wrapping key of a ceremony the current one.
    func add(_ epoch: WrappingEpoch) async throws(Failure) {
        let known = epochs.all
        if known.contains(where: { $0.epoch == epoch.epoch && $0.keyID == epoch.keyID }) { return }
        guard epoch.epoch == (known.last?.epoch ?? 0) + 1 else {
            throw Failure(.registryConflict, "The next epoch is \((known.last?.epoch ?? 0) + 1).")
        }
        do {
            try await custody.findKeys(epochs: known + [epoch], until: .now.advanced(by: .seconds(30)))
            guard custody.holdsWrappingKey(of: epoch.epoch) else {
                throw Failure(
                    .keyUnavailable, "The token holds no sound wrapping key of this epoch.", retryAfter: 60)
            }
            try await log.recordEvent(.administration, note: "wrapping key of epoch \(epoch.epoch) takes over") {
                connection, _ in try WrappingEpochStore.insert(epoch, in: connection)
            }
            try await reload()
        } catch let failure as Failure { throw failure } catch {
            throw Failure(.coreUnavailable, "The epoch cannot be recorded.", retryAfter: 5, cause: "\(error)")
        }
    }

    /// How far the rotation is.
    func facts() async throws(Failure) -> RotationFacts {
        let current = epochs.all.last { $0.state == .current }?.epoch ?? 0
        do {
            let left = try await database.read { try WrappingEpochStore.remaining(besides: current, in: $0) }
            let retiring = epochs.all.filter { $0.state == .retiring }.map(\.epoch)
            return RotationFacts(epoch: current, retiring: retiring, remaining: left)
        } catch {
            throw Failure(.coreUnavailable, "The registry cannot be read.", retryAfter: 5, cause: "\(error)")
        }
    }

    /// Notes that an epoch's wrapping key was destroyed; refused while a key is under it.
    func retire(_ epoch: Int64) async throws(Failure) {
        guard try await facts().remaining == 0,
            epochs.all.contains(where: { $0.epoch == epoch && $0.state == .retiring })
        else { throw Failure(.wrongState, "The epoch is current, retired, or has keys under it.") }
        do {
            try await log.recordEvent(.administration, note: "wrapping key of epoch \(epoch) retired") {
                connection, _ in try WrappingEpochStore.retire(epoch, in: connection)
            }
            try await reload()
        } catch {
            throw Failure(.coreUnavailable, "The epoch cannot be recorded.", retryAfter: 5, cause: "\(error)")
        }
    }

    /// Moves keys until its task is cancelled; looks every few seconds whether there is anything to do.
    func run(logger: Logger) async {
        while !Task.isCancelled {
            var moved = 0
            do { moved = try await moveSome() } catch {
                logger.warning("keys cannot be moved to the current epoch", metadata: ["cause": "\(error)"])
            }
            do { try await Task.sleep(for: moved > 0 ? .zero : .seconds(3)) } catch { return }
        }
    }

    private func moveSome() async throws -> Int {
        guard let current = epochs.all.last(where: { $0.state == .current })?.epoch,
            let old = epochs.all.first(where: { $0.state == .retiring })?.epoch
        else { return 0 }
        let page = try await database.read { connection -> [(CredentialID, WrappedKey, KeyBinding)] in
            try CredentialStore.movable(from: old, limit: 100, in: connection).compactMap { id in
                guard let (record, _, material) = try CredentialStore.audited(id, in: connection),
                    case .wrapped(let wrapped)? = material, let publicKey = record.publicKey
                else { return nil }
                return (
                    id, wrapped,
                    KeyBinding(credential: id, holder: record.holder, keyType: record.keyType, publicKey: publicKey)
                )
            }
        }
        guard !page.isEmpty else {
            let longAgo = clock.now().adding(seconds: -600)
            try await database.write { connection in
                try SpareKeyStore.deleteOthers(than: current, in: connection)
                // Keys whose order was cut off: repeating the order makes another.
                try CredentialStore.deleteAbandoned(from: old, before: longAgo, in: connection)
            }
            return 0
        }
        let rotationKey = try await custody.rotationKey(of: old)
        for (id, wrapped, binding) in page {
            try Task.checkCancellation()
            let moved = try await custody.rewrap(wrapped, for: binding, rotationKey: rotationKey, to: current)
            // Only in place of the very blob that was moved: the key may have been deleted meanwhile.
            try await database.write { connection in
                try CredentialStore.replace(wrapped, by: moved, of: id, in: connection)
            }
        }
        choice.forgetAll()
        if try await facts().remaining == 0 {
            try await log.recordEvent(.administration, note: "every key is under epoch \(current)")
        }
        return page.count
    }

    private func reload() async throws {
        epochs.replace(with: try await database.read { try WrappingEpochStore.all(in: $0) })
        try await custody.findKeys(epochs: epochs.all, until: .now.advanced(by: .seconds(30)))
    }
}
