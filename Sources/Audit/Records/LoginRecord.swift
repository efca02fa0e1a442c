package import HPKI

/// What the log tells of a login's session.
package struct LoginRecord: Sendable {
    /// What happened, in words that name no person.
    package var note: String
    package var holder: HolderID
    /// The session in lines of `name=value`; nil where none was opened.
    package var session: String?
    package var client: ClientID?
    package var requestID: String

    /// A record with its facts.
    package init(note: String, holder: HolderID, session: String?, client: ClientID? = nil, requestID: String) {
        self.note = note
        self.holder = holder
        self.session = session
        self.client = client
        self.requestID = requestID
    }

    fileprivate var fields: [(DetailField, String)] {
        var fields: [(DetailField, String)] = [
            (.holder, holder.description), (.note, note), (.request, requestID),
        ]
        if let session { fields.append((.session, session)) }
        if let client { fields.append((.client, client.description)) }
        return fields
    }
}

extension AuditLog {
    /// Records what happened to a login, with `step` changing its rows in the same transaction; throws `.refused` with
    /// the step's failure, or `.stopped`.
    package func record(_ login: LoginRecord, step: Step? = nil) async throws(AuditError) {
        _ = try await append(Entry(kind: .authentication, holder: login.holder, fields: login.fields), step: step)
    }

    /// Records that the login of a known holder was refused, with the code of what they were told.
    package func recordRefusal(of login: LoginRecord, code: String) async throws(AuditError) {
        _ = try await append(
            Entry(kind: .refusal, holder: login.holder, fields: login.fields + [(.decision, code)]))
    }
}
