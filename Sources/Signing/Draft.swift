internal import CoreProtocol
internal import Formats
internal import HPKI
internal import XML

/// A document ready to be signed, with everything that core must know of it.
struct Draft {
    let document: UnsignedDocument
    /// SHA-256 over the inclusive canonical form of the data element.
    let digest: Digest
    let judgement: PrescriptionJudgement?
    /// The request's fields by name, in the order in which they are digested.
    private let fields: [(name: String, value: [UInt8])]

    /// A prescription around its records, or as its sender wrote it.
    init(prescription source: UnsignedPrescription, limits: SigningLimits) throws(Failure) {
        switch source {
        case .csv(let csv):
            document = DocumentTemplate.prescription(csv: try Records(prescription: csv, limits: limits).bytes)
            digest = try Self.digest(in: document, limits)
            fields = [("csv", csv)]
        case .document(let bytes):
            (document, digest) = try UnsignedForm.read(bytes, limits: limits)
            fields = [("document", bytes)]
        }
        judgement = nil
    }

    /// A dispensing result around the records and the prescription that they are about.
    init(
        dispensing csv: [UInt8], of carried: CarriedPrescription, _ judgement: PrescriptionJudgement,
        limits: SigningLimits
    ) throws(Failure) {
        let records = try Records(dispensing: csv, limits: limits)
        try carried.mustBeNamed(by: records)
        document = DocumentTemplate.dispensing(prescriptionContent: carried.content, csv: records.bytes)
        digest = try Self.digest(in: document, limits)
        self.judgement = judgement
        fields =
            [("prescription", carried.document.bytes), ("csv", csv)]
            + judgement.acknowledged.map { ("acknowledge", Array($0.utf8)) }
    }

    /// The digest of the data element in a document of our own making.
    private static func digest(in document: UnsignedDocument, _ limits: SigningLimits) throws(Failure) -> Digest {
        let unsigned: XMLDocument
        do {
            unsigned = try XMLDocument(parsing: document.unsigned, limits: limits.ofAnswers)
        } catch {
            // An id of the prescription may be one that the dispensing result has itself.
            throw Failure(.wrongDocument, "The prescription cannot be carried in a dispensing result: \(error).")
        }
        let id = document.form == .prescription ? "PrescriptionDocument" : "Dispensing"
        guard let element = unsigned.element(id: id) else { throw .surprised("the template lost its data element") }
        return Digest(of: Canonicalization.inclusive10.canonicalize(element))
    }

    /// What core is asked.
    func command(_ origin: RequestOrigin) throws(Failure) -> SignCommand {
        var idempotency: Idempotency?
        if let key = origin.idempotencyKey {
            idempotency = Idempotency(key: key, body: bodyDigest(credential: origin.credential))
            if idempotency == nil {
                throw Failure(.invalidIdempotencyKey, "An Idempotency-Key is 1 to 255 printable ASCII characters.")
            }
        }
        return SignCommand(
            requestID: origin.requestID, token: origin.token, form: document.form, digest: digest,
            credential: origin.credential, idempotency: idempotency, prescription: judgement
        )
    }

    /// SHA-256 over the decoded fields, each as: length of the name, name, length of the value, value.
    ///
    /// Lengths are 64 bits, big-endian; the fields stand in the order csv | document | prescription, csv, then each
    /// acknowledge, then credentialID where it was given; names and texts in UTF-8. The form comes first as the field
    /// `form`.
    private func bodyDigest(credential: CredentialID?) -> Digest {
        var all = [(name: "form", value: Array(document.form.rawValue.utf8))] + fields
        if let credential { all.append((name: "credentialID", value: Array(credential.description.utf8))) }
        var bytes: [UInt8] = []
        for field in all {
            for part in [Array(field.name.utf8), field.value] {
                for shift in stride(from: 56, through: 0, by: -8) {
                    bytes.append(UInt8(truncatingIfNeeded: UInt64(part.count) >> UInt64(shift)))
                }
                bytes += part
            }
        }
        return Digest(of: bytes)
    }

    /// Core's failure, with the reasons that the pharmacist would have to acknowledge.
    func explain(_ failure: Failure) -> Failure {
        guard failure.kind == .prescriptionIndeterminate, let judgement else { return failure }
        return Failure(
            failure.kind,
            failure.detail + " To dispense all the same, the pharmacist acknowledges each of the reasons by name in"
                + " the field acknowledge.",
            rule: failure.rule, reasons: judgement.reasons, retryAfter: failure.retryAfter, cause: failure.cause
        )
    }
}

extension SigningLimits {
    /// For documents as they come.
    var ofRequests: XMLLimits { XMLLimits(bytes: documentBytes) }
    /// For what is made of them.
    var ofAnswers: XMLLimits { XMLLimits(bytes: documentBytes + 2 * csvBytes + (1 << 16)) }
}
