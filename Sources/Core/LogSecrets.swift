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
            guard let index = log.signers.keys.firstIndex(where: { $0.keyIDText == id }) else {
                throw Failure(.wrongState, "No checkpoint key has the id \(id).")
            }
            var seeds = try checkpointSeeds(paths)
            try await log.retireCheckpointKey(id)
            seeds.removeSubrange(index * 32..<index * 32 + 32)
            try SecretFile.write(seeds, to: paths.checkpointKey, replacing: true)
        } catch { throw failure(error) }
    }

    private static func failure(_ error: any Error) -> Failure {
        switch error {
        case let error as Failure: error
        case let error as AuditError: error.failure
        default: Failure(.auditUnavailable, "The checkpoint keys cannot be changed.", cause: "\(error)")
        }
    }
}
