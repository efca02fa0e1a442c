internal import Certificates
internal import Formats
internal import HPKI

/// What is known of revocation for one kind of certificates: what was configured, and what a signature brought along.
///
/// A list that came along is held only where its own signature verifies, and counts only where the path's validation
/// proves its signer to an anchor; the same holds of answers. So a signature can add to what is known, never forge it.
struct KnownRevocation {
    private static let answerLimit = 16

    /// Lists of both kinds: the newest that speaks of a moment decides, and older ones stand behind it, since an authority
    /// drops expired certificates from its newest list.
    let crls: CRLStore
    private let configured: CRLStore
    let answers: [OCSPResponse]
    /// How many answers stand first that were configured.
    private let configuredAnswerCount: Int
    /// Certificates that came along and can be read.
    let certificates: [HPKICertificate]

    /// Reads `material`; what cannot be read or verified is left out.
    init(
        _ trust: TrustStore, _ crls: CRLStore, _ ocsp: [OCSPResponse], _ material: [ValidationMaterial],
        _ budget: JudgementBudget
    ) {
        var seen: Set<[UInt8]> = []
        let certificates = material.flatMap(\.certificates).filter { seen.insert($0).inserted }
            .compactMap(ReadCertificates.certificate)
        let issuers = trust.anchors + trust.intermediates + certificates.filter(\.isCA)
        var all = crls
        var known: Set<[UInt8]> = []
        for der in material.flatMap(\.crls) where known.insert(der).inserted {
            guard let list = try? CertificateRevocationList(der: der) else { continue }
            // Each key once: many certificates may share one, or a name.
            var keys: Set<VerificationKey> = []
            let named = issuers.filter { $0.subject == list.issuer && keys.insert($0.publicKey).inserted }
            guard budget.permits(trials: named.count) else { break }
            all = (try? all.keeping(list, issuers: named)) ?? all
        }
        configured = crls
        self.crls = all
        self.certificates = certificates
        configuredAnswerCount = min(ocsp.count, Self.answerLimit)
        answers =
            ocsp.prefix(Self.answerLimit)
            + material.flatMap(\.ocspResponses).prefix(Self.answerLimit).compactMap { try? OCSPResponse(der: $0) }
    }

    /// The list or answer that each certificate of `chain` below the anchor was found good by, as of `instant`.
    func sources(for chain: [HPKICertificate], at instant: Instant) -> [RevocationSource] {
        zip(chain, chain.dropFirst()).flatMap { certificate, issuer -> [RevocationSource] in
            var found: [RevocationSource] = []
            let lists = crls.history(for: certificate, issuedBy: issuer)
            if let list = lists.first(where: { $0.speaks(of: certificate, at: instant) }) {
                let isOwn = configured.history(for: certificate, issuedBy: issuer).contains { $0.der == list.der }
                found.append(
                    RevocationSource(
                        kind: .crl, certificate: certificate.subject.text, issuer: list.issuer.text,
                        thisUpdate: list.thisUpdate, nextUpdate: list.nextUpdate, isEmbedded: !isOwn))
            }
            let demands = OCSPRequirements(at: instant, toleranceSeconds: nil, crls: crls)
            for (place, response) in answers.enumerated() {
                guard let answer = try? response.verify(for: certificate, issuedBy: issuer, demands) else { continue }
                found.append(
                    RevocationSource(
                        kind: .ocsp, certificate: certificate.subject.text, issuer: issuer.subject.text,
                        thisUpdate: answer.thisUpdate, nextUpdate: answer.nextUpdate,
                        isEmbedded: place >= configuredAnswerCount))
                break
            }
            return found
        }
    }
}

extension CertificateRevocationList {
    /// Whether the list is fresh at `instant` and is from before the certificate's end.
    fileprivate func speaks(of certificate: HPKICertificate, at instant: Instant) -> Bool {
        nextUpdate.map { instant <= $0 } == true && certificate.notAfter >= thisUpdate
    }
}
