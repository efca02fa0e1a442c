internal import Certificates
internal import Formats
internal import HPKI

/// The validation of one signature whose cryptography holds, of whatever format (ETSI EN 319 102-1 §5.3, §5.5, §5.6).
///
/// A pure function of the signature, of what is trusted and known, of the policy and of the moment of judgement.
struct ValidationProcess {
    let trust: TrustStore
    let crls: CRLStore
    let ocsp: [OCSPResponse]
    let timeStamps: TimeStampTrust
    let requirements: PathRequirements
    let policy: ValidationPolicy
    let now: Instant

    /// What is found of a signature beyond its cryptography.
    struct Conclusion {
        var findings: [Finding]
        var remarks: [Remark] = []
        var provenSigningTime: Instant?
        var timeStamps: [TimeStampReport]
        /// Subjects from the signer to the anchor; empty where no path holds.
        var path: [String] = []
        var revocation: [RevocationSource] = []
        var level: SignatureLevel
    }

    /// `known` is a moment at which the whole signature existed, by proof from outside of it.
    func judge(_ signature: CheckedSignature, known: Instant? = nil) -> Conclusion {
        let own = [signature.material, signature.timeStampMaterial]
        let stampData = KnownRevocation(
            timeStamps.trust, timeStamps.crls, timeStamps.ocsp, own, signature.budget)
        let times = TimeStampProcess(trust: timeStamps, policy: policy, now: now, budget: signature.budget)
            .judge(
                signature.timeStamps, stampData, known: known,
                certificates: own.flatMap(\.certificates) + signature.others.map(\.der))
        var conclusion = Conclusion(
            findings: signature.findings, provenSigningTime: times.earliest, timeStamps: times.reports,
            level: Self.level(of: signature, times.reports))
        conclusion.findings += policy.findings(on: signature, at: now, proven: times.earliest)
        let data = KnownRevocation(trust, crls, ocsp, own, signature.budget)
        judgePath(of: signature, data, times, &conclusion)
        judgeOrder(of: signature, times, &conclusion)
        return conclusion
    }

    // MARK: The certificate (§5.3.4, §5.6.2)

    private func judgePath(
        of signature: CheckedSignature, _ data: KnownRevocation, _ times: ProvenTimes, _ conclusion: inout Conclusion
    ) {
        let strangers = signature.others + data.certificates
        func attempt(at moment: Instant, isProven: Bool) -> PathJudgement {
            var requirements = requirements
            requirements.minimumModulusBits = policy.minimumModulusBits
            if let policies = policy.certificatePolicies { requirements.acceptablePolicies = policies }
            requirements.isExistenceProven = isProven
            return PathValidator(trust: trust, crls: data.crls, ocsp: data.answers, requirements: requirements)
                .judge(signature.certificate, intermediates: strangers, at: moment)
        }
        guard signature.budget.isInTime() else { return }
        let claimed = signature.claimedSigningTime
        let present = attempt(at: now, isProven: false)
        guard let fault = present.fault else { return take(present, data, at: now, times, &conclusion) }
        guard fault.mayBeSettledByProof, let proven = times.earliest else {
            return conclusion.findings.append(fault.finding(signedAt: claimed))
        }
        let past = attempt(at: proven, isProven: true)
        guard past.fault == nil else {
            return conclusion.findings.append((past.fault ?? fault).finding(signedAt: claimed))
        }
        take(past, data, at: proven, times, &conclusion)
        // Data that are missing today are settled too, and nothing to speak of.
        if fault.isEnd { conclusion.remarks.append(Remark(fault)) }
    }

    /// The signer's certificate is as old as the signature, which names it; those above it are proven on their own.
    private func take(
        _ judgement: PathJudgement, _ data: KnownRevocation, at moment: Instant, _ times: ProvenTimes,
        _ conclusion: inout Conclusion
    ) {
        guard case .valid(let holder) = judgement else { return }
        conclusion.path = holder.chain.map(\.subject.text)
        conclusion.revocation = data.sources(for: holder.chain, at: moment)
        conclusion.findings += policy.findings(on: holder.chain, trust, at: now) { certificate in
            certificate == holder.certificate ? times.earliest : times.certificates[certificate.der]
        }
    }

    // MARK: Times (§5.5.4)

    private func judgeOrder(of signature: CheckedSignature, _ times: ProvenTimes, _ conclusion: inout Conclusion) {
        if let claimed = signature.claimedSigningTime {
            if claimed > now.adding(seconds: policy.toleranceSeconds) {
                conclusion.findings.append(
                    .unknown(
                        .notYetValid, "signing-time-in-future", "The signature claims a time that has not come yet."))
            } else if let earliest = times.earliest, claimed > earliest.adding(seconds: policy.toleranceSeconds) {
                conclusion.findings.append(
                    .unknown(
                        .timeStampOrderFailure, "signing-time-after-time-stamp",
                        "The signature claims a later time than the one at which it is proven to have existed."))
            }
        }
        if let earliest = times.earliest, earliest < signature.certificate.notBefore {
            conclusion.findings.append(
                .failed(
                    .notYetValid, "time-stamp-before-certificate",
                    "The time stamp is older than the certificate by which the signature was made."))
        }
        if times.isOutOfOrder {
            conclusion.findings.append(
                .unknown(
                    .timeStampOrderFailure, "time-stamps-out-of-order",
                    "A time stamp states a later time than another one that covers it."))
        }
    }

    /// The level by what the signature holds and what is true to itself, whoever is trusted.
    private static func level(of signature: CheckedSignature, _ reports: [TimeStampReport]) -> SignatureLevel {
        func has(_ kind: TimeStampReport.Kind) -> Bool {
            reports.contains { $0.kind == kind && $0.isOfSignature && $0.isTrueToItself }
        }
        let material = signature.material
        guard has(.signature) else { return .bB }
        guard !material.crls.isEmpty || !material.ocspResponses.isEmpty else { return .bT }
        return has(.archive) ? .bLTA : .bLT
    }
}

extension Remark {
    /// What has come over the certificate since, which the proven time settles.
    fileprivate init(_ fault: PathFault) {
        self.init(
            reason: fault.isRevocation ? "revoked-after-signature" : "expired-after-signature",
            sentence: fault.explanation + " The signature is proven to be older.")
    }
}
