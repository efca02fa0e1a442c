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
        SignCommand(
            requestID: origin.requestID, token: origin.token, form: document.form, digests: [digest],
            credential: origin.credential, idempotency: try origin.idempotency(form: document.form, fields: fields),
            prescription: judgement
        )
    }
}

extension Failure {
    /// Core's failure, with the reasons that the pharmacist would have to acknowledge.
    func explained(by judgement: PrescriptionJudgement?) -> Failure {
        guard kind == .prescriptionIndeterminate, let judgement else { return self }
        return Failure(
            kind,
            detail + " To dispense all the same, the pharmacist acknowledges each of the reasons by name in"
                + " the field acknowledge.",
            rule: rule, reasons: judgement.reasons, retryAfter: retryAfter, cause: cause
        )
    }
}

extension SigningLimits {
    /// For documents as they come.
    var ofRequests: XMLLimits { XMLLimits(bytes: documentBytes) }
    /// For what is made of them: Base64 makes four bytes of three, and levels add certificates and lists.
    var ofAnswers: XMLLimits { XMLLimits(bytes: 2 * documentBytes + 2 * csvBytes + (1 << 20)) }
}
