package import HPKI

/// What judging a certificate came to.
package enum PathJudgement: Sendable {
    case valid(ValidatedHolder)
    /// The certificate is certainly not good.
    case failed(PathFault)
    /// Not enough is known to call it good or bad; never to be taken for valid.
    case indeterminate(PathFault)

    /// The holder; throws the fault in both other cases.
    package func holder() throws(PathFault) -> ValidatedHolder {
        switch self {
        case .valid(let holder): return holder
        case .failed(let fault), .indeterminate(let fault): throw fault
        }
    }

    /// The fault, or nil where the certificate is valid.
    package var fault: PathFault? {
        switch self {
        case .valid: nil
        case .failed(let fault), .indeterminate(let fault): fault
        }
    }
}

/// A holder whose certificate was found valid at a moment; nothing but `PathValidator` makes one.
package struct ValidatedHolder: Sendable {
    /// From the holder's certificate to the anchor; at least two.
    package let chain: [HPKICertificate]
    package let certificate: HPKICertificate
    /// The certificate of the authority that issued the holder's.
    package let authority: HPKICertificate
    /// The moment at which all this held.
    package let judgedAt: Instant

    /// The health professions' roles of the holder; may be empty.
    package var roles: [HCRole] { certificate.roles }

    fileprivate init(certificate: HPKICertificate, authority: HPKICertificate, chain: [HPKICertificate], at: Instant) {
        self.certificate = certificate
        self.authority = authority
        self.chain = chain
        judgedAt = at
    }
}

/// Judges certificates by a path to a trusted anchor (RFC 5280 §6), the HPKI profile, CRLs and OCSP answers.
///
/// Names, policies, key usages and revocation are judged along the whole path, the anchor's own limits included
/// (RFC 5937); a path that cannot be judged to its end is indeterminate.
package struct PathValidator: Sendable {
    package let trust: TrustStore
    package let crls: CRLStore
    /// Answers of OCSP responders, of which 32 are looked at; each counts where it can be verified.
    package let ocsp: [OCSPResponse]
    package let requirements: PathRequirements

    /// A validator over a snapshot of trust and revocation data.
    package init(
        trust: TrustStore, crls: CRLStore, ocsp: [OCSPResponse] = [], requirements: PathRequirements = .hpkiSigning
    ) {
        self.trust = trust
        self.crls = crls
        self.ocsp = ocsp
        self.requirements = requirements
    }

    /// Judges `leaf` as of `instant`; `strangers` are certificates that came with it, of which 32 are looked at.
    ///
    /// For a certificate whose validity has yet to begin, `revocationAsOf` gives the moment that lists are asked about.
    package func judge(
        _ leaf: HPKICertificate, intermediates strangers: [HPKICertificate] = [], at instant: Instant,
        revocationAsOf: Instant? = nil
    ) -> PathJudgement {
        var search = PathSearch(
            trust: trust, crls: crls, answers: ocsp, strangers: strangers, at: instant,
            revocationAsOf: revocationAsOf ?? instant)
        switch search.path(of: leaf, requirements) {
        case .success(let chain):
            return .valid(ValidatedHolder(certificate: leaf, authority: chain[1], chain: chain, at: instant))
        case .failure(let fault): return fault.isConclusive ? .failed(fault) : .indeterminate(fault)
        }
    }
}
