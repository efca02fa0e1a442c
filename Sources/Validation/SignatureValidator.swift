package import Certificates
internal import Formats
package import HPKI
package import XML

/// Judges XML and CMS signatures: those of prescriptions and dispensing results by their forms, any other by what it covers
/// (after ETSI EN 319 102-1 §5).
///
/// Stricter than the standard where the form is known: an algorithm or role outside it fails instead of staying
/// indeterminate.
package struct SignatureValidator: Sendable {
    /// The most signatures of one document.
    package static let signatureLimit = 16

    private let trust: TrustStore
    private let crls: CRLStore
    private let ocsp: [OCSPResponse]
    private let timeStamps: TimeStampTrust
    private let requirements: PathRequirements
    private let policy: ValidationPolicy

    /// A validator over one snapshot of trust and revocation data.
    package init(
        trust: TrustStore, crls: CRLStore, ocsp: [OCSPResponse] = [], timeStamps: TimeStampTrust = TimeStampTrust(),
        requirements: PathRequirements = .hpkiSigning, policy: ValidationPolicy = .standard
    ) {
        self.trust = trust
        self.crls = crls
        self.ocsp = ocsp
        self.timeStamps = timeStamps
        self.requirements = requirements
        self.policy = policy
    }

    /// Knows no anchor, so nothing passes: good cryptography stays indeterminate.
    package static let trustingNobody = SignatureValidator(trust: TrustStore(anchors: []), crls: CRLStore())

    /// Whether a document has any mark of a prescription or dispensing result, and so is judged by their forms alone.
    package static func isForm(_ document: XMLDocument) -> Bool { SignaturePlaces.isForm(document) }

    /// Judges a document, XML or CMS, from its bytes; one that cannot be read has failed.
    package func judge(_ bytes: [UInt8], detached: DetachedContent = .none, at now: Instant) -> ValidationReport {
        judge(bytes, detached, at: now, JudgementClock())
    }

    /// The same for documents of strangers, which may be made to take long; throws `.outOfTime`.
    package func judge(
        _ bytes: [UInt8], detached: DetachedContent = .none, at now: Instant, until deadline: JudgementDeadline
    ) throws(JudgementError) -> ValidationReport {
        try judging(until: deadline) { judge(bytes, detached, at: now, $0) }
    }

    /// Judges a document that was read before.
    package func judge(
        _ document: XMLDocument, detached: DetachedContent = .none, at now: Instant
    ) -> ValidationReport {
        judge(document, detached, at: now, JudgementClock())
    }

    /// The same for documents of strangers, which may be made to take long; throws `.outOfTime`.
    package func judge(
        _ document: XMLDocument, detached: DetachedContent = .none, at now: Instant, until deadline: JudgementDeadline
    ) throws(JudgementError) -> ValidationReport {
        try judging(until: deadline) { judge(document, detached, at: now, $0) }
    }

    private func judging(
        until deadline: JudgementDeadline, _ body: (JudgementClock) -> ValidationReport
    ) throws(JudgementError) -> ValidationReport {
        let clock = JudgementClock(until: deadline)
        let report = body(clock)
        guard !clock.hasRunOut else { throw .outOfTime }
        return report
    }

    private func judge(
        _ bytes: [UInt8], _ detached: DetachedContent, at now: Instant, _ clock: JudgementClock
    ) -> ValidationReport {
        // A SEQUENCE: no XML document begins so.
        if bytes.first == 0x30 { return judgeCMS(bytes, detached, at: now, clock) }
        do {
            return judge(try XMLDocument(parsing: bytes), detached, at: now, clock)
        } catch {
            let finding = Finding.format("not-well-formed", "The document is refused by the XML reader: \(error).")
            return report([], [finding], at: now)
        }
    }

    private func judge(
        _ document: XMLDocument, _ detached: DetachedContent, at now: Instant, _ clock: JudgementClock
    ) -> ValidationReport {
        do {
            guard SignaturePlaces.isForm(document) else {
                return report(try judgeAll(of: document, detached, at: now, clock), [], at: now)
            }
            let places = try SignaturePlaces(in: document)
            // The outer signature covers the inner one, so its proven time is one at which the inner one existed.
            var known: Instant?
            var reports: [SignatureReport] = []
            for place in places.places.reversed() {
                let outcome = judge(place, known: known, at: now, clock)
                if outcome.isCryptographicallyGood { known = outcome.provenSigningTime }
                reports.insert(outcome, at: 0)
            }
            return report(reports, places.findings, at: now)
        } catch {
            return report([], [error], at: now)
        }
    }

    func report(_ signatures: [SignatureReport], _ findings: [Finding], at now: Instant) -> ValidationReport {
        ValidationReport(
            signatures: signatures, findings: findings, judgedAt: now, policy: policy.id, policyDigest: policy.digest)
    }

    // MARK: Documents of any other kind

    private func judgeAll(
        of document: XMLDocument, _ detached: DetachedContent, at now: Instant, _ clock: JudgementClock
    ) throws(Finding) -> [SignatureReport] {
        let elements = document.signatures
        guard !elements.isEmpty else { throw .format("no-signature", "The document holds no signature.") }
        guard elements.count <= Self.signatureLimit else {
            throw .format("too-many-signatures", "The document holds more than \(Self.signatureLimit) signatures.")
        }
        let budget = JudgementBudget(clock)
        return elements.map { element in
            judge(.xades, at: now, known: nil) { () throws(Finding) in
                try ParsedSignature(element, .any)
            } check: { (signature) throws(Finding) in
                try XAdESCheck(signature, detached, budget)
            }
        }
    }

    // MARK: The e-prescription forms

    private func judge(
        _ place: SignaturePlace, known: Instant?, at now: Instant, _ clock: JudgementClock
    ) -> SignatureReport {
        judge(place.kind, at: now, known: known) { () throws(Finding) in
            try ParsedSignature(place.signature, .ePrescription)
        } check: { (signature) throws(Finding) in
            try XAdESCheck(signature, at: place, JudgementBudget(clock))
        }
    }

    // MARK: One signature

    private func judge(
        _ kind: SignatureReport.Kind, at now: Instant, known: Instant?,
        parse: () throws(Finding) -> ParsedSignature, check: (ParsedSignature) throws(Finding) -> XAdESCheck
    ) -> SignatureReport {
        var report = SignatureReport(kind: kind)
        do throws(Finding) {
            let signature = try parse()
            report.describe(signature)
            if let certificate = try? XAdESCheck.certificateNamed(by: signature) { report.describe(certificate) }
            let checked = try check(signature).checked
            judge(checked, at: now, known: known, into: &report)
            report.findings += judgeProperties(signature.properties)
        } catch {
            report.findings.append(error)
        }
        return report
    }

    /// Judges a signature whose cryptography holds, of whatever format, and writes it into `report`.
    func judge(_ checked: CheckedSignature, at now: Instant, known: Instant?, into report: inout SignatureReport) {
        report.describe(checked.certificate)
        report.isCryptographicallyGood = true
        report.covered = checked.covered
        report.notExamined = checked.notExamined
        report.claimedSigningTime = checked.claimedSigningTime
        let process = ValidationProcess(
            trust: trust, crls: crls, ocsp: ocsp, timeStamps: timeStamps, requirements: requirements, policy: policy,
            now: now)
        let conclusion = process.judge(checked, known: known)
        report.findings += judgeRole(of: checked.certificate, as: report.kind) + conclusion.findings
        report.remarks = conclusion.remarks
        report.provenSigningTime = conclusion.provenSigningTime
        report.timeStamps = conclusion.timeStamps
        report.path = conclusion.path
        report.revocation = conclusion.revocation
        report.level = conclusion.level
    }

    private func judgeProperties(_ properties: SignedProperties?) -> [Finding] {
        guard let properties, !properties.notUnderstood.isEmpty else { return [] }
        return [
            .unknown(
                .signatureConstraintsFailure, "signed-property-not-understood",
                "The signer signed properties that are not understood here."
            )
        ]
    }

    private func judgeRole(of certificate: HPKICertificate, as kind: SignatureReport.Kind) -> [Finding] {
        let entitled = policy.roles[kind.form] ?? []
        // By bytes: texts that merely look alike are not the same role.
        let fits = certificate.roles.contains { role in
            entitled.contains { $0.utf8.elementsEqual(role.description.utf8) }
        }
        if fits || entitled.isEmpty { return [] }
        return [
            .failed(
                .signatureConstraintsFailure, "role-not-of-form",
                "The signer's certificate has no role that may sign this kind of document."
            )
        ]
    }
}

extension SignatureReport {
    fileprivate mutating func describe(_ signature: ParsedSignature) {
        claimedSigningTime = signature.properties?.signingTime
        notExamined = signature.properties?.unsigned.notExamined ?? []
        let met =
            [signature.method.method.algorithm, signature.signatureMethod]
            + signature.references.flatMap { [$0.method.method.algorithm, $0.digestMethod] }
        algorithms = Set(met).sorted()
    }

    fileprivate mutating func describe(_ certificate: HPKICertificate) {
        signer = Signer(
            commonName: certificate.commonName, japaneseName: certificate.japaneseName,
            roles: certificate.roles.map(\.description), authority: certificate.issuer.text,
            serialNumber: certificate.serialHex, fingerprint: certificate.fingerprint.hex
        )
    }
}
