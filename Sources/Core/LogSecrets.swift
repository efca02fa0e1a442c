import Audit
import HPKI
package import Host
package import Transparency

/// The secret files that the audit log's writer and its readers need.
package enum LogSecrets {
    /// The seeds of the checkpoint keys; an instance of an earlier release is given its first one.
    ///
    /// Throws as `SecretFile` does.
    package static func checkpointSeeds(_ paths: CoreSettings.Paths) throws(HostError) -> [UInt8] {
        if !Files.exists(paths.checkpointKey) { try SecretFile.write(Random.live.bytes(32), to: paths.checkpointKey) }
        return try SecretFile.read(paths.checkpointKey, atMost: 4096).copiedBytes
    }

    /// The keys that sign the log's checkpoints now; throws as `SecretFile` and `LogSigners` do.
    package static func checkpointKeys(_ paths: CoreSettings.Paths, origin: String) throws -> [NoteKey] {
        try LogSigners(origin: origin, seeds: SecretFile.read(paths.checkpointKey, atMost: 4096).copiedBytes).keys
    }

    /// Adds a key that signs from now on; throws a `Failure`.
    ///
    /// The file is written first, so that no checkpoint is signed by a key that is lost.
    static func addCheckpointKey(
        _ log: AuditLog, _ paths: CoreSettings.Paths, _ random: Random
    ) async throws(Failure)
        -> NoteKey
    {
        let seed = random.bytes(32)
        do {
            let seeds = try checkpointSeeds(paths)
            guard seeds.count / 32 < LogSigners.most else {
                throw Failure(.wrongState, "There are \(LogSigners.most) checkpoint keys already; retire one first.")
            }
            try SecretFile.write(seeds + seed, to: paths.checkpointKey, replacing: true)
            return try await log.addCheckpointKey(seed: seed)
        } catch { throw failure(error) }
    }

    /// Retires a key by its id, and then takes it out of the file; throws a `Failure`.
    static func retireCheckpointKey(_ id: String, _ log: AuditLog, _ paths: CoreSettings.Paths) async throws(Failure) {
        do {
            guard let key = log.signers.keys.first(where: { $0.keyIDText == id }) else {
                throw Failure(.wrongState, "No checkpoint key has the id \(id).")
            }
            let seeds = try checkpointSeeds(paths)
            try await log.retireCheckpointKey(id)
            try SecretFile.write(
                try self.seeds(seeds, without: [key], origin: log.origin), to: paths.checkpointKey, replacing: true)
        } catch { throw failure(error) }
    }

    /// Takes retired keys out of the file where a crash came first; to be done before anything is signed.
    ///
    /// Gives the seeds that sign, and the keys that are still to be recorded; throws what keeps it from that.
    static func settle(
        _ seeds: [UInt8], _ log: VerifiedLog, _ paths: CoreSettings.Paths, origin: String
    ) throws(AuditError) -> (seeds: [UInt8], unrecorded: [NoteKey]) {
        let undone = try log.unfinishedKeyChanges(of: LogSigners(origin: origin, seeds: seeds).keys)
        guard !undone.retired.isEmpty else { return (seeds, undone.added) }
        let rest = try self.seeds(seeds, without: undone.retired, origin: origin)
        do { try SecretFile.write(rest, to: paths.checkpointKey, replacing: true) } catch {
            throw .unreadable("\(error)")
        }
        return (rest, undone.added)
    }

    /// The file may hold a key more than sign now, so places in it are found by the keys and not by their number.
    private static func seeds(
        _ seeds: [UInt8], without keys: [NoteKey], origin: String
    ) throws(AuditError) -> [UInt8] {
        let all = try LogSigners(origin: origin, seeds: seeds).keys
        return all.enumerated().filter { !keys.contains($1) }.flatMap { seeds[$0.offset * 32..<$0.offset * 32 + 32] }
    }

    private static func failure(_ error: any Error) -> Failure {
        switch error {
        case let error as Failure: error
        case let error as AuditError: error.failure
        default: Failure(.auditUnavailable, "The checkpoint keys cannot be changed.", cause: "\(error)")
        }
    }
}
