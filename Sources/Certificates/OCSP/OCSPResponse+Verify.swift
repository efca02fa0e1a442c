package import HPKI

/// What a response must fulfil to be believed.
package struct OCSPRequirements: Sendable {
    /// The moment asked about.
    package var instant: Instant
    /// The nonce of the request; nil where none was sent, or where a stored answer is judged.
    package var nonce: [UInt8]?
    /// By how many seconds the responder's clock may be ahead of `instant`; nil where the answer may be newer.
    package var toleranceSeconds: Int64?
    /// The lists that tell whether a responder's certificate is revoked, where it does not exempt itself.
    package var crls: CRLStore
    /// True where signatures over SHA-1 count; never for live data, since a forger can make those.
    package var acceptsSHA1: Bool

    /// Requirements for the moment `instant`; without lists, only responders that exempt themselves are believed.
    package init(
        at instant: Instant, nonce: [UInt8]? = nil, toleranceSeconds: Int64? = 60, crls: CRLStore = CRLStore(),
        acceptsSHA1: Bool = false
    ) {
        self.instant = instant
        self.nonce = nonce
        self.toleranceSeconds = toleranceSeconds
        self.crls = crls
        self.acceptsSHA1 = acceptsSHA1
    }
}

extension OCSPResponse {
    /// What the response says of `certificate`, where its issuer or a responder authorised by it signed (RFC 6960 §3.2).
    ///
    /// That `issuer` is to be trusted, and issued the certificate, is the caller's to know. Throws why the response
    /// tells nothing; `.unknown` is an answer and must not be taken for good.
    package func verify(
        for certificate: HPKICertificate, issuedBy issuer: HPKICertificate, _ requirements: OCSPRequirements
    ) throws(OCSPError) -> Answer {
        let hashes: [OCSPCertificateID.Hash] = certificate.issuer == issuer.subject ? [.sha1, .sha256] : []
        let names = hashes.map { OCSPCertificateID(of: certificate, issuedBy: issuer, hash: $0) }
        guard let answer = Self.gravest(answers.filter { names.contains($0.certificate) }) else {
            throw .otherCertificate
        }
        let signer = try signer(issuer, requirements)
        do throws(SignatureError) {
            try frame.verify(by: signer, acceptingSHA1: requirements.acceptsSHA1)
        } catch {
            throw .badSignature(error)
        }
        if let wanted = requirements.nonce, wanted != nonce { throw .wrongNonce }
        if let tolerance = requirements.toleranceSeconds {
            let latest = requirements.instant.adding(seconds: tolerance)
            guard answer.thisUpdate <= latest, producedAt <= latest else {
                throw .notYetValid(thisUpdate: answer.thisUpdate)
            }
        }
        guard let nextUpdate = answer.nextUpdate, requirements.instant <= nextUpdate else {
            throw .stale(nextUpdate: answer.nextUpdate)
        }
        return answer
    }

    /// Of several answers about one certificate, the one that says the worst.
    private static func gravest(_ answers: [Answer]) -> Answer? {
        func isRevoked(_ answer: Answer) -> Bool { if case .revoked = answer.status { true } else { false } }
        return answers.first(where: isRevoked) ?? answers.first { $0.status == .unknown } ?? answers.first
    }

    /// The key that must have signed: the issuer's, or one in a certificate that the issuer itself signed for this
    /// purpose (RFC 6960 §4.2.2.2).
    private func signer(
        _ issuer: HPKICertificate, _ requirements: OCSPRequirements
    ) throws(OCSPError) -> VerificationKey {
        if isResponder(issuer) { return issuer.publicKey }
        let delegates = certificates.filter { isResponder($0) && $0.issuer == issuer.subject }
        guard !delegates.isEmpty else { throw .unauthorizedResponder }
        let signed = delegates.first {
            (try? $0.verifySignature(by: issuer.publicKey, acceptingSHA1: requirements.acceptsSHA1)) != nil
        }
        guard let delegate = signed else { throw .responderCertificate(.badSignature(.leaf)) }
        // An answer that is newer than the moment asked about was signed by a key of its own time.
        let moment = max(requirements.instant, producedAt)
        if let fault = Self.fault(of: delegate, issuedBy: issuer, at: moment, requirements.crls) {
            throw .responderCertificate(fault)
        }
        return delegate.publicKey
    }

    private func isResponder(_ certificate: HPKICertificate) -> Bool {
        switch responder {
        case .name(let name): certificate.subject == name
        case .key(let identifier): certificate.publicKey.keyIdentifier == identifier
        }
    }

    private static func fault(
        of delegate: HPKICertificate, issuedBy issuer: HPKICertificate, at instant: Instant, _ crls: CRLStore
    ) -> PathFault? {
        let purposes = delegate.extensions.extendedKeyUsages
        guard purposes.contains(OID.ocspSigning) else { return .extendedKeyUsage(found: purposes) }
        if let usage = delegate.keyUsage, usage.isDisjoint(with: [.digitalSignature, .nonRepudiation]) {
            return .keyUsage(found: usage, required: .digitalSignature)
        }
        if let oid = delegate.unknownCriticalExtensions.first { return .unknownCriticalExtension(.leaf, oid: oid) }
        if instant < delegate.notBefore { return .notYetValid(.leaf, notBefore: delegate.notBefore) }
        if instant.wholeSecond > delegate.notAfter { return .expired(.leaf, notAfter: delegate.notAfter) }
        if delegate.extensions.isRevocationNotChecked { return nil }
        var search = PathSearch(
            trust: TrustStore(anchors: [issuer]), crls: crls, strangers: [], at: instant,
            revocationAsOf: instant)
        return search.revocationFault(
            [delegate, issuer],
            PathRequirements(acceptablePolicies: [], keyUsage: .digitalSignature, keyUsageIsExact: false))
    }
}
