import Audit
import CoreProtocol
import HPKI
import JOSE
import Storage
import Transparency

extension Review {
    /// The record with its proof under the newest checkpoint, as `docs/audit-format.md` has receipts: JSON in UTF-8; nil
    /// where no checkpoint has it yet.
    func evidence(of sequence: UInt64) async throws(Failure) -> [UInt8]? {
        try await read { [log] connection in
            var evidence = try LogEvidence(
                origin: log.origin, keys: log.signers.keys, .cosigned(with: sequence), in: connection)
            return try evidence?.document(of: sequence)?.bytes
        }
    }

    /// The newest signed checkpoint as text; nil for a log without one.
    func checkpoint() async throws(Failure) -> String? {
        try await read { [log] connection in
            try LogEvidence(origin: log.origin, keys: log.signers.keys, in: connection)?.note.encoded
        }
    }
}
