internal import Certificates
internal import HPKI

/// What the time stamps of one signature come to.
struct ProvenTimes {
    /// In the order in which they were added.
    var reports: [TimeStampReport] = []
    /// The earliest moment at which the signature is proven to have existed.
    var earliest: Instant?
    /// The earliest moment at which a certificate (DER) is proven to have existed, beside the signer's own.
    var certificates: [[UInt8]: Instant] = [:]
    /// True where time stamps contradict each other.
    var isOutOfOrder = false
}

/// Judges time stamps from the last to the first, each archive time stamp proving the existence of all before it
/// (ETSI EN 319 102-1 §5.4, §5.6.3).
struct TimeStampProcess {
    let trust: TimeStampTrust
    let policy: ValidationPolicy
    let now: Instant
    let budget: JudgementBudget

    /// `known` is a moment at which the whole signature existed, by proof from outside of it, with all `certificates`
    /// (DER) that stand in it.
    func judge(
        _ stamps: [CheckedSignature.TimeStamp], _ data: KnownRevocation, known: Instant?, certificates: [[UInt8]]
    ) -> ProvenTimes {
        var result = ProvenTimes(earliest: known)
        if let known { for der in certificates { result.certificates[der] = known } }
        var archives: [(covered: Set<[UInt8]>?, latest: Instant)] = []
        for stamp in stamps.reversed() {
            guard budget.isInTime() else { break }
            let covering = archives.filter { $0.covered?.contains(stamp.token) ?? true }.map(\.latest)
            let proven = (covering + [known].compactMap(\.self)).min()
            let (report, time) = judge(stamp, data, existedAt: proven, result.certificates)
            result.reports.insert(report, at: 0)
            guard let time else { continue }
            // What an archive time stamp covers existed before it.
            if let proven, time.time > proven.adding(seconds: policy.toleranceSeconds) { result.isOutOfOrder = true }
            result.earliest = [result.earliest, time.latest].compactMap(\.self).min()
            guard stamp.kind == .archive else { continue }
            archives.append((stamp.covered, time.latest))
            for der in stamp.certificates {
                result.certificates[der] = min(result.certificates[der] ?? time.latest, time.latest)
            }
        }
        return result
    }

    private func judge(
        _ stamp: CheckedSignature.TimeStamp, _ data: KnownRevocation, existedAt proven: Instant?,
        _ certificates: [[UInt8]: Instant]
    ) -> (TimeStampReport, ProvenTime?) {
        var report = TimeStampReport(kind: stamp.kind)
        let token: TimeStampToken
        do throws(TimeStampFault) {
            token = try TimeStampToken(der: stamp.token)
        } catch {
            report.take(error)
            return (report, nil)
        }
        report.time = token.unverifiedInfo.genTime
        report.policy = token.unverifiedInfo.policy
        guard let octets = stamp.octets() else {
            report.findings = [
                .unknown(.signedDataNotFound, "detached-content-missing", "Data under the time stamp are not at hand.")
            ]
            return (report, nil)
        }
        let imprint = Digest(of: octets, by: token.unverifiedInfo.imprint.algorithm)
        report.isOfSignature = imprint == token.unverifiedInfo.imprint
        let expected = TimeStampExpectation(imprint: imprint)
        let result = judge(token, expected, data, existedAt: proven)
        switch result {
        case .success(let time):
            report.authority = time.chain[0].subject.text
            report.path = time.chain.map(\.subject.text)
            // By an algorithm that counts no more it proves nothing, unless it is proven to be older.
            report.findings = policy.findings(
                on: token, time.chain, trust.trust, at: now, proven: proven, certificates: certificates)
            return (report, report.findings.isEmpty ? time : nil)
        case .failure(let fault):
            report.authority = token.certificates.first { !$0.isCA }?.subject.text
            report.take(fault)
            return (report, nil)
        }
    }

    /// As of now; where the authority's certificate has ended or its revocation is unknown now, as of the moment at which
    /// the token is proven to have existed.
    private func judge(
        _ token: TimeStampToken, _ expected: TimeStampExpectation, _ data: KnownRevocation, existedAt proven: Instant?
    ) -> Result<ProvenTime, TimeStampFault> {
        func attempt(at moment: Instant, isProven: Bool) -> Result<ProvenTime, TimeStampFault> {
            var requirements = TimeStampRequirements(trust: trust.trust, crls: data.crls, at: moment)
            requirements.ocsp = data.answers
            requirements.certificates = data.certificates
            requirements.toleranceSeconds = policy.toleranceSeconds
            requirements.acceptablePolicies = policy.timeStampPolicies
            requirements.maximumAccuracyMicroseconds = policy.timeStampAccuracySeconds.map { $0 * 1_000_000 }
            requirements.path.minimumModulusBits = policy.minimumModulusBits
            requirements.path.isExistenceProven = isProven
            return Result { () throws(TimeStampFault) in try token.judge(for: expected, requirements).provenTime() }
        }
        let present = attempt(at: now, isProven: false)
        guard case .failure(let fault) = present, fault.mayBeSettledByProof, let proven else { return present }
        return attempt(at: proven, isProven: true)
    }
}

extension TimeStampReport {
    fileprivate mutating func take(_ fault: TimeStampFault) {
        findings = [
            fault.isConclusive && fault.subIndication != .cryptoConstraintsFailure
                ? .failed(fault.subIndication, fault.reason, fault.explanation)
                : .unknown(fault.subIndication, fault.reason, fault.explanation)
        ]
        isTrueToItself = fault.isOfTrustAlone && !fault.isConclusive
    }
}
