package import HPKI
package import Identity
import Policies

/// How a use of a key ended; the numbers are part of the record's format and never change meaning.
package enum Outcome: Sendable, Hashable {
    /// The key signed and the value held against the certificate: SHA-256 of the value.
    case signed(Digest)
    /// The key was not used, or gave a value that did not hold; the note names no person.
    case failed(String)
    /// Whether the key was used cannot be known.
    case unknown(String)

    var code: UInt16 {
        switch self {
        case .signed: 1
        case .failed: 2
        case .unknown: 3
        }
    }

    var field: (DetailField, String) {
        switch self {
        case .signed(let value): (.signatureValue, value.hex)
        case .failed(let note), .unknown(let note): (.note, note)
        }
    }
}

/// Proof that the outcome is durable: the last ticket of the chain.
///
/// Only the audit log makes one.
package struct Receipt: Sendable, Hashable {
    package let signature: SignatureID
    package let origin: String
    package let entry: AuditLog.Appended

    fileprivate init(signature: SignatureID, origin: String, entry: AuditLog.Appended) {
        self.signature = signature
        self.origin = origin
        self.entry = entry
    }
}

extension AuditLog {
    /// Records durably how a use ended; throws `.stopped`, and then the signature must not be given out.
    package func conclude(
        _ use: consuming OpenUse, _ outcome: Outcome, step: Step? = nil
    ) async throws(AuditError) -> Receipt {
        let signature = use.signature
        let entry = Entry(
            kind: .outcome, code: outcome.code, intent: use.sequence, holder: use.holder,
            fields: [(.signature, signature.description), outcome.field]
        )
        return Receipt(signature: signature, origin: origin, entry: try await append(entry, step: step))
    }

    /// Closes an intent that an earlier run left open: whether its key was used cannot be known.
    package func closeAsUnknown(intent: UInt64, step: Step? = nil) async throws(AuditError) {
        let outcome = Outcome.unknown("core ended before the outcome was recorded")
        _ = try await append(
            Entry(kind: .outcome, code: outcome.code, intent: intent, fields: [outcome.field]), step: step
        )
    }

    /// Records that a known caller was refused, with the deciding rule where there is one; `occurrence` is nil where the
    /// refusal came before there was a digest.
    package func recordRefusal(
        of caller: Caller, action: Action, failure: Failure, occurrence: Digest?, requestID: String
    ) async throws(AuditError) {
        let form = action.form.map { "\($0.rawValue):" } ?? ""
        var fields: [(DetailField, String)] = [
            (.holder, caller.holder.description),
            (.document, form + (occurrence.map { "\($0.algorithm.rawValue):\($0.hex)" } ?? "none")),
            (.activation, caller.activationText),
            (.decision, failure.rule ?? "-"),
            (.note, failure.kind.rawValue),
            (.request, requestID),
        ]
        if let client = caller.client { fields.append((.client, client.description)) }
        _ = try await append(Entry(kind: .refusal, holder: caller.holder, fields: fields))
    }

    /// Records a start, a stop, a configuration or an act of administration in words that name no person.
    package func recordEvent(
        _ kind: EntryKind, note: String, holder: HolderID? = nil, step: Step? = nil
    ) async throws(AuditError) {
        var fields: [(DetailField, String)] = [(.note, note)]
        if let holder { fields.append((.holder, holder.description)) }
        _ = try await append(Entry(kind: kind, holder: holder, fields: fields), step: step)
    }
}

extension Caller {
    /// The activation's facts in the record's notation, a line each.
    var activationText: String {
        """
        issuer=\(issuer)
        subject=\(subject)
        method=\(method.rawValue)
        auth_time=\(authenticatedAt.seconds)
        token=\(tokenDigest.hex)
        """
    }
}
