package import HPKI

/// What judging a time stamp came to.
package enum TimeStampJudgement: Sendable {
    case proven(ProvenTime)
    /// The time stamp certainly proves nothing.
    case failed(TimeStampFault)
    /// Not enough is known to call it good or bad; never to be taken for proof.
    case indeterminate(TimeStampFault)

    /// The proven time; throws the fault in both other cases.
    package func provenTime() throws(TimeStampFault) -> ProvenTime {
        switch self {
        case .proven(let time): return time
        case .failed(let fault), .indeterminate(let fault): throw fault
        }
    }

    /// The fault, or nil where the time is proven.
    package var fault: TimeStampFault? {
        switch self {
        case .proven: nil
        case .failed(let fault), .indeterminate(let fault): fault
        }
    }
}

/// A time at which data existed, by the word of an authority that is trusted; nothing but `judge` makes one.
package struct ProvenTime: Sendable {
    /// What the authority stated: imprint, time, accuracy, policy, serial number.
    package let info: TSTInfo
    /// From the authority's certificate to the anchor.
    package let chain: [HPKICertificate]
    /// The moment at which all this held.
    package let judgedAt: Instant

    /// The stated time.
    package var time: Instant { info.genTime }

    /// The first millisecond by which the data existed for certain: the stated time and its accuracy.
    ///
    /// An accuracy that is not stated counts as none, as in ETSI EN 319 102-1.
    package var latest: Instant {
        let accuracy = ((info.accuracyMicroseconds ?? 0) + 999) / 1000
        return Instant(milliseconds: info.genTime.milliseconds + accuracy + (info.isGenTimeCut ? 1 : 0))
    }

    fileprivate init(info: TSTInfo, chain: [HPKICertificate], at: Instant) {
        self.info = info
        self.chain = chain
        judgedAt = at
    }
}

extension TimeStampToken {
    /// Judges the token: that it is what was expected, by whom it is, and whether that authority is trusted.
    package func judge(
        for expected: TimeStampExpectation, _ requirements: TimeStampRequirements
    ) -> TimeStampJudgement {
        do throws(TimeStampFault) {
            try check(expected, requirements)
            let authority = try authority(requirements)
            try verify(by: authority.publicKey)
            try check(authority, requirements)
            let chain = try path(of: authority, requirements)
            return .proven(ProvenTime(info: unverifiedInfo, chain: chain, at: requirements.instant))
        } catch {
            return error.isConclusive ? .failed(error) : .indeterminate(error)
        }
    }

    /// Imprint, nonce, policy and accuracy (RFC 3161 §2.2).
    private func check(
        _ expected: TimeStampExpectation, _ requirements: TimeStampRequirements
    ) throws(TimeStampFault) {
        let info = unverifiedInfo
        guard info.imprint == expected.imprint else { throw .wrongImprint }
        if let nonce = expected.nonce {
            guard let found = info.nonce, DER.value(.integer, found) == DER.integer(nonce) else { throw .wrongNonce }
        }
        guard expected.policy == nil || expected.policy == info.policy,
            requirements.acceptablePolicies.isEmpty || requirements.acceptablePolicies.contains(info.policy)
        else { throw .policyNotAccepted(found: info.policy) }
        if let most = requirements.maximumAccuracyMicroseconds {
            guard let found = info.accuracyMicroseconds, found <= most else {
                throw .notAccurateEnough(microseconds: info.accuracyMicroseconds)
            }
        }
    }

    /// The certificate that the signer names and the signed attributes bind (RFC 5035 §5.4, RFC 5816 §2.2.1).
    private func authority(_ requirements: TimeStampRequirements) throws(TimeStampFault) -> HPKICertificate {
        let all = certificates + requirements.certificates
        guard all.contains(where: signer.names) else { throw .signerCertificateMissing }
        guard let bound = signingCertificate(among: requirements.certificates) else { throw .signerNotBound }
        return bound
    }

    /// The certificate of the token, or of `others`, that the signer names and the signed attributes bind; nil for none.
    package func signingCertificate(among others: [HPKICertificate] = []) -> HPKICertificate? {
        let identifiers = attributes.signingCertificates
        guard !identifiers.isEmpty else { return nil }
        return (certificates + others).first { certificate in
            signer.names(certificate) && identifiers.allSatisfy { $0.names(certificate) }
        }
    }

    /// The authority's purpose, key usage and name, and the stated time against its certificate and the clock.
    private func check(_ authority: HPKICertificate, _ requirements: TimeStampRequirements) throws(TimeStampFault) {
        let extensions = authority.extensions
        guard extensions.extendedKeyUsages == [OID.timeStamping], extensions.isExtendedKeyUsageCritical else {
            throw .purpose(found: extensions.extendedKeyUsages)
        }
        if let usage = authority.keyUsage {
            guard !usage.isEmpty, usage.isSubset(of: [.digitalSignature, .nonRepudiation]) else {
                throw .keyUsage(found: usage)
            }
        }
        if let name = unverifiedInfo.authority {
            guard name == GeneralName(authority.subject) || extensions.alternativeNames.contains(name) else {
                throw .otherAuthority
            }
        }
        let stated = unverifiedInfo.genTime
        guard authority.notBefore <= stated, stated.wholeSecond <= authority.notAfter else {
            throw .outsideCertificate(stated: stated)
        }
        guard stated <= requirements.instant.adding(seconds: requirements.toleranceSeconds) else {
            throw .fromTheFuture(stated: stated)
        }
    }

    private func path(
        of authority: HPKICertificate, _ requirements: TimeStampRequirements
    ) throws(TimeStampFault) -> [HPKICertificate] {
        let validator = PathValidator(
            trust: requirements.trust, crls: requirements.crls, ocsp: requirements.ocsp,
            requirements: requirements.path)
        do throws(PathFault) {
            return try validator.judge(
                authority, intermediates: requirements.certificates + certificates, at: requirements.instant
            ).holder().chain
        } catch {
            throw mayBeOlder(than: error) ? .certificateEnded(error) : .certificate(error)
        }
    }

    /// True where the fault is an end that came after the stated time, so that proof of existence before it would help.
    ///
    /// A revocation without a reason, or for a reason that casts doubt on the key, ends all that the key ever signed
    /// (RFC 3161 §4, clause 1).
    private func mayBeOlder(than fault: PathFault) -> Bool {
        let stated = unverifiedInfo.genTime
        switch fault {
        case .expired(_, let notAfter): return stated.wholeSecond <= notAfter
        case .revoked(_, let at, let reason?):
            let harmless: Set<RevocationReason> = [
                .unspecified, .affiliationChanged, .superseded, .cessationOfOperation,
            ]
            return stated < at && harmless.contains(reason)
        default: return false
        }
    }
}
