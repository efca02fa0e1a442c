internal import Certificates
internal import Formats
internal import HPKI

extension SignatureValidator {
    /// Judges each signer of a CMS signature; `detached` gives the content of one that is kept apart.
    func judgeCMS(
        _ bytes: [UInt8], _ detached: DetachedContent, at now: Instant, _ clock: JudgementClock
    ) -> ValidationReport {
        do throws(Finding) {
            let parsed = try ParsedCAdES(bytes)
            let content = CAdESContent(
                octets: detached.single ?? (detached.named.count == 1 ? detached.named.values.first : nil),
                digests: Array(detached.digests.values))
            let budget = JudgementBudget(clock)
            let reports = parsed.signers.indices.map { judge(parsed, signer: $0, content, budget, at: now) }
            return report(reports, [], at: now)
        } catch {
            return report([], [error], at: now)
        }
    }

    private func judge(
        _ parsed: ParsedCAdES, signer index: Int, _ content: CAdESContent, _ budget: JudgementBudget, at now: Instant
    ) -> SignatureReport {
        var report = SignatureReport(kind: .cades)
        let signer = parsed.signers[index]
        report.claimedSigningTime = signer.claimedSigningTime
        report.algorithms = Set([signer.digestAlgorithm, signer.signatureAlgorithm]).sorted()
        do throws(Finding) {
            let check = try CAdESCheck(parsed, signer: index, content: content, budget)
            judge(check.checked(budget), at: now, known: nil, into: &report)
            if !check.notUnderstood.isEmpty {
                report.findings.append(
                    .unknown(
                        .signatureConstraintsFailure, "signed-attribute-not-understood",
                        "The signer signed attributes that are not understood here."))
            }
        } catch {
            report.findings.append(error)
        }
        return report
    }
}

extension CAdESCheck {
    /// What the process of validation needs of this signature.
    func checked(_ budget: JudgementBudget) -> CheckedSignature {
        var stamps = signatureTimeStamps.map { stamp in
            CheckedSignature.TimeStamp(kind: .signature, token: stamp.token) { stamp.octets }
        }
        stamps += archiveTimeStamps.map { stamp in
            CheckedSignature.TimeStamp(
                kind: .archive, token: stamp.token, covered: stamp.protectedTimeStamps,
                certificates: Set(stamp.protected.certificates)
            ) { stamp.octets }
        }
        return CheckedSignature(
            certificate: certificate, others: others,
            covered: [.octets(count: coverage.byteCount ?? 0, isWhole: coverage.isAttached)],
            claimedSigningTime: claimedSigningTime, scheme: scheme, digests: [digestAlgorithm], timeStamps: stamps,
            // One SignedData holds what was kept for all certificates alike.
            material: material, timeStampMaterial: ValidationMaterial(), notExamined: notExamined, findings: [],
            budget: budget)
    }
}
