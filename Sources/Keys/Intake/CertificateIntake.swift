package import Certificates
package import HPKI

/// Judges the certificates that an authority delivers for keys made here; pure.
///
/// What is accepted also passes the judgement before every signature (`CertificateWatch`), as soon as it is valid.
package struct CertificateIntake: Sendable {
    package let remit: AuthorityRemit
    package let trust: TrustStore
    package let crls: CRLStore
    /// Dotted OIDs of which a certificate must name one; empty for no requirement.
    package let acceptablePolicies: Set<String>
    /// The texts of hcRole that are known here, whoever may certify them.
    package let knownRoles: Set<String>
    /// The longest validity; by default 5 years and 31 days.
    package var longestValiditySeconds: Int64 = (5 * 365 + 2 + 31) * 86_400
    /// How far ahead the validity of a certificate that takes over later may begin; by default 90 days.
    package var furthestStartSeconds: Int64 = 90 * 86_400

    /// The judge of one authority's certificates over a snapshot of trust and revocation data.
    package init(
        remit: AuthorityRemit, trust: TrustStore, crls: CRLStore, acceptablePolicies: Set<String>,
        knownRoles: Set<String>
    ) {
        self.remit = remit
        self.trust = trust
        self.crls = crls
        self.acceptablePolicies = acceptablePolicies
        self.knownRoles = knownRoles
    }

    /// Reads and judges one certificate in DER; throws `.certificateRefused` with the code of every reason found.
    ///
    /// `publicKey` is the key's SubjectPublicKeyInfo, `registered` what the registry says of its holder, `takesOverAt`
    /// when the certificate is to come into use where that is not now. A subject's `serialNumber` is the authority's
    /// own id of the holder, so any is good unless `expectedSubjectSerial` is given. `seenSerial` is told the issuer's
    /// Name in DER and the contents octets of the serial number, and says whether they were seen before.
    package func judge(
        der: [UInt8], for publicKey: [UInt8], roles registered: [HCRole], takesOverAt: Instant? = nil,
        expectedSubjectSerial: String? = nil,
        seenSerial: (_ issuer: [UInt8], _ serialNumber: [UInt8]) throws(Failure) -> Bool, at now: Instant
    ) throws(Failure) -> HPKICertificate {
        let certificate: HPKICertificate
        do throws(CertificateError) {
            certificate = try HPKICertificate(der: der)
        } catch {
            throw Self.refusal([.unreadable], cause: error.explanation)
        }
        let path = pathFaults(of: certificate, at: now)
        var found = Set(path.compactMap(Reason.init))
        if certificate.publicKey.subjectPublicKeyInfo != publicKey { found.insert(.otherPublicKey) }
        if try seenSerial(certificate.issuer.der, certificate.serialNumber) { found.insert(.serialSeen) }
        if let expected = expectedSubjectSerial, certificate.subject.first(OID.serialNumber) != expected {
            found.insert(.otherHolder)
        }
        if !remit.hasIssued(certificate) {
            // Under the name of one of its issuers a signature that does not hold is a broken chain, and told as one.
            let isNamed = remit.issuers.contains { $0.subject == certificate.issuer }
            if !isNamed || found.isDisjoint(with: [.brokenChain, .untrustedChain]) { found.insert(.otherAuthority) }
        }
        found.formUnion(roleReasons(certificate.roles, registered: registered))
        found.formUnion(dateReasons(certificate, takesOverAt: takesOverAt, at: now))
        guard found.isEmpty, path.isEmpty else {
            throw Self.refusal(found, cause: path.map(\.explanation).joined(separator: " "))
        }
        return certificate
    }

    /// What stands against the certificate by the rules for signing, and what stands behind faults of its own fields.
    ///
    /// Both as of a moment of its own validity, since dates are judged apart, but with what is known of revocation now.
    private func pathFaults(of certificate: HPKICertificate, at now: Instant) -> [PathFault] {
        var strict = PathRequirements.hpkiSigning
        strict.acceptablePolicies = acceptablePolicies
        let lax = PathRequirements(acceptablePolicies: [], keyUsage: [], keyUsageIsExact: false)
        let moment = min(max(now, certificate.notBefore), certificate.notAfter)
        var faults: [PathFault] = []
        for requirements in [strict, lax] {
            let judgement = PathValidator(trust: trust, crls: crls, requirements: requirements).judge(
                certificate, intermediates: remit.issuers, at: moment, revocationAsOf: now)
            guard let fault = judgement.fault else { break }
            // Of an expired certificate, lists tell nothing any more; that it expired is told by its dates.
            if case .crlAfterExpiry(.leaf, _) = fault, certificate.notAfter < now { continue }
            if !faults.contains(fault) { faults.append(fault) }
        }
        // Behind a wrong usage a wrong policy is not reached.
        if !acceptablePolicies.isEmpty, acceptablePolicies.isDisjoint(with: certificate.policies) {
            faults.append(.policyMissing(found: certificate.policies))
        }
        if certificate.keyUsage != .nonRepudiation {
            faults.append(.keyUsage(found: certificate.keyUsage, required: .nonRepudiation))
        }
        return faults
    }

    private func roleReasons(_ roles: [HCRole], registered: [HCRole]) -> Set<Reason> {
        guard !roles.isEmpty else { return [.noRole] }
        var reasons: Set<Reason> = []
        for role in roles {
            guard knownRoles.contains(role.description) else {
                reasons.insert(.unknownRole)
                continue
            }
            if !remit.roles.contains(role.description) { reasons.insert(.roleOutsideRemit) }
            if !registered.contains(role) { reasons.insert(.roleNotRegistered) }
        }
        return reasons
    }

    private func dateReasons(
        _ certificate: HPKICertificate, takesOverAt: Instant?, at now: Instant
    ) -> Set<Reason> {
        let (start, end) = (certificate.notBefore, certificate.notAfter)
        guard start <= end else { return [.validityReversed] }
        var reasons: Set<Reason> = []
        // The last second belongs to the validity as a whole.
        if max(now, takesOverAt ?? now).wholeSecond > end { reasons.insert(.expired) }
        if start > now {
            let isInTime = takesOverAt.map { $0 >= start } ?? false
            if !isInTime || start > now.adding(seconds: furthestStartSeconds) { reasons.insert(.notYetValid) }
        }
        if end > start.adding(seconds: longestValiditySeconds) { reasons.insert(.validityTooLong) }
        return reasons
    }

    private static func refusal(_ found: Set<Reason>, cause: String) -> Failure {
        let reasons = Reason.allCases.filter(found.contains)
        return Failure(
            .certificateRefused, "The certificate is refused: \(reasons.map(\.text).joined(separator: "; ")).",
            reasons: reasons.map(\.rawValue), cause: cause.isEmpty ? nil : cause)
    }
}
