import Certificates
import Development
import HPKI
import Testing

/// Each way in which a path can fail, provoked once; the good path between them.
@Suite struct PathValidatorTests {
    private func holderKey() throws -> [UInt8] { try Shared.holderKey.get().subjectPublicKeyInfo }

    /// A holder's certificate with something changed before it was signed.
    private func changed(
        _ pki: DevelopmentPKI, _ change: (inout CertificateTemplate) throws -> Void
    ) throws -> HPKICertificate {
        var template = try pki.template(doctor, publicKey: try holderKey(), by: .jma, now: noon)
        try change(&template)
        return try HPKICertificate(der: try template.signed(by: try pki.key(of: .jma)))
    }

    private func replace(_ template: inout CertificateTemplate, _ oid: String, by extensions: [[UInt8]]) {
        let mark = DER.objectIdentifier(oid)
        template.extensions.removeAll { $0.dropFirst(2).starts(with: mark) }
        template.extensions += extensions
    }

    @Test(arguments: DevelopmentPKI.Authority.allCases)
    func `a holder of each authority is valid`(_ authority: DevelopmentPKI.Authority) throws {
        var pki = try Shared.pki.get()
        let leaf = try pki.issue(doctor, publicKey: try holderKey(), by: authority, now: noon)
        let holder = try validator(&pki).judge(leaf, at: noon).holder()
        #expect(holder.chain == [leaf, try pki.certificate(of: authority), pki.root])
        #expect(holder.roles == [.medicalDoctor])
        #expect(holder.judgedAt == noon)
    }

    @Test func `an expired and a not yet valid certificate fail, to the second`() throws {
        var pki = try Shared.pki.get()
        let leaf = try pki.issue(doctor, publicKey: try holderKey(), by: .jma, now: noon)
        let end = leaf.notAfter
        let late = try validator(&pki, listsAt: end)
        #expect(late.judge(leaf, at: end.adding(seconds: 1)).fault == .expired(.leaf, notAfter: end))
        #expect(late.judge(leaf, at: Instant(milliseconds: end.milliseconds + 999)).fault == nil)
        let early = leaf.notBefore.adding(seconds: -1)
        #expect(late.judge(leaf, at: early).fault == .notYetValid(.leaf, notBefore: leaf.notBefore))
        guard case .failed = late.judge(leaf, at: early) else {
            Issue.record("a certificate from the future fails")
            return
        }
    }

    @Test func `an authority of the same name with another key is no issuer`() throws {
        var pki = try Shared.pki.get()
        let leaf = try pki.issue(doctor, publicKey: try holderKey(), by: .jma, now: noon)
        var other = try DevelopmentPKI.create(random: Shared.fixedRandom, now: noon)
        #expect(other.root.subject == pki.root.subject)
        let judgement = try validator(&other).judge(leaf, at: noon)
        guard case .indeterminate(.noPathToAnchor) = judgement else {
            Issue.record("found \(judgement)")
            return
        }
        // The true intermediate alone does not help while its root is not an anchor.
        let withStranger = try validator(&other).judge(
            leaf, intermediates: [try pki.certificate(of: .jma)], at: noon)
        #expect(withStranger.fault == .noPathToAnchor)
    }

    @Test func `a wrong signature under the right name and key identifier is found`() throws {
        var pki = try Shared.pki.get()
        let template = try pki.template(doctor, publicKey: try holderKey(), by: .jma, now: noon)
        let leaf = try HPKICertificate(der: try template.signed(by: try Shared.otherKey.get()))
        #expect(try validator(&pki).judge(leaf, at: noon).fault == .badSignature(.leaf))
    }

    @Test func `every bit of the signature counts`() throws {
        var pki = try Shared.pki.get()
        let leaf = try pki.issue(doctor, publicKey: try holderKey(), by: .jma, now: noon)
        let validator = try validator(&pki)
        for bit in stride(from: 0, to: 2048, by: 7) {
            var der = leaf.der
            der[der.count - 1 - bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(try validator.judge(HPKICertificate(der: der), at: noon).fault == .badSignature(.leaf))
        }
    }

    @Test func `a revoked certificate fails from the moment of its revocation`() throws {
        var pki = try Shared.pki.get()
        let leaf = try pki.issue(doctor, publicKey: try holderKey(), by: .jma, now: noon)
        try pki.revoke(serial: leaf.serialNumber, of: .jma, reason: .certificateHold, at: noon)
        let validator = try validator(&pki, listsAt: noon)
        #expect(validator.judge(leaf, at: noon).fault == .revoked(.leaf, at: noon, reason: .certificateHold))
        guard case .indeterminate(.revokedLater) = validator.judge(leaf, at: noon.adding(seconds: -1)) else {
            Issue.record("before the revocation nothing is certain without a time stamp")
            return
        }
        #expect(throws: DevelopmentPKIError.unknownSerial) {
            try pki.revoke(serial: leaf.serialNumber, of: .jma, reason: nil, at: noon)
        }
    }

    @Test func `a revoked authority fails all its holders`() throws {
        var pki = try Shared.pki.get()
        let leaf = try pki.issue(doctor, publicKey: try holderKey(), by: .jma, now: noon)
        try pki.revoke(.jma, reason: .cACompromise, at: noon)
        let name = try pki.certificate(of: .jma).subject.text
        let fault = try validator(&pki, listsAt: noon).judge(leaf, at: noon).fault
        #expect(fault == .revoked(.authority(name), at: noon, reason: .cACompromise))
    }

    @Test func `a stale list is never taken for good`() throws {
        var pki = try Shared.pki.get()
        let leaf = try pki.issue(doctor, publicKey: try holderKey(), by: .jma, now: noon)
        let validator = try validator(&pki, listsAt: noon)
        let end = noon.adding(seconds: 96 * 3600)
        #expect(validator.judge(leaf, at: end).fault == nil)
        let name = try pki.certificate(of: .jma).subject.text
        let judgement = validator.judge(leaf, at: end.adding(seconds: 1))
        guard case .indeterminate(.crlStale(.authority(name), nextUpdate: end)) = judgement else {
            Issue.record("found \(judgement)")
            return
        }
    }

    @Test func `without the holder's or the authority's list nothing is known`() throws {
        var pki = try Shared.pki.get()
        let leaf = try pki.issue(doctor, publicKey: try holderKey(), by: .jma, now: noon)
        let trust = pki.trustStore
        let lists = try pki.crls(now: noon)
        let name = try pki.certificate(of: .jma).subject.text
        for (missing, member) in [
            ("development-jma.crl", PathMember.leaf), ("development-root-sarl.crl", .authority(name)),
        ] {
            var store = CRLStore()
            for (file, list) in lists where file != missing {
                store = try store.adding(list, issuers: trust.anchors + trust.intermediates)
            }
            let judgement = PathValidator(trust: trust, crls: store).judge(leaf, at: noon)
            guard case .indeterminate(.revocationUnknown(member)) = judgement else {
                Issue.record("without \(missing): \(judgement)")
                continue
            }
        }
    }

    @Test func `a holder's revocation is certain although the authority's own is not known`() throws {
        var pki = try Shared.pki.get()
        let leaf = try pki.issue(doctor, publicKey: try holderKey(), by: .jma, now: noon)
        try pki.revoke(serial: leaf.serialNumber, of: .jma, reason: .keyCompromise, at: noon)
        let trust = pki.trustStore
        var store = CRLStore()
        for (file, list) in try pki.crls(now: noon) where file != "development-root-sarl.crl" {
            store = try store.adding(list, issuers: trust.anchors + trust.intermediates)
        }
        let judgement = PathValidator(trust: trust, crls: store).judge(leaf, at: noon)
        guard case .failed(.revoked(.leaf, at: noon, reason: .keyCompromise)) = judgement else {
            Issue.record("found \(judgement)")
            return
        }
    }

    @Test func `the key must be for nonRepudiation and nothing else`() throws {
        var pki = try Shared.pki.get()
        let validator = try validator(&pki)
        for usage: KeyUsage in [.digitalSignature, [.digitalSignature, .nonRepudiation], []] {
            let leaf = try changed(pki) { replace(&$0, OID.keyUsage, by: [Extensions.keyUsage(usage)]) }
            #expect(validator.judge(leaf, at: noon).fault == .keyUsage(found: usage, required: .nonRepudiation))
        }
        let silent = try changed(pki) { replace(&$0, OID.keyUsage, by: []) }
        #expect(validator.judge(silent, at: noon).fault == .keyUsage(found: nil, required: .nonRepudiation))
        var relaxed = PathRequirements.hpkiSigning
        relaxed.keyUsageIsExact = false
        let both = try changed(pki) {
            replace(&$0, OID.keyUsage, by: [Extensions.keyUsage([.digitalSignature, .nonRepudiation])])
        }
        let lenient = PathValidator(trust: validator.trust, crls: validator.crls, requirements: relaxed)
        #expect(lenient.judge(both, at: noon).fault == nil)
    }

    @Test func `another or no policy is refused`() throws {
        var pki = try Shared.pki.get()
        let validator = try validator(&pki)
        let wrong = "1.2.392.100495.1.5.1.2.0.1"
        let other = try changed(pki) {
            replace(&$0, OID.certificatePolicies, by: [Extensions.policy(wrong, statement: "http://a.invalid/")])
        }
        #expect(validator.judge(other, at: noon).fault == .policyMissing(found: [wrong]))
        let none = try changed(pki) { replace(&$0, OID.certificatePolicies, by: []) }
        #expect(validator.judge(none, at: noon).fault == .policyMissing(found: []))
    }

    @Test func `a critical extension that is not understood is refused, a plain one is not`() throws {
        var pki = try Shared.pki.get()
        let validator = try validator(&pki)
        let critical = try changed(pki) { $0.extensions.append(Extensions.critical("1.2.3.4", DER.null)) }
        #expect(validator.judge(critical, at: noon).fault == .unknownCriticalExtension(.leaf, oid: "1.2.3.4"))
        let plain = try changed(pki) { $0.extensions.append(Extensions.plain("1.2.3.4", DER.null)) }
        #expect(validator.judge(plain, at: noon).fault == nil)
    }

    @Test func `a critical purpose that was not asked for is refused`() throws {
        var pki = try Shared.pki.get()
        let purpose = DER.sequence(DER.objectIdentifier(OID.serverAuth))
        let leaf = try changed(pki) { $0.extensions.append(Extensions.critical(OID.extKeyUsage, purpose)) }
        #expect(try validator(&pki).judge(leaf, at: noon).fault == .extendedKeyUsage(found: [OID.serverAuth]))
    }

    @Test func `an authority's certificate is no holder's`() throws {
        var pki = try Shared.pki.get()
        let authority = try pki.certificate(of: .jma)
        #expect(try validator(&pki).judge(authority, at: noon).fault == .leafIsAuthority)
        #expect(try validator(&pki).judge(pki.root, at: noon).fault == .noPathToAnchor)
    }
}

/// Paths over authorities made for the purpose, each wrong in one way.
@Suite struct AuthorityPathTests {
    /// An authority below the development root, with the extensions given.
    private func authority(
        _ pki: DevelopmentPKI, _ key: DevelopmentKey, name: String, by issuer: HPKICertificate? = nil,
        _ issuerKey: DevelopmentKey? = nil, extensions: [[UInt8]]
    ) throws -> HPKICertificate {
        let subject = DER.sequence(
            DER.set(of: [DER.sequence(DER.objectIdentifier(OID.commonName), DER.utf8String(name))]))
        let template = CertificateTemplate(
            serialNumber: [77], issuer: (issuer ?? pki.root).subject.der, subject: subject,
            notBefore: pki.root.notBefore,
            notAfter: pki.root.notAfter, publicKey: key.subjectPublicKeyInfo, extensions: extensions)
        return try HPKICertificate(der: try template.signed(by: issuerKey ?? pki.rootKey))
    }

    private func leaf(
        _ pki: DevelopmentPKI, under issuer: HPKICertificate, _ key: DevelopmentKey
    ) throws -> HPKICertificate {
        var template = try pki.template(
            doctor, publicKey: try Shared.holderKey.get().subjectPublicKeyInfo, by: .jma, now: noon)
        template.issuer = issuer.subject.der
        template.extensions[0] = Extensions.authorityKeyIdentifier(of: issuer)
        return try HPKICertificate(der: try template.signed(by: key))
    }

    private func fault(_ leaf: HPKICertificate, _ pki: DevelopmentPKI, _ strangers: [HPKICertificate]) -> PathFault? {
        var requirements = PathRequirements.hpkiSigning
        requirements.revocation = .notChecked
        return PathValidator(trust: pki.trustStore, crls: CRLStore(), requirements: requirements)
            .judge(leaf, intermediates: strangers, at: noon).fault
    }

    private let usage = Extensions.keyUsage([.keyCertSign, .cRLSign])

    @Test func `an issuer must be an authority that may sign certificates`() throws {
        let pki = try Shared.pki.get()
        let key = try Shared.otherKey.get()
        func fault(_ extensions: [[UInt8]]) throws -> PathFault? {
            let issuer = try authority(pki, key, name: "Test", extensions: extensions)
            return self.fault(try leaf(pki, under: issuer, key), pki, [issuer])
        }
        #expect(try fault([Extensions.authority(), usage]) == nil)
        #expect(try fault([usage]) == .basicConstraints(.authority("CN=Test")))
        let notCA = Extensions.critical(OID.basicConstraints, DER.sequence())
        #expect(try fault([notCA, usage]) == .basicConstraints(.authority("CN=Test")))
        let crlsOnly = Extensions.keyUsage(.cRLSign)
        #expect(try fault([Extensions.authority(), crlsOnly]) == .keyCertSignMissing(.authority("CN=Test")))
        let unknown = Extensions.critical("1.2.3.4", DER.null)
        #expect(
            try fault([Extensions.authority(), usage, unknown])
                == .unknownCriticalExtension(.authority("CN=Test"), oid: "1.2.3.4"))
    }

    @Test func `a path longer than an authority allows is refused`() throws {
        let pki = try Shared.pki.get()
        let key = try Shared.otherKey.get()
        let upper = try authority(
            pki, key, name: "Upper", extensions: [Extensions.authority(pathLength: 0), usage])
        let lowerKey = try DevelopmentKey.rsa2048()
        let lower = try authority(
            pki, lowerKey, name: "Lower", by: upper, key, extensions: [Extensions.authority(), usage])
        let leaf = try leaf(pki, under: lower, lowerKey)
        #expect(fault(leaf, pki, [upper, lower]) == .pathTooLong(.authority("CN=Upper"), allowed: 0))
        #expect(fault(leaf, pki, [lower]) == .noPathToAnchor)
    }

    @Test func `circles and crowds of authorities of one name end soon`() throws {
        let pki = try Shared.pki.get()
        let key = try Shared.otherKey.get()
        let selfIssuer = DER.sequence(
            DER.set(of: [DER.sequence(DER.objectIdentifier(OID.commonName), DER.utf8String("Circle"))]))
        var crowd: [HPKICertificate] = []
        for serial in 1...40 {
            let template = CertificateTemplate(
                serialNumber: [UInt8(serial)], issuer: selfIssuer, subject: selfIssuer,
                notBefore: pki.root.notBefore, notAfter: pki.root.notAfter,
                publicKey: (serial % 2 == 0 ? key : try Shared.holderKey.get()).subjectPublicKeyInfo,
                extensions: [Extensions.authority(), usage])
            crowd.append(try HPKICertificate(der: try template.signed(by: key)))
        }
        var template = try pki.template(
            doctor, publicKey: try Shared.holderKey.get().subjectPublicKeyInfo, by: .jma, now: noon)
        template.issuer = selfIssuer
        template.extensions.removeFirst()
        let leaf = try HPKICertificate(der: try template.signed(by: key))
        let found = fault(leaf, pki, crowd)
        #expect(found == .tooComplex || found == .badSignature(.leaf) || found == .noPathToAnchor)
        #expect(found != nil)
    }
}
