import HPKI

extension PathSearch {
    /// The first fault of a path whose names and signatures hold: certain faults before missing knowledge.
    mutating func fault(of chain: [HPKICertificate], _ requirements: PathRequirements) -> PathFault? {
        let certain =
            extensionFault(chain) ?? validityFault(chain) ?? authorityFault(chain)
            ?? strengthFault(chain, requirements) ?? leafFault(chain, requirements)
        if let certain { return certain }
        let names = nameFault(chain)
        if let names, names.isConclusive { return names }
        guard PolicyProcessing.accepts(chain, requirements.policies) else { return .policyNotValid }
        let revocation = requirements.revocation == .required ? revocationFault(chain, requirements) : nil
        if let revocation, revocation.isConclusive { return revocation }
        return names ?? revocation
    }

    private func extensionFault(_ chain: [HPKICertificate]) -> PathFault? {
        for (index, certificate) in chain.enumerated() {
            if let oid = certificate.unknownCriticalExtensions.first {
                return .unknownCriticalExtension(Self.member(index, of: chain), oid: oid)
            }
        }
        return nil
    }

    private func validityFault(_ chain: [HPKICertificate]) -> PathFault? {
        for (index, certificate) in chain.enumerated() {
            let member = Self.member(index, of: chain)
            if instant < certificate.notBefore { return .notYetValid(member, notBefore: certificate.notBefore) }
            // The last second belongs to the validity as a whole.
            if instant.wholeSecond > certificate.notAfter { return .expired(member, notAfter: certificate.notAfter) }
        }
        return nil
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

    /// Keys that are long enough, and purposes that every certificate with extKeyUsage allows.
    ///
    /// A copy of an authority's certificate that came along does not allow what the operator's own copy forbids.
    private func strengthFault(_ chain: [HPKICertificate], _ requirements: PathRequirements) -> PathFault? {
        for (index, certificate) in chain.enumerated() {
            let member = Self.member(index, of: chain)
            if case .rsa(let bits) = certificate.publicKey.kind, bits < requirements.minimumModulusBits {
                return .weakKey(member, bits: bits, required: requirements.minimumModulusBits)
            }
            guard index > 0, let wanted = requirements.extendedKeyUsage else { continue }
            let copies = (trust.anchors + trust.intermediates).filter {
                $0.subject == certificate.subject && $0.publicKey == certificate.publicKey
            }
            for purposes in ([certificate] + copies).map(\.extensions.extendedKeyUsages)
            where !purposes.isEmpty && !purposes.contains(wanted) && !purposes.contains(OID.anyExtendedKeyUsage) {
                return .purposeNotAllowed(member, found: purposes)
            }
        }
        return nil
    }

    private func leafFault(_ chain: [HPKICertificate], _ requirements: PathRequirements) -> PathFault? {
        let leaf = chain[0]
        if leaf.isCA, !requirements.mayBeAuthority { return .leafIsAuthority }
        let found = leaf.keyUsage
        let isEnough = found.map {
            requirements.keyUsageIsExact ? $0 == requirements.keyUsage : $0.isSuperset(of: requirements.keyUsage)
        }
        guard isEnough ?? requirements.keyUsageMayBeAbsent else {
            return .keyUsage(found: found, required: requirements.keyUsage)
        }
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

    /// RFC 5280 §6.1.3 (b) and (c), from the anchor down.
    private mutating func nameFault(_ chain: [HPKICertificate]) -> PathFault? {
        var check = NameCheck(comparisonsLeft: comparisonsLeft)
        defer { comparisonsLeft = check.comparisonsLeft }
        check.add(chain.last?.extensions.nameConstraints)
        var missing: PathFault?
        for index in chain.indices.dropLast().reversed() {
            let member = Self.member(index, of: chain)
            switch check.fault(of: chain[index], isLeaf: index == 0) {
            case .notPermitted(let name): return .nameNotPermitted(member, name: name.text)
            case .notUnderstood: missing = missing ?? .unappliedConstraint(member, oid: OID.nameConstraints)
            case .tooComplex: return .tooComplex
            case nil: break
            }
            check.add(chain[index].extensions.nameConstraints)
        }
        return missing
    }
}
