/// The kind of document whose signing form and policy apply.
package enum DocumentForm: String, Sendable, Hashable, CaseIterable {
    /// An electronic prescription: `PrescriptionDocument` signed by its prescriber.
    case prescription
    /// A dispensing result: `Dispensing`, with the prescription inside it, signed by the pharmacist.
    case dispensing
    /// Any other health document.
    case other
}

/// What a key is used for on one occurrence; a permit names exactly one.
package enum Action: Sendable, Hashable {
    /// Sign one document of a known form.
    case signDocument(DocumentForm)
    /// Sign one digest whose document is unknown to the service.
    case signDigest
    /// Prove possession of a new key in its certification request (RFC 2986).
    case provePossession

    /// The word that policies and audit records use.
    package var name: String {
        switch self {
        case .signDocument: "sign-document"
        case .signDigest: "sign-digest"
        case .provePossession: "prove-possession"
        }
    }

    /// The document's form, where the action has one.
    package var form: DocumentForm? {
        if case .signDocument(let form) = self { form } else { nil }
    }
}

/// How the holder proved who they are (the `acr` of a token).
package enum AuthenticationMethod: String, Sendable, Hashable, CaseIterable {
    case hpkiCard = "hpki-card"
    case jpkiCard = "jpki-card"
    case passkeyDevice = "passkey-device"
    case passkeySynced = "passkey-synced"
}
