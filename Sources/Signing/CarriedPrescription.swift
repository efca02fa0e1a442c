internal import CoreProtocol
internal import HPKI
internal import Validation
internal import XML

/// A signed prescription as it came, to be carried in a dispensing result byte for byte.
struct CarriedPrescription {
    let document: XMLDocument
    private let prescription: XMLElement

    /// What stands between `<Prescription>` and `</Prescription>`.
    var content: ArraySlice<UInt8> { document.bytes[prescription.contentRange] }

    init(_ bytes: [UInt8], limits: SigningLimits) throws(Failure) {
        document = try XMLDocument.received(bytes, limits)
        guard document.root.isNamed("Document", ""), document.root.children.count == 1,
            let prescription = document.root.firstChild("Prescription", "")
        else { throw Failure(.wrongDocument, "The field prescription must be a Document with one Prescription.") }
        guard let data = prescription.firstChild("PrescriptionDocument", "") else {
            throw Failure(.wrongDocument, "The prescription has no PrescriptionDocument.")
        }
        try prescription.mustDeclareOnlyXSI(data: data)
        try prescription.mustLeaveIDsOfSignatures()
        // Found only behind the use of the key otherwise, by the check of the finished document.
        guard document.element(id: "DispensingSign") == nil else {
            throw Failure(.wrongDocument, "The id DispensingSign is kept for what is made of the prescription.")
        }
        self.prescription = prescription
    }

    /// Judges the prescriber's signature, role and certificate; throws `.prescriptionRejected` where it failed, and
    /// `.judgementTimedOut`.
    func judge(
        by validator: SignatureValidator, at now: Instant, until deadline: JudgementDeadline, acknowledged: [String]
    ) throws(Failure) -> PrescriptionJudgement {
        let report: ValidationReport
        do { report = try validator.judge(document, at: now, until: deadline) } catch { throw Failure(error) }
        switch report.result {
        case .failed:
            throw Failure(
                .prescriptionRejected, "The prescription's signature does not hold or its signer may not prescribe.",
                reasons: report.reasons
            )
        case .indeterminate:
            return PrescriptionJudgement(verdict: .indeterminate, reasons: report.reasons, acknowledged: acknowledged)
        case .passed:
            return PrescriptionJudgement(verdict: .passed, reasons: [], acknowledged: acknowledged)
        }
    }

    /// Record 7 must name this prescription, once, where the prescription has its number already.
    func mustBeNamed(by records: Records) throws(Failure) {
        // Nothing signs PrescriptionManagement, so a second number may have been put into it.
        let ids = prescription.firstChild("PrescriptionManagement", "")?.children("PrescriptionId", "") ?? []
        guard !ids.isEmpty else { return }
        let named = records.prescriptionIDs
        guard named.count == 1,
            ids.allSatisfy({ $0.attribute("Value").map { named[0].elementsEqual($0.utf8) } ?? false })
        else {
            throw Failure(
                .prescriptionMismatch, "Record 7 of the CSV does not name the prescription that is to be dispensed."
            )
        }
    }
}
