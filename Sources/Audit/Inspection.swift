package import HPKI
package import Identity

/// One look at the log, as the log tells it.
package struct Inspection: Sendable, Hashable {
    /// The question's word.
    package let question: String
    /// What was asked, `name=value`, a line each; empty where there is nothing to say.
    package let subject: String
    /// The holder that was looked at, where it is one.
    package let holder: HolderID?
    package let requestID: String

    /// A look with its facts.
    package init(question: String, subject: String, holder: HolderID?, requestID: String) {
        self.question = question
        self.subject = subject
        self.holder = holder
        self.requestID = requestID
    }
}

extension AuditLog {
    /// Records durably that a reviewer looks; throws `.stopped`, and then nothing may be shown.
    package func recordInspection(_ inspection: Inspection, by reviewer: Reviewer) async throws(AuditError) {
        var fields: [(DetailField, String)] = [
            (.note, inspection.question), (.reviewer, reviewer.text), (.request, inspection.requestID),
        ]
        if !inspection.subject.isEmpty { fields.append((.subject, inspection.subject)) }
        if let holder = inspection.holder { fields.append((.holder, holder.description)) }
        _ = try await append(Entry(kind: .inspection, holder: inspection.holder, fields: fields))
    }

    /// Records that a known reviewer was refused, with the failure's kind.
    package func recordRefusal(
        of reviewer: Reviewer, question: String, failure: Failure, requestID: String
    ) async throws(AuditError) {
        _ = try await append(
            Entry(
                kind: .refusal,
                fields: [
                    (.reviewer, reviewer.text), (.note, "\(question): \(failure.kind.rawValue)"),
                    (.decision, failure.rule ?? "-"), (.request, requestID),
                ]
            ))
    }
}
