internal import Foundation
internal import HPKI

extension ValidationReport {
    /// The report as one JSON object, keys sorted, for programs.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(Rendering(self)) else {
            return "{\"result\":\"failed\",\"signatures\":[]}"
        }
        return String(decoding: data, as: UTF8.self)
    }
}

private struct Rendering: Encodable {
    let result: Verdict
    let judgedAt: String?
    let findings: [RenderedFinding]
    let signatures: [RenderedSignature]

    init(_ report: ValidationReport) {
        result = report.result
        judgedAt = report.judgedAt.rfc3339
        findings = report.findings.map(RenderedFinding.init)
        signatures = report.signatures.map(RenderedSignature.init)
    }
}

private struct RenderedFinding: Encodable {
    let indication: Indication
    let subIndication: SubIndication
    let reason: String
    let sentence: String

    init(_ finding: Finding) {
        indication = finding.indication
        subIndication = finding.subIndication
        reason = finding.reason
        sentence = finding.sentence
    }
}

private struct RenderedSignature: Encodable {
    let kind: SignatureReport.Kind
    let indication: Indication
    let subIndication: SubIndication?
    let cryptographicallyGood: Bool
    let findings: [RenderedFinding]
    let coverage: SignatureReport.Coverage?
    let signer: SignatureReport.Signer?
    let claimedSigningTime: String?
    let algorithms: [String]
    let notExamined: [String]

    init(_ report: SignatureReport) {
        kind = report.kind
        indication = report.indication
        subIndication = report.subIndication
        cryptographicallyGood = report.isCryptographicallyGood
        findings = report.findings.map(RenderedFinding.init)
        coverage = report.coverage
        signer = report.signer
        claimedSigningTime = report.claimedSigningTime?.rfc3339
        algorithms = report.algorithms
        notExamined = report.notExamined
    }
}
