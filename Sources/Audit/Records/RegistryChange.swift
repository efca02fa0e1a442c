package import HPKI
package import Identity

/// An act on the registry as the log tells it.
package struct RegistryChange: Sendable {
    /// What was done, in words that name no person.
    package var note: String
    package var party: AuthorityCaller
    package var holder: HolderID
    /// `credential:id:version:hex` or `holder:id:version:hex` of each row that changed.
    package var registrations: [String]
    package var transition: (from: CredentialState?, to: CredentialState)?
    package var requestID: String

    /// A change with its facts.
    package init(
        note: String, party: AuthorityCaller, holder: HolderID, registrations: [String],
        transition: (from: CredentialState?, to: CredentialState)? = nil, requestID: String
    ) {
        self.note = note
        self.party = party
        self.holder = holder
        self.registrations = registrations
        self.transition = transition
        self.requestID = requestID
    }
}

extension AuditLog {
    /// Records a change of the registry, with `step` changing the row in the same transaction; throws `.refused` with
    /// the step's failure, or `.stopped`.
    package func record(_ change: RegistryChange, step: Step? = nil) async throws(AuditError) {
        var fields: [(DetailField, String)] = [
            (.holder, change.holder.description), (.note, change.note), (.authority, change.party.text),
            (.request, change.requestID),
        ]
        for registration in change.registrations { fields.append((.registration, registration)) }
        if let (from, to) = change.transition {
            fields.append((.transition, "\(from?.rawValue ?? "")>\(to.rawValue)"))
        }
        _ = try await append(Entry(kind: .administration, holder: change.holder, fields: fields), step: step)
    }

    /// Records that a known authority was refused, with the failure's kind and reasons.
    package func recordRefusal(
        of party: AuthorityCaller, act: String, failure: Failure, requestID: String
    ) async throws(AuditError) {
        let reasons = failure.reasons.isEmpty ? "" : ": " + failure.reasons.joined(separator: " ")
        _ = try await append(
            Entry(
                kind: .refusal,
                fields: [
                    (.authority, party.text), (.note, "\(act): \(failure.kind.rawValue)\(reasons)"),
                    (.decision, failure.rule ?? "-"), (.request, requestID),
                ]
            ))
    }
}
