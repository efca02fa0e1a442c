import Certificates
import Development
import HPKI
import Testing

/// OCSP responses made for one test each (RFC 6960).
@Suite struct OCSPTests {
    private let made: MadePath
    private let issuer: MadePath.Member
    private let leaf: HPKICertificate

    init() throws {
        made = try MadePath()
        issuer = try made.authority("Authority")
        leaf = try made.leaf(by: issuer)
    }

    private static let good = DER.value(.contextPrimitive(0), [])
    private static let unknown = DER.value(.contextPrimitive(2), [])
    private static let revoked = DER.value(
        .context(1), DER.value(.generalizedTime, Array("20260101000000Z".utf8)) + DER.explicit(0, [0x0A, 1, 1]))

    private static func time(_ instant: Instant) -> [UInt8] {
        // GeneralizedTime whatever the year.
        DER.value(.generalizedTime, [0x32, 0x30] + DER.time(instant).dropFirst(2))
    }

    /// A response by `signer`, who calls itself by its key.
    private func response(
        by signer: MadePath.Member, certificates: [HPKICertificate] = [], status: [UInt8] = good,
        about id: OCSPCertificateID? = nil, from: Instant = noon.adding(seconds: -60),
        until: Instant? = noon.adding(seconds: 3600), nonce: [UInt8]? = nil, forged: Bool = false
    ) throws -> [UInt8] {
        let id = id ?? OCSPCertificateID(of: leaf, issuedBy: issuer.certificate, hash: .sha256)
        let answer = DER.sequence(
            of: [id.der, status, Self.time(from)] + (until.map { [DER.explicit(0, Self.time($0))] } ?? []))
        let extensions = nonce.map {
            [DER.explicit(1, DER.sequence(Extensions.plain(OID.ocspNonce, DER.octetString($0))))]
        }
        let toBeSigned = DER.sequence(
            of: [
                DER.explicit(2, DER.octetString(signer.certificate.publicKey.keyIdentifier)), Self.time(from),
                DER.sequence(answer),
            ] + (extensions ?? []))
        let signature = try (forged ? DevelopmentKey.p256() : signer.key).signature(over: toBeSigned)
        let basic = DER.sequence(
            of: [toBeSigned, signer.key.algorithmIdentifier, DER.bitString(signature)]
                + (certificates.isEmpty ? [] : [DER.explicit(0, DER.sequence(of: certificates.map(\.der)))]))
        return DER.sequence(
            DER.value(.enumerated, [0]),
            DER.explicit(0, DER.sequence(DER.objectIdentifier(OID.ocspBasic), DER.octetString(basic))))
    }

    private func judge(
        _ der: [UInt8], nonce: [UInt8]? = nil, crls: CRLStore = CRLStore()
    ) throws(OCSPError) -> OCSPResponse.Status {
        try OCSPResponse(der: der).verify(
            for: leaf, issuedBy: issuer.certificate, OCSPRequirements(at: noon, nonce: nonce, crls: crls)
        ).status
    }

    @Test func `the issuer's own answer is taken, whatever it is`() throws {
        #expect(try judge(try response(by: issuer)) == .good)
        #expect(try judge(try response(by: issuer, status: Self.unknown)) == .unknown)
        let revoked = try judge(try response(by: issuer, status: Self.revoked))
        #expect(revoked == .revoked(at: Instant(seconds: 1_767_225_600), reason: .keyCompromise))
        let short = OCSPCertificateID(of: leaf, issuedBy: issuer.certificate, hash: .sha1)
        #expect(try judge(try response(by: issuer, about: short)) == .good)
    }

    @Test func `an answer that is forged, old, early or about another certificate is none`() throws {
        #expect(throws: OCSPError.badSignature(.mismatch)) { try judge(try response(by: issuer, forged: true)) }
        let past = noon.adding(seconds: -1)
        #expect(throws: OCSPError.stale(nextUpdate: past)) { try judge(try response(by: issuer, until: past)) }
        #expect(throws: OCSPError.stale(nextUpdate: nil)) { try judge(try response(by: issuer, until: nil)) }
        let future = noon.adding(seconds: 61)
        #expect(throws: OCSPError.notYetValid(thisUpdate: future)) { try judge(try response(by: issuer, from: future)) }
        let other = try made.leaf(by: issuer, serial: 10)
        let id = OCSPCertificateID(of: other, issuedBy: issuer.certificate, hash: .sha256)
        #expect(throws: OCSPError.otherCertificate) { try judge(try response(by: issuer, about: id)) }
        let elsewhere = try made.authority("Elsewhere")
        #expect(throws: OCSPError.unauthorizedResponder) { try judge(try response(by: elsewhere)) }
    }

    @Test func `a nonce that was sent must come back`() throws {
        let nonce = [UInt8](repeating: 7, count: 32)
        #expect(try judge(try response(by: issuer, nonce: nonce), nonce: nonce) == .good)
        #expect(throws: OCSPError.wrongNonce) { try judge(try response(by: issuer), nonce: nonce) }
        #expect(throws: OCSPError.wrongNonce) { try judge(try response(by: issuer, nonce: [1]), nonce: nonce) }
    }

    @Test func `a delegate needs the issuer's signature, the purpose, and a status of its own`() throws {
        let purpose = Extensions.plain(OID.extKeyUsage, DER.sequence(DER.objectIdentifier(OID.ocspSigning)))
        let exempt = Extensions.plain(OID.ocspNoCheck, DER.null)
        func delegate(_ extensions: [[UInt8]], by authority: MadePath.Member) throws -> MadePath.Member {
            let member = try made.authority(
                "Responder", by: authority, serial: 5, usage: Extensions.keyUsage(.digitalSignature), extensions)
            return member
        }
        func judge(_ member: MadePath.Member, crls: CRLStore = CRLStore()) throws(OCSPError) -> OCSPResponse.Status {
            guard let der = try? response(by: member, certificates: [member.certificate]) else { throw .tooLarge }
            return try self.judge(der, crls: crls)
        }
        #expect(try judge(try delegate([purpose, exempt], by: issuer)) == .good)
        #expect(throws: OCSPError.responderCertificate(.extendedKeyUsage(found: []))) {
            try judge(try delegate([exempt], by: issuer))
        }
        #expect(throws: OCSPError.unauthorizedResponder) { try judge(try delegate([purpose, exempt], by: made.root)) }
        let pretender = try MadePath().authority("Authority")
        #expect(throws: OCSPError.responderCertificate(.badSignature(.leaf))) {
            try judge(try delegate([purpose, exempt], by: pretender))
        }
        let checked = try delegate([purpose], by: issuer)
        #expect(throws: OCSPError.responderCertificate(.revocationUnknown(.leaf))) { try judge(checked) }
        let list = try CRLStore().adding(try made.list(by: issuer), issuers: [issuer.certificate])
        #expect(try judge(checked, crls: list) == .good)
        let revoking = try CRLStore().adding(
            try made.list(by: issuer, revoked: [(5, .keyCompromise)]), issuers: [issuer.certificate])
        #expect(throws: OCSPError.self) { try judge(checked, crls: revoking) }
    }

    @Test func `an answer takes the place of a list in a path, and a revocation beats any list`() throws {
        func fault(_ answers: [[UInt8]], lists: [[UInt8]], at instant: Instant = noon) throws -> PathFault? {
            var store = CRLStore()
            for list in lists {
                store = try store.adding(list, issuers: [made.root.certificate, issuer.certificate])
            }
            let demands = PathRequirements(
                acceptablePolicies: [], keyUsage: .digitalSignature, keyUsageIsExact: false)
            return PathValidator(
                trust: TrustStore(anchors: [made.root.certificate], intermediates: [issuer.certificate]), crls: store,
                ocsp: try answers.map { try OCSPResponse(der: $0) }, requirements: demands
            ).judge(leaf, at: instant).fault
        }
        let root = try made.list(by: made.root)
        let list = try made.list(by: issuer)
        let good = try response(by: issuer)
        let bad = try response(by: issuer, status: Self.revoked)
        let revoked = PathFault.revoked(.leaf, at: Instant(seconds: 1_767_225_600), reason: .keyCompromise)
        #expect(try fault([], lists: [root]) == .revocationUnknown(.leaf))
        #expect(try fault([good], lists: [root]) == nil)
        #expect(try fault([try response(by: issuer, status: Self.unknown)], lists: [root]) == .revocationUnknown(.leaf))
        #expect(try fault([try response(by: issuer, forged: true)], lists: [root]) == .revocationUnknown(.leaf))
        #expect(try fault([good, bad], lists: [root, list]) == revoked)
        #expect(try fault([bad], lists: [root, list]) == revoked)
        // Old for the moment asked about, and newer than it.
        #expect(try fault([good], lists: [root], at: noon.adding(seconds: 3601)) == .revocationUnknown(.leaf))
        #expect(try fault([good], lists: [root], at: noon.adding(seconds: -3000)) == nil)
    }

    @Test func `a responder's refusal is no answer`() {
        let refusal = DER.sequence(DER.value(.enumerated, [3]))
        #expect(throws: OCSPError.notSuccessful(status: 3)) { _ = try OCSPResponse(der: refusal) }
    }

    @Test func `cut or changed anywhere, a response never tells that the certificate is good`() throws {
        let der = try response(by: issuer, status: Self.unknown)
        for length in 0..<der.count { #expect(throws: OCSPError.self) { _ = try judge(Array(der.prefix(length))) } }
        for index in der.indices {
            var changed = der
            changed[index] ^= 0x80 >> UInt8(index % 8)
            #expect((try? judge(changed)) != .good)
        }
    }

    @Test func `a request names the certificate and carries the nonce`() throws {
        let id = OCSPCertificateID(of: leaf, issuedBy: issuer.certificate, hash: .sha1)
        let request = OCSPRequest.der(for: id, nonce: [1, 2, 3])
        #expect(request.count == OCSPRequest.der(for: id).count + 2 + 2 + 2 + 11 + 2 + 2 + 3)
        #expect(id.issuerKeyHash == issuer.certificate.publicKey.keyIdentifier)
        #expect(id.serialNumber == [9])
    }
}
