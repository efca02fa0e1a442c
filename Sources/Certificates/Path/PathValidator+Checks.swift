import HPKI

extension PathValidator {
    /// The first fault of a path whose names and signatures hold: certain faults before missing knowledge.
    func fault(of chain: [HPKICertificate], at instant: Instant, revocationAsOf: Instant) -> PathFault? {
        for check in [extensionFault, validityFault(at: instant), authorityFault, leafFault] {
            if let fault = check(chain) { return fault }
        }
        let revocation = revocationFault(chain, at: revocationAsOf)
        if let revocation, revocation.isConclusive { return revocation }
        return constraintFault(chain) ?? revocation
    }

    private func extensionFault(_ chain: [HPKICertificate]) -> PathFault? {
        for (index, certificate) in chain.enumerated() {
            if let oid = certificate.unknownCriticalExtensions.first {
                return .unknownCriticalExtension(Self.member(index, of: chain), oid: oid)
            }
        }
        return nil
    }

    private func validityFault(at instant: Instant) -> ([HPKICertificate]) -> PathFault? {
        { chain in
            for (index, certificate) in chain.enumerated() {
                let member = Self.member(index, of: chain)
                if instant < certificate.notBefore { return .notYetValid(member, notBefore: certificate.notBefore) }
                // The last second belongs to the validity as a whole.
                if instant.wholeSecond > certificate.notAfter {
                    return .expired(member, notAfter: certificate.notAfter)
                }
            }
            return nil
        }
    }

    /// RFC 5280 §6.1.4 (k) to (n); an anchor from before basicConstraints is trusted as the operator chose it.
    private func authorityFault(_ chain: [HPKICertificate]) -> PathFault? {
        var authoritiesBelow = 0
        for (index, certificate) in chain.enumerated().dropFirst() {
            let member = Self.member(index, of: chain)
            let isAnchor = index == chain.count - 1
            guard certificate.isCA || (isAnchor && !certificate.extensions.hasBasicConstraints) else {
                return .basicConstraints(member)
            }
            guard certificate.keyUsage?.contains(.keyCertSign) != false else { return .keyCertSignMissing(member) }
            if let allowed = certificate.pathLength, authoritiesBelow > allowed {
                return .pathTooLong(member, allowed: allowed)
            }
            if !certificate.isSelfIssued { authoritiesBelow += 1 }
        }
        return nil
    }

    private func leafFault(_ chain: [HPKICertificate]) -> PathFault? {
        let leaf = chain[0]
        if leaf.isCA { return .leafIsAuthority }
        let found = leaf.keyUsage
        let isEnough = found.map {
            requirements.keyUsageIsExact ? $0 == requirements.keyUsage : $0.isSuperset(of: requirements.keyUsage)
        }
        guard isEnough ?? false else { return .keyUsage(found: found, required: requirements.keyUsage) }
        let purposes = leaf.extensions.extendedKeyUsages
        if let wanted = requirements.extendedKeyUsage {
            guard purposes.contains(wanted) else { return .extendedKeyUsage(found: purposes) }
        } else if leaf.extensions.isExtendedKeyUsageCritical {
            return .extendedKeyUsage(found: purposes)
        }
        guard
            requirements.acceptablePolicies.isEmpty || !requirements.acceptablePolicies.isDisjoint(with: leaf.policies)
        else { return .policyMissing(found: leaf.policies) }
        return nil
    }

    private func constraintFault(_ chain: [HPKICertificate]) -> PathFault? {
        for (index, certificate) in chain.enumerated() {
            if let oid = certificate.extensions.unappliedConstraints.first {
                return .unappliedConstraint(Self.member(index, of: chain), oid: oid)
            }
        }
        return nil
    }

    /// The certain revocation nearest to the anchor, or else the first knowledge that is missing.
    ///
    /// A certificate that its issuer revoked is bad whatever is unknown of the issuer: were the issuer's certificate
    /// revoked too, this one would be no better.
    private func revocationFault(_ chain: [HPKICertificate], at instant: Instant) -> PathFault? {
        guard requirements.revocation == .required else { return nil }
        var missing: PathFault?
        for index in chain.indices.dropLast().reversed() {
            guard let fault = revocationFault(of: index, in: chain, at: instant) else { continue }
            if fault.isConclusive { return fault }
            missing = missing ?? fault
        }
        return missing
    }

    private func revocationFault(of index: Int, in chain: [HPKICertificate], at instant: Instant) -> PathFault? {
        let member = Self.member(index, of: chain)
        let certificate = chain[index]
        guard let list = crls.current(for: certificate, issuedBy: chain[index + 1]) else {
            return .revocationUnknown(member)
        }
        if let entry = list.entry(for: certificate.serialNumber) {
            return entry.revokedAt <= instant
                ? .revoked(member, at: entry.revokedAt, reason: entry.reason)
                : .revokedLater(member, at: entry.revokedAt, reason: entry.reason)
        }
        guard let nextUpdate = list.nextUpdate, instant <= nextUpdate else {
            return .crlStale(member, nextUpdate: list.nextUpdate)
        }
        if certificate.notAfter < list.thisUpdate { return .crlAfterExpiry(member, thisUpdate: list.thisUpdate) }
        return nil
    }
}
