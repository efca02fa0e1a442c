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
            var evidence = try LogEvidence(origin: log.origin, keys: log.signers.keys, in: connection)
            return try evidence?.document(of: sequence)?.bytes
        }
    }

    /// The newest signed checkpoint as text, and what each witness cosigned last.
    func checkpoint() async throws(Failure) -> (text: String?, witnesses: [LogHeadFacts.Witness]) {
        try await read { [log] connection in
            let evidence = try LogEvidence(origin: log.origin, keys: log.signers.keys, in: connection)
            let witnesses = try CosignatureTable.newest(in: connection).map { size, signature in
                LogHeadFacts.Witness(
                    name: signature.name, size: size,
                    cosignedAt: Cosignature.time(of: signature.value).map { Instant(seconds: $0) }, fault: nil)
            }
            return (evidence?.note.encoded, witnesses)
        }
    }
}
