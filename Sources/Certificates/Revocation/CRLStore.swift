/// The newest CRL of every authority, its signature verified on the way in; an immutable snapshot.
package struct CRLStore: Sendable {
    /// A list and the key whose signature it carries.
    struct Held: Sendable {
        let list: CertificateRevocationList
        let key: VerificationKey
    }

    /// Every authority's lists; several where it publishes one for holders and others for authorities, or has keys.
    private var lists: [DistinguishedName: [Held]] = [:]

    /// A store without lists.
    package init() {}

    /// Every list held, in no particular order.
    package var all: [CertificateRevocationList] { lists.values.flatMap { $0.map(\.list) } }

    /// The newest list that alone tells whether `certificate`, issued by `issuer`, is revoked.
    ///
    /// It is found by the issuer's name and the very key that signed it, so that authorities of one name and several
    /// keys are kept apart, and by the list's scope and places.
    package func current(
        for certificate: HPKICertificate, issuedBy issuer: HPKICertificate
    ) -> CertificateRevocationList? {
        var best: CertificateRevocationList?
        for held in lists(of: issuer.subject) where held.key == issuer.publicKey && held.list.covers(certificate) {
            if let best, !held.list.isNewer(than: best) { continue }
            best = held.list
        }
        return best
    }

    /// The lists that carry this issuer's name, by whatever key.
    func lists(of issuer: DistinguishedName) -> [Held] { lists[issuer] ?? [] }

    /// This store with one more list in DER; where the one held is as new or newer, nothing changes.
    ///
    /// Throws what reading it throws, `.unknownIssuer` where none of `issuers` may have signed it, and `.badSignature`.
    package func adding(_ der: [UInt8], issuers: [HPKICertificate]) throws(CRLError) -> CRLStore {
        try adding(try CertificateRevocationList(der: der), issuers: issuers)
    }

    /// This store with one more list; see `adding(_:issuers:)` for DER.
    package func adding(
        _ list: CertificateRevocationList, issuers: [HPKICertificate]
    ) throws(CRLError) -> CRLStore {
        try adding(list, issuers: issuers, isKeepingOthers: false)
    }

    /// This store with one more list beside every other issue of the same publication, newer or older.
    ///
    /// For past moments: an authority drops expired certificates from its newest list, and an older one still knows them.
    package func keeping(
        _ list: CertificateRevocationList, issuers: [HPKICertificate]
    ) throws(CRLError) -> CRLStore {
        try adding(list, issuers: issuers, isKeepingOthers: true)
    }

    /// Every list that alone tells whether `certificate`, issued by `issuer`, is revoked; the newest first.
    package func history(
        for certificate: HPKICertificate, issuedBy issuer: HPKICertificate
    ) -> [CertificateRevocationList] {
        lists(of: issuer.subject).filter { $0.key == issuer.publicKey && $0.list.covers(certificate) }
            .map(\.list).sorted { $0.isNewer(than: $1) }
    }

    private func adding(
        _ list: CertificateRevocationList, issuers: [HPKICertificate], isKeepingOthers: Bool
    ) throws(CRLError) -> CRLStore {
        var fault: CRLError = .unknownIssuer(list.issuer.text)
        for issuer in issuers where list.mayBeSigned(by: issuer) {
            do throws(SignatureError) {
                try list.verifySignature(by: issuer.publicKey)
            } catch {
                fault = .badSignature(error)
                continue
            }
            var held = lists[issuer.subject] ?? []
            let new = Held(list: list, key: issuer.publicKey)
            let same = held.firstIndex { $0.key == new.key && $0.list.isSameSeries(as: list) }
            if isKeepingOthers {
                guard !held.contains(where: { $0.key == new.key && $0.list.der == list.der }) else { return self }
                held.append(new)
            } else if let same {
                guard list.isNewer(than: held[same].list) else { return self }
                held[same] = new
            } else {
                held.append(new)
            }
            var copy = self
            copy.lists[issuer.subject] = held
            return copy
        }
        throw fault
    }
}

extension CertificateRevocationList {
    /// True where name, key usage and key identifier let `issuer` have signed the list; the signature decides.
    package func mayBeSigned(by issuer: HPKICertificate) -> Bool {
        guard issuer.subject == self.issuer, issuer.keyUsage?.contains(.cRLSign) != false else { return false }
        guard let wanted = authorityKeyIdentifier, let held = issuer.subjectKeyIdentifier else { return true }
        return wanted == held
    }
}
