import HPKI

/// A key that signed a list, by the name that the list gives its issuer and the anchor that is to prove it.
struct ListSigner: Hashable {
    let anchor: HPKICertificate
    let issuer: DistinguishedName
    let key: VerificationKey
}

extension PathSearch {
    /// The certain revocation nearest to the anchor, or else the first knowledge that is missing.
    ///
    /// A certificate that its issuer revoked is bad whatever is unknown of the issuer: were the issuer's certificate
    /// revoked too, this one would be no better.
    mutating func revocationFault(_ chain: [HPKICertificate], _ requirements: PathRequirements) -> PathFault? {
        var missing: PathFault?
        for index in chain.indices.dropLast().reversed() {
            guard let fault = revocationFault(of: index, in: chain, requirements) else { continue }
            if fault.isConclusive { return fault }
            missing = missing ?? fault
        }
        return missing
    }

    /// RFC 5280 §6.3.3 for one certificate: nil only where fresh lists speak for every reason, or a responder answers,
    /// and none says that it is revoked.
    private mutating func revocationFault(
        of index: Int, in chain: [HPKICertificate], _ requirements: PathRequirements
    ) -> PathFault? {
        let member = Self.member(index, of: chain)
        let certificate = chain[index]
        var known: ReasonFlags = []
        var missing: PathFault?
        for (held, reasons) in lists(for: certificate, signedBy: chain[index + 1].publicKey)
        where !reasons.isSubset(of: known) {
            guard isProven(held, above: index, in: chain, requirements) else { continue }
            let list = held.list
            let change = change(to: held)
            if let entry = entry(of: certificate, in: list, change) {
                if entry.revokedAt <= revocationAsOf {
                    return .revoked(member, at: entry.revokedAt, reason: entry.reason)
                }
                guard requirements.isExistenceProven else {
                    return .revokedLater(member, at: entry.revokedAt, reason: entry.reason)
                }
                // Who is revoked later was not revoked at the moment asked about.
                known.formUnion(reasons)
                continue
            }
            guard let nextUpdate = list.nextUpdate, revocationAsOf <= nextUpdate else {
                missing = missing ?? .crlStale(member, nextUpdate: list.nextUpdate)
                continue
            }
            guard certificate.notAfter >= list.thisUpdate else {
                missing = missing ?? .crlAfterExpiry(member, thisUpdate: list.thisUpdate)
                continue
            }
            known.formUnion(reasons)
        }
        switch answer(about: certificate, issuedBy: chain[index + 1]) {
        case .revoked(let at, let reason):
            if at <= revocationAsOf { return .revoked(member, at: at, reason: reason) }
            return requirements.isExistenceProven ? nil : .revokedLater(member, at: at, reason: reason)
        case .good: return nil
        case .unknown, nil: return known == .all ? nil : missing ?? .revocationUnknown(member)
        }
    }

    /// What OCSP responders say: revoked where any says so, else good where any does; nil where none can be believed.
    private func answer(
        about certificate: HPKICertificate, issuedBy issuer: HPKICertificate
    ) -> OCSPResponse.Status? {
        // When an answer was received is not known here; like a list, it may be newer than the moment asked about.
        let demands = OCSPRequirements(at: revocationAsOf, toleranceSeconds: nil, crls: crls)
        var best: OCSPResponse.Status?
        for response in answers {
            guard let answer = try? response.verify(for: certificate, issuedBy: issuer, demands) else { continue }
            switch answer.status {
            case .revoked: return answer.status
            // Like lists, responders may forget certificates that have expired.
            case .good where answer.thisUpdate <= certificate.notAfter: best = .good
            case .good, .unknown: break
            }
        }
        return best
    }

    /// The complete lists that speak for a certificate, newest first, with the reasons each speaks for (§6.3.3 (b), (d)).
    ///
    /// An authority that has changed its key under one name publishes a list by each, and the new key's need not know the
    /// old one's certificates: where `key`, which signed the certificate, has a list of all reasons, no other key's counts.
    private func lists(
        for certificate: HPKICertificate, signedBy key: VerificationKey
    ) -> [(CRLStore.Held, ReasonFlags)] {
        var found: [(held: CRLStore.Held, reasons: ReasonFlags)] = []
        func take(_ issuer: DistinguishedName, _ reasons: ReasonFlags, isMeant: (CertificateRevocationList) -> Bool) {
            for held in crls.lists(of: issuer)
            where held.list.baseNumber == nil && held.list.speaksFor(certificate) && isMeant(held.list) {
                found.append((held, held.list.reasons.intersection(reasons)))
            }
        }
        for point in certificate.extensions.distributionPoints {
            let places = point.names(certificateIssuer: certificate.issuer)
            let named = Set(places.isEmpty ? point.crlIssuers.map { GeneralName($0) } : places)
            func isHere(_ list: CertificateRevocationList) -> Bool {
                list.distributionPoints.isEmpty || !named.isDisjoint(with: list.distributionPoints)
            }
            if point.crlIssuers.isEmpty {
                take(certificate.issuer, point.reasons ?? .all, isMeant: isHere)
            }
            for issuer in point.crlIssuers {
                take(issuer, point.reasons ?? .all) { ($0.isIndirect || issuer == certificate.issuer) && isHere($0) }
            }
        }
        // Lists that no point names: those of the issuer without a place, or at a place that has the issuer's name.
        let own = GeneralName(certificate.issuer)
        take(certificate.issuer, .all) { $0.distributionPoints.isEmpty || $0.distributionPoints.contains(own) }
        let same = found.filter { $0.held.key == key }
        return (same.contains { $0.reasons == .all } ? same : found).sorted { $0.held.list.isNewer(than: $1.held.list) }
    }

    /// The newest list of changes to a complete list, by the same key.
    private func change(to held: CRLStore.Held) -> CertificateRevocationList? {
        var best: CertificateRevocationList?
        for other in crls.lists(of: held.list.issuer) where other.key == held.key && other.list.applies(to: held.list) {
            if let best, !other.list.isNewer(than: best) { continue }
            best = other.list
        }
        return best
    }

    /// The entry that holds after changes; a release counts only where it has taken effect and its list is fresh.
    private func entry(
        of certificate: HPKICertificate, in list: CertificateRevocationList, _ change: CertificateRevocationList?
    ) -> CertificateRevocationList.Entry? {
        let entry = list.entry(for: certificate.serialNumber, issuedBy: certificate.issuer)
        guard let change, let changed = change.entry(for: certificate.serialNumber, issuedBy: certificate.issuer)
        else { return entry }
        guard changed.reason == .removeFromCRL else { return changed }
        guard let nextUpdate = change.nextUpdate, revocationAsOf <= nextUpdate else { return entry }
        return changed.revokedAt <= revocationAsOf ? nil : entry
    }

    /// True where the key that signed the list is one of the path's, or a path to the same anchor proves it (§6.3.3 (f)).
    private mutating func isProven(
        _ held: CRLStore.Held, above index: Int, in chain: [HPKICertificate], _ requirements: PathRequirements
    ) -> Bool {
        func mayHaveSigned(_ signer: HPKICertificate) -> Bool {
            signer.publicKey == held.key && held.list.mayBeSigned(by: signer)
        }
        // The authorities of the path are judged with it.
        if chain[(index + 1)...].contains(where: mayHaveSigned) { return true }
        guard let anchor = chain.last else { return false }
        let signer = ListSigner(anchor: anchor, issuer: held.list.issuer, key: held.key)
        // INVARIANT: a key that is being proven counts as unproven, so this ends and no list vouches for its own signer.
        if let known = listSigners[signer] { return known }
        listSigners[signer] = false
        for candidate in candidates where mayHaveSigned(candidate) {
            if case .success = path(of: candidate, requirements.forListSigner(), to: anchor) {
                listSigners[signer] = true
                return true
            }
        }
        return false
    }
}
