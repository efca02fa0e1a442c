package import Audit
package import CoreProtocol
package import HPKI
import Host
package import Identity
package import Keys
package import Storage

/// Acts of ceremonies and backups while nothing serves: recorded in the log as core would, under the instance's lock.
package enum OfflineAdministration {
    /// Throws a `Failure` unless the log opens and holds, as an act that is to be recorded needs it.
    package static func checkLog(_ database: Database, _ paths: CoreSettings.Paths) throws(Failure) {
        do {
            _ = try verified(database, paths)
            _ = try SecretFile.read(paths.pseudonymKey, atMost: 4096)
        } catch { throw failure(error) }
    }

    /// The wrapping keys that the registry knows, oldest first.
    package static func epochs(_ database: Database) async throws(Failure) -> [WrappingEpoch] {
        do { return try await database.read { try WrappingEpochStore.all(in: $0) } } catch {
            throw Failure(.coreUnavailable, "The registry cannot be read.", cause: "\(error)")
        }
    }

    private static func verified(
        _ database: Database, _ paths: CoreSettings.Paths
    ) throws -> (log: VerifiedLog, key: LogKey) {
        let key = LogKey(try SecretFile.read(paths.logKey, atMost: 4096).copiedBytes)
        let log = try AuditVerifier.open(
            database, headAt: paths.auditHead, markAt: LogMarkFile(paths.auditMark), key: key)
        return (log, key)
    }

    private static func failure(_ error: any Error) -> Failure {
        if let error = error as? Failure { return error }
        if let error = error as? AuditError { return error.failure }
        return Failure(.auditUnavailable, "The audit log cannot be opened.", cause: "\(error)")
    }

    /// Does the act; throws a `Failure` for one that needs the token, and for a log that does not hold.
    package static func perform(
        _ request: AdminRequest, _ database: Database, _ paths: CoreSettings.Paths, origin: String, now: Instant
    ) async throws(Failure) -> CoreReply {
        switch request {
        case .addCheckpointKey:
            try await logged(database, paths, origin: origin) { log in
                _ = try await LogSecrets.addCheckpointKey(log, paths, .live)
            }
            return .noted
        case .retireCheckpointKey(let id):
            try await logged(database, paths, origin: origin) { log in
                try await LogSecrets.retireCheckpointKey(id, log, paths)
            }
            return .noted
        case .linkCard(let holder, let certificate):
            try await logged(database, paths, origin: origin) { log in
                try await CardLinks(log: log, clock: .fixed(now)).link(certificate, to: holder)
            }
            return .noted
        case .unlinkCard(let holder):
            try await logged(database, paths, origin: origin) { log in
                try await CardLinks(log: log, clock: .fixed(now)).unlink(holder)
            }
            return .noted
        default: break
        }
        let (note, step) = try await plan(request, database, now)
        try await logged(database, paths, origin: origin) { log in
            try await log.recordEvent(.administration, note: note) { connection, _ in try step(connection) }
        }
        return .noted
    }

    /// Erases details as core would, from the order's beginning to the log's end.
    package static func erase(
        _ order: ErasureOrder, _ database: Database, _ paths: CoreSettings.Paths, origin: String,
        retention: Retention, clock: WallClock
    ) async throws(Failure) -> ErasureFacts {
        var (order, facts) = (order, ErasureFacts(next: nil, size: 0))
        try await logged(database, paths, origin: origin) { log in
            let erasure = Erasure(database: database, log: log, retention: retention, clock: clock)
            while true {
                facts.add(try await erasure(order))
                guard let next = facts.next else { return }
                order.from = next
            }
        }
        return facts
    }

    /// Registers a holder with a key in effect, as a development instance begins with; recorded as core would.
    package static func register(
        _ holder: RegisteredHolder, _ credential: CredentialRecord, _ material: KeyMaterial,
        serial: (issuer: Digest, number: [UInt8]), _ database: Database, _ paths: CoreSettings.Paths, origin: String
    ) async throws(Failure) {
        let party = AuthorityIdentification(certificates: [:], adminKey: Digest(of: [])).itself(for: holder.authority)
        let change = RegistryChange(
            note: "registered with an active key of the development authority", party: party,
            holder: holder.record.id,
            registrations: [
                "holder:\(holder.record.id):\(holder.version):\(holder.digest.hex)",
                "credential:\(credential.id):\(credential.version):\(credential.digest.hex)",
            ],
            transition: (nil, credential.state), requestID: "-")
        try await logged(database, paths, origin: origin) { log in
            try await log.record(change) { connection, sequence in
                _ = try HolderStore.put(holder, record: sequence, in: connection)
                _ = try CredentialStore.put(
                    credential, endsAt: credential.endsAt, entry: sequence, in: connection)
                _ = try CredentialStore.noteSerial(
                    issuer: serial.issuer, serial: serial.number, of: credential.id, in: connection)
                try CredentialStore.put(material, of: credential.id, in: connection)
            }
        }
    }

    /// The log's writer for as long as `body` takes.
    private static func logged(
        _ database: Database, _ paths: CoreSettings.Paths, origin: String,
        _ body: (AuditLog) async throws -> Void
    ) async throws(Failure) {
        do {
            let (verified, key) = try verified(database, paths)
            let signing = try LogSecrets.settle(
                LogSecrets.checkpointSeeds(paths), verified, paths, origin: origin)
            let log = AuditLog(
                verified, origin: origin, key: key,
                signers: try LogSigners(origin: origin, seeds: signing.seeds),
                pseudonyms: Pseudonyms(key: try SecretFile.read(paths.pseudonymKey, atMost: 4096).copiedBytes),
                clock: .live, random: .live, onStop: { _ in })
            defer { log.stop() }
            // Whatever is recorded in a log that was rolled back would make the inquiry harder.
            try await Contradiction.settle(at: paths.contradiction, database, keys: log.signers.keys)
            for key in signing.unrecorded { try await log.recordCheckpointKey(key) }
            try await body(log)
        } catch { throw failure(error) }
    }

    private typealias Plan = (note: String, step: @Sendable (any SQLConnection) throws -> Void)

    private static func plan(
        _ request: AdminRequest, _ database: Database, _ now: Instant
    ) async throws(Failure) -> Plan {
        let epochs = try await epochs(database)
        switch request {
        case .addEpoch(let epoch, let keyID, let checkValue):
            guard epoch == (epochs.last?.epoch ?? 0) + 1 else {
                throw Failure(.registryConflict, "The next epoch is \((epochs.last?.epoch ?? 0) + 1).")
            }
            let row = WrappingEpoch(epoch: epoch, keyID: keyID, checkValue: checkValue, state: .current)
            return (
                "wrapping key of epoch \(epoch) takes over", { try WrappingEpochStore.insert(row, in: $0) }
            )
        case .retireEpoch(let epoch):
            let current = epochs.last { $0.state == .current }?.epoch ?? 0
            let remaining: Int64
            do {
                remaining = try await database.read { try WrappingEpochStore.remaining(besides: current, in: $0) }
            } catch { throw Failure(.coreUnavailable, "The registry cannot be read.", cause: "\(error)") }
            guard remaining == 0, epochs.contains(where: { $0.epoch == epoch && $0.state == .retiring }) else {
                throw Failure(.wrongState, "The epoch is current, retired, or has keys under it.")
            }
            return ("wrapping key of epoch \(epoch) retired", { try WrappingEpochStore.retire(epoch, in: $0) })
        case .noteBackup(let id, let expiresAt):
            return (
                "backup \(id)", { try BackupStore.insert(id, takenAt: now, expiresAt: expiresAt, in: $0) }
            )
        case .auditKeys, .rotation, .addCheckpointKey, .retireCheckpointKey, .erase, .linkCard, .unlinkCard:
            throw Failure(.malformedRequest, "This is no act that is recorded while nothing serves.")
        }
    }

    /// How many keys are under epochs other than the current one.
    package static func rotation(_ database: Database) async throws(Failure) -> RotationFacts {
        do {
            return try await database.read { connection in
                let epochs = try WrappingEpochStore.all(in: connection)
                let current = epochs.last { $0.state == .current }?.epoch ?? 0
                return RotationFacts(
                    epoch: current, retiring: epochs.filter { $0.state == .retiring }.map(\.epoch),
                    remaining: try WrappingEpochStore.remaining(besides: current, in: connection))
            }
        } catch {
            throw Failure(.coreUnavailable, "The registry cannot be read.", cause: "\(error)")
        }
    }
}
