package import HPKI
import Identity
package import Policies
import Storage

/// The durable record that one key is about to be used once: the fourth ticket of the chain, used up by that use.
///
/// Only `AuditLog.recordIntent` makes one, out of a permit, once the record is durable.
package struct Intent: ~Copyable, Sendable {
    package let signature: SignatureID
    /// The position of the intent's leaf.
    package let sequence: UInt64
    package let holder: HolderID
    package let credential: CredentialID
    /// What the key signs, and nothing else.
    package let bytesToSign: [UInt8]

    fileprivate init(signature: SignatureID, sequence: UInt64, holder: HolderID, use: KeyUse) {
        self.signature = signature
        self.sequence = sequence
        self.holder = holder
        credential = use.credential
        bytesToSign = use.bytesToSign
    }

    /// Trades the intent for the duty to record how its one use ended.
    package consuming func begin() -> OpenUse {
        OpenUse(signature: signature, sequence: sequence, holder: holder)
    }
}

/// A use of a key that has begun and whose outcome is not recorded yet.
package struct OpenUse: ~Copyable, Sendable {
    package let signature: SignatureID
    package let sequence: UInt64
    package let holder: HolderID

    fileprivate init(signature: SignatureID, sequence: UInt64, holder: HolderID) {
        self.signature = signature
        self.sequence = sequence
        self.holder = holder
    }
}

/// How a key is to be used: which key, and on which bytes.
package struct KeyUse: Sendable, Hashable {
    package let signature: SignatureID
    package let credential: CredentialID
    /// SHA-256 of the certificate's DER; of the SubjectPublicKeyInfo where the key has none yet.
    package let certificate: Digest
    package let bytesToSign: [UInt8]
    /// What kind of module holds the key.
    package let custody: String
    package let requestID: String
    /// What was found of the prescription inside, in words for the record; nil where there is none.
    package let prescription: String?

    /// A use with all its facts.
    package init(
        signature: SignatureID, credential: CredentialID, certificate: Digest, bytesToSign: [UInt8], custody: String,
        requestID: String, prescription: String?
    ) {
        self.signature = signature
        self.credential = credential
        self.certificate = certificate
        self.bytesToSign = bytesToSign
        self.custody = custody
        self.requestID = requestID
        self.prescription = prescription
    }
}

extension AuditLog {
    /// Records durably that `permit` is about to be used; `step` runs in the same transaction and may refuse.
    ///
    /// Throws `.refused` with the step's failure, or `.stopped`: in both cases nothing was recorded that would allow
    /// a use.
    package func recordIntent(
        _ permit: consuming Permit, use: KeyUse, step: @escaping Step
    ) async throws(AuditError) -> Intent {
        let holder = permit.holder
        let form = permit.action.form.map { "\($0.rawValue):" } ?? ""
        var fields: [(DetailField, String)] = [
            (.holder, holder.description),
            (.signature, use.signature.description),
            (.document, "\(form)\(permit.occurrence.algorithm.rawValue):\(permit.occurrence.hex)"),
            (.key, "\(use.credential):\(use.certificate.hex)"),
            (.bytesToSign, Digest(of: use.bytesToSign).hex),
            permit.party.field,
            (.decision, "\(permit.rule):\(permit.policyHash.hex)"),
            (.request, use.requestID),
            (.custody, use.custody),
        ]
        if case .holder(let caller, _) = permit.party, let client = caller.client {
            fields.append((.client, client.description))
        }
        if let prescription = use.prescription { fields.append((.prescription, prescription)) }
        let entry = Entry(kind: .intent, holder: holder, fields: fields)
        let appended = try await append(entry, step: step)
        return Intent(signature: use.signature, sequence: appended.sequence, holder: holder, use: use)
    }
}

extension Permit.Party {
    /// Who opened the key, and how.
    fileprivate var field: (DetailField, String) {
        switch self {
        case .holder(let caller, _): (.activation, caller.activationText)
        case .authority(let authority, _): (.authority, authority.text)
        }
    }
}
