import HPKI

/// One judgement at work: what it may look at, what it has found out, and how much work it has left.
struct PathSearch {
    /// Signatures of certificates tried for one judgement at most.
    private static let signatureLimit = 96
    private static let strangerLimit = 32
    private static let answerLimit = 32

    let trust: TrustStore
    let crls: CRLStore
    let answers: [OCSPResponse]
    /// Certificates that may stand between a holder and an anchor.
    let candidates: [HPKICertificate]
    let instant: Instant
    /// The moment that lists are asked about.
    let revocationAsOf: Instant
    /// Keys that sign lists and whether a path proved them; those being proven count as not proven.
    var listSigners: [ListSigner: Bool] = [:]
    /// Names and trees that may still be compared.
    var comparisonsLeft = 65_536
    private var signaturesTried = 0

    /// A search of which nothing is done yet.
    init(
        trust: TrustStore, crls: CRLStore, answers: [OCSPResponse] = [], strangers: [HPKICertificate],
        at instant: Instant, revocationAsOf: Instant
    ) {
        var candidates: [HPKICertificate] = []
        for candidate in trust.intermediates + strangers.prefix(Self.strangerLimit)
        where !candidates.contains(candidate) { candidates.append(candidate) }
        self.trust = trust
        self.crls = crls
        self.answers = Array(answers.prefix(Self.answerLimit))
        self.candidates = candidates
        self.instant = instant
        self.revocationAsOf = revocationAsOf
    }

    /// The first valid path from `leaf` to an anchor, both included, or the fault of the first that reached one.
    ///
    /// `only` narrows the anchors to one.
    mutating func path(
        of leaf: HPKICertificate, _ requirements: PathRequirements, to only: HPKICertificate? = nil
    ) -> Result<[HPKICertificate], PathFault> {
        var worst: PathFault = .noPathToAnchor
        let anchors = only.map { [$0] } ?? trust.anchors
        // Depth first without recursion: every entry is a path whose signatures hold so far.
        var open = [[leaf]]
        while let path = open.popLast() {
            guard let last = path.last else { continue }
            for anchor in anchors where Self.mayHaveIssued(anchor, last) && anchor != leaf {
                guard let isSigned = isSigned(last, by: anchor) else { return .failure(.tooComplex) }
                guard isSigned else {
                    if worst == .noPathToAnchor { worst = Self.signatureFault(path) }
                    continue
                }
                let chain = path + [anchor]
                guard let fault = fault(of: chain, requirements) else { return .success(chain) }
                if worst.isAboutSearch { worst = fault }
            }
            guard path.count + 1 < requirements.maximumPathLength else { continue }
            for issuer in candidates
            where issuer != leaf && Self.mayHaveIssued(issuer, last) && !Self.contains(path, issuer) {
                guard let isSigned = isSigned(last, by: issuer) else { return .failure(.tooComplex) }
                if isSigned {
                    open.append(path + [issuer])
                } else if worst == .noPathToAnchor {
                    worst = Self.signatureFault(path)
                }
            }
        }
        return .failure(worst)
    }

    private static func signatureFault(_ path: [HPKICertificate]) -> PathFault {
        let member = member(path.count - 1, of: path)
        return path.last?.hasAcceptedAlgorithm == true ? .badSignature(member) : .signatureAlgorithm(member)
    }

    /// Nil where no more signatures may be tried.
    private mutating func isSigned(_ certificate: HPKICertificate, by issuer: HPKICertificate) -> Bool? {
        guard signaturesTried < Self.signatureLimit else { return nil }
        signaturesTried += 1
        return (try? certificate.verifySignature(by: issuer.publicKey)) != nil
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
        case .noPathToAnchor, .badSignature, .signatureAlgorithm: true
        default: false
        }
    }
}
