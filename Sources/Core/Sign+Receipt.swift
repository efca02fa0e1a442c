import Audit
import CoreProtocol
package import HPKI
import Identity
import JOSE
import Storage

extension Sign {
    /// The evidence of one signature, which its holder keeps and anybody checks without us: JSON in UTF-8.
    ///
    /// Throws `.notFound` to all but the token's holder, where the use of the key did not end as signed, and where its
    /// records were erased.
    package func receipt(of signature: SignatureID, token: PresentedToken) async throws(Failure) -> [UInt8] {
        let facts = try await lookup(signature, token: token)
        guard facts.state == .signed, let outcome = facts.outcome else {
            throw Failure(.notFound, "This signature was not given out, so there is no receipt of it.")
        }
        let receipt: FoundReceipt?
        do {
            receipt = try await replay.database.read { [log] connection in
                var evidence = try LogEvidence(
                    origin: log.origin, keys: log.signers.keys, .cosigned(with: outcome), in: connection)
                return try evidence?.receipt(intent: facts.intent, outcome: outcome)
            }
        } catch {
            throw Failure(
                .auditUnavailable, "The audit log cannot be read at present.", retryAfter: 5, cause: "\(error)")
        }
        // The details may have been erased since, the leaves never.
        switch receipt {
        case .receipt(let json): return json.bytes
        case .erased: throw Failure(.notFound, "What the log said of this signature was erased; no receipt is left.")
        case nil: throw Failure(.unexpected, "The log does not have this signature's records.")
        }
    }
}
