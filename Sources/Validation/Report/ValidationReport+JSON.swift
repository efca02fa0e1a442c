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
    struct Policy: Encodable {
        let id: String
        let sha256: String?
    }

    let result: Verdict
    let judgedAt: String?
    let policy: Policy
    let findings: [RenderedFinding]
    let signatures: [RenderedSignature]

    init(_ report: ValidationReport) {
        result = report.result
        judgedAt = report.judgedAt.rfc3339
        policy = Policy(id: report.policy, sha256: report.policyDigest?.hex)
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

private struct RenderedTimeStamp: Encodable {
    let kind: TimeStampReport.Kind
    let indication: Indication
    let subIndication: SubIndication?
    let time: String?
    let authority: String?
    let policy: String?
    let isOfSignature: Bool
    let path: [String]
    let findings: [RenderedFinding]

    init(_ report: TimeStampReport) {
        kind = report.kind
        indication = report.indication
        subIndication = report.subIndication
        time = report.time?.rfc3339
        authority = report.authority
        policy = report.policy
        isOfSignature = report.isOfSignature
        path = report.path
        findings = report.findings.map(RenderedFinding.init)
    }
}

private struct RenderedSource: Encodable {
    let kind: RevocationSource.Kind
    let certificate: String
    let issuer: String
    let thisUpdate: String?
    let nextUpdate: String?
    let isEmbedded: Bool

    init(_ source: RevocationSource) {
        kind = source.kind
        certificate = source.certificate
        issuer = source.issuer
        thisUpdate = source.thisUpdate.rfc3339
        nextUpdate = source.nextUpdate?.rfc3339
        isEmbedded = source.isEmbedded
    }
}

private struct RenderedSignature: Encodable {
    let kind: SignatureReport.Kind
    let indication: Indication
    let subIndication: SubIndication?
    let level: String?
    let cryptographicallyGood: Bool
    let findings: [RenderedFinding]
    let remarks: [Remark]
    let coverage: SignatureReport.Coverage?
    let covered: [SignatureReport.Coverage]
    let signer: SignatureReport.Signer?
    let claimedSigningTime: String?
    let provenSigningTime: String?
    let timeStamps: [RenderedTimeStamp]
    let path: [String]
    let revocation: [RenderedSource]
    let algorithms: [String]
    let notExamined: [String]

    init(_ report: SignatureReport) {
        kind = report.kind
        indication = report.indication
        subIndication = report.subIndication
        level = report.level?.rawValue
        cryptographicallyGood = report.isCryptographicallyGood
        findings = report.findings.map(RenderedFinding.init)
        remarks = report.remarks
        coverage = report.coverage
        covered = report.covered
        signer = report.signer
        claimedSigningTime = report.claimedSigningTime?.rfc3339
        provenSigningTime = report.provenSigningTime?.rfc3339
        timeStamps = report.timeStamps.map(RenderedTimeStamp.init)
        path = report.path
        revocation = report.revocation.map(RenderedSource.init)
        algorithms = report.algorithms
        notExamined = report.notExamined
    }
}
