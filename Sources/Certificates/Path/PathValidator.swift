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

/// Judges certificates by a path to a trusted anchor (RFC 5280 §6), the HPKI profile and CRLs.
///
/// Name constraints and policy mappings are not applied: where a path has them the judgement is indeterminate.
/// Policies are asked of the holder's certificate alone; the anchors are chosen for that.
package struct PathValidator: Sendable {
    /// Signatures of authorities' certificates tried for one judgement at most.
    private static let signatureLimit = 64
    private static let strangerLimit = 32

    package let trust: TrustStore
    package let crls: CRLStore
    package let requirements: PathRequirements

    /// A validator over a snapshot of trust and revocation data.
    package init(trust: TrustStore, crls: CRLStore, requirements: PathRequirements = .hpkiSigning) {
        self.trust = trust
        self.crls = crls
        self.requirements = requirements
    }

    /// Judges `leaf` as of `instant`; `strangers` are certificates that came with it, of which 32 are looked at.
    ///
    /// For a certificate whose validity has yet to begin, `revocationAsOf` gives the moment that lists are asked about.
    package func judge(
        _ leaf: HPKICertificate, intermediates strangers: [HPKICertificate] = [], at instant: Instant,
        revocationAsOf: Instant? = nil
    ) -> PathJudgement {
        var candidates: [HPKICertificate] = []
        for candidate in trust.intermediates + strangers.prefix(Self.strangerLimit)
        where !candidates.contains(candidate) && candidate != leaf {
            candidates.append(candidate)
        }
        var worst: PathFault = .noPathToAnchor
        var tried = 0
        // Depth first without recursion: every entry is a path whose signatures hold so far.
        var open = [[leaf]]
        while let path = open.popLast() {
            guard let last = path.last else { continue }
            for anchor in trust.anchors where Self.mayHaveIssued(anchor, last) && anchor != leaf {
                guard tried < Self.signatureLimit else { return .indeterminate(.tooComplex) }
                tried += 1
                guard (try? last.verifySignature(by: anchor.publicKey)) != nil else {
                    if worst == .noPathToAnchor { worst = .badSignature(Self.member(path.count - 1, of: path)) }
                    continue
                }
                let chain = path + [anchor]
                guard let fault = fault(of: chain, at: instant, revocationAsOf: revocationAsOf ?? instant) else {
                    return .valid(
                        ValidatedHolder(certificate: leaf, authority: chain[1], chain: chain, at: instant))
                }
                if worst.isAboutSearch { worst = fault }
            }
            guard path.count + 1 < requirements.maximumPathLength else { continue }
            for issuer in candidates where Self.mayHaveIssued(issuer, last) && !Self.contains(path, issuer) {
                guard tried < Self.signatureLimit else { return .indeterminate(.tooComplex) }
                tried += 1
                if (try? last.verifySignature(by: issuer.publicKey)) != nil {
                    open.append(path + [issuer])
                } else if worst == .noPathToAnchor {
                    worst = .badSignature(Self.member(path.count - 1, of: path))
                }
            }
        }
        return worst.isConclusive ? .failed(worst) : .indeterminate(worst)
    }

    /// Names must match, and key identifiers where both sides give one; the signature decides the rest.
    private static func mayHaveIssued(_ issuer: HPKICertificate, _ certificate: HPKICertificate) -> Bool {
        guard issuer.subject == certificate.issuer else { return false }
        guard let wanted = certificate.authorityKeyIdentifier, let held = issuer.subjectKeyIdentifier else {
            return true
        }
        return wanted == held
    }

    /// One name with one key stands in a path once, so that cross-certificates make no circles.
    private static func contains(_ path: [HPKICertificate], _ certificate: HPKICertificate) -> Bool {
        path.contains { $0.subject == certificate.subject && $0.publicKey == certificate.publicKey }
    }

    static func member(_ index: Int, of chain: [HPKICertificate]) -> PathMember {
        index == 0 ? .leaf : .authority(chain[index].subject.text)
    }
}

extension PathFault {
    /// True for what the search itself reports, which a fault of a whole path replaces.
    fileprivate var isAboutSearch: Bool {
        switch self {
        case .noPathToAnchor, .badSignature: true
        default: false
        }
    }
}
