/// The newest CRL of every authority, its signature verified on the way in; an immutable snapshot.
package struct CRLStore: Sendable {
    private struct Place: Hashable, Sendable {
        let issuer: DistinguishedName
        let key: VerificationKey
    }

    /// An authority's lists; several where it publishes one for holders and others for authorities.
    private var lists: [Place: [CertificateRevocationList]] = [:]

    /// A store without lists.
    package init() {}

    /// Every list held, in no particular order.
    package var all: [CertificateRevocationList] { lists.values.flatMap(\.self) }

    /// The newest list that tells whether `certificate`, issued by `issuer`, is revoked.
    ///
    /// It is found by the issuer's name and the very key that signed it, so that authorities of one name and several
    /// keys are kept apart, and by the list's scope and places.
    package func current(
        for certificate: HPKICertificate, issuedBy issuer: HPKICertificate
    ) -> CertificateRevocationList? {
        var best: CertificateRevocationList?
        for list in lists[Place(issuer: issuer.subject, key: issuer.publicKey)] ?? [] where list.covers(certificate) {
            if let held = best, !list.isNewer(than: held) { continue }
            best = list
        }
        return best
    }

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
        var fault: CRLError = .unknownIssuer(list.issuer.text)
        for issuer in issuers where Self.maySign(list, issuer) {
            do throws(SignatureError) {
                try list.verifySignature(by: issuer.publicKey)
            } catch {
                fault = .badSignature(error)
                continue
            }
            let place = Place(issuer: issuer.subject, key: issuer.publicKey)
            var held = lists[place] ?? []
            if let index = held.firstIndex(where: { $0.isSameSeries(as: list) }) {
                guard list.isNewer(than: held[index]) else { return self }
                held[index] = list
            } else {
                held.append(list)
            }
            var copy = self
            copy.lists[place] = held
            return copy
        }
        throw fault
    }

    private static func maySign(_ list: CertificateRevocationList, _ issuer: HPKICertificate) -> Bool {
        guard issuer.subject == list.issuer, issuer.keyUsage?.contains(.cRLSign) != false else { return false }
        guard let wanted = list.authorityKeyIdentifier, let held = issuer.subjectKeyIdentifier else { return true }
        return wanted == held
    }
}
