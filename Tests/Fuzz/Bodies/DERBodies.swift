import Certificates
import HPKI

/// What is read from DER, read again, shown, and judged against the authorities of the corpus.
enum DERBodies {
    static func certificate(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        guard let certificate = try? HPKICertificate(der: bytes) else { return false }
        try promise(certificate.der == bytes, "a certificate is not its bytes")
        _ = (certificate.subject.text, certificate.issuer.text, certificate.commonName, certificate.japaneseName)
        _ = (certificate.roles, certificate.serialHex, certificate.extensions.crlDistributionPoints)
        let holds = (try? certificate.verifySignature(by: certificate.publicKey)) != nil
        let authority = FuzzTrust.shared.authority
        let byAuthority = (try? certificate.verifySignature(by: authority.publicKey)) != nil
        try promise(
            !byAuthority || FuzzTrust.shared.issued.contains(bytes), "a changed certificate verifies: \(holds)")
        let judgement = FuzzTrust.shared.path.judge(certificate, intermediates: [certificate], at: fuzzMoment)
        try promise(
            judgement.fault != nil || FuzzTrust.shared.issued.contains(bytes), "a changed certificate has a path")
        return true
    }

    static func list(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        guard let list = try? CertificateRevocationList(der: bytes) else { return false }
        try promise(list.der == bytes, "a list is not its bytes")
        var count = 0
        for entry in list.entries {
            count += 1
            try promise(list.isRevoked(entry.serialNumber) || list.isIndirect, "an entry is not found by its serial")
        }
        try promise(count == list.count, "entries are not as many as counted")
        try promise(list.entry(at: count) == nil, "there is an entry behind the last")
        _ = (list.series, list.isNewer(than: list))
        for authority in FuzzTrust.shared.trust.anchors + FuzzTrust.shared.trust.intermediates {
            _ = list.covers(authority)
            _ = try? list.verifySignature(by: authority.publicKey)
        }
        return true
    }

    static func ocsp(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        guard let response = try? OCSPResponse(der: bytes) else { return false }
        try promise(response.der == bytes, "an answer is not its bytes")
        let authority = FuzzTrust.shared.authority
        for answer in response.answers {
            try promise(answer.certificate.der.count <= bytes.count, "an identifier is longer than the answer")
        }
        for certificate in FuzzTrust.shared.leaves {
            _ = try? response.verify(
                for: certificate, issuedBy: authority, OCSPRequirements(at: fuzzMoment, nonce: nil, crls: CRLStore()))
        }
        return true
    }

    static func timeStampResponse(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        do throws(TimeStampFault) {
            let response = try TimeStampResponse(der: bytes)
            try? judge(response.token)
            return true
        } catch {
            _ = (error.explanation, error.isConclusive)
            return false
        }
    }

    static func timeStampToken(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        guard let token = try? TimeStampToken(der: bytes) else { return false }
        try promise(token.der == bytes, "a token is not its bytes")
        try judge(token)
        return true
    }

    /// Judged for what it says itself, so that all that follows the first comparison is reached.
    private static func judge(_ token: TimeStampToken) throws(FuzzFinding) {
        let info = token.unverifiedInfo
        let judgement = token.judge(for: TimeStampExpectation(imprint: info.imprint), FuzzTrust.shared.timeStamps)
        if case .proven(let time) = judgement {
            try promise(time.latest >= time.time, "a time is proven before it was")
            let parts = SignedParts.of(token.signedData) ?? []
            try promise(
                !parts.isEmpty && FuzzTrust.shared.signed.isSuperset(of: parts), "a time is proven that nobody stamped")
        }
    }
}
