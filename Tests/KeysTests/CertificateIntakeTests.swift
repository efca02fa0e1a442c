import Certificates
import Development
import HPKI
import Host
import Keys
import Testing

private let now = Instant(seconds: 1_800_000_000)
private let day: Int64 = 86_400

@Suite struct CertificateIntakeTests {
    private static let authorities = Result {
        try DevelopmentPKI.create(random: .live, now: now.adding(seconds: -400 * day))
    }
    private static let key = DevelopmentKey.p256()
    private static let doctor = HolderProfile(
        romajiName: "Hanako Tameshi", japaneseName: "試し　花子", identifier: "t00001-medis", roles: [.medicalDoctor])

    /// An authority's book with what the registry knows of one holder, to be changed field by field.
    private struct Desk {
        var pki: DevelopmentPKI
        var trust: TrustStore
        var crls = CRLStore()
        var registered: [HCRole] = [.medicalDoctor]
        var takesOverAt: Instant?
        var expectedSubjectSerial: String?
        var seen: [(issuer: [UInt8], serialNumber: [UInt8])] = []
        /// Where a usage, a role list and a policy stand in a development authority's certificates.
        static let (usage, roles, policy) = (2, 5, 6)

        init(listsAt: Instant = now.adding(seconds: -3600)) throws {
            pki = try authorities.get()
            trust = pki.trustStore
            try publish(at: listsAt)
        }

        mutating func publish(at moment: Instant) throws {
            for list in try pki.crls(now: moment).values {
                crls = try crls.adding(list, issuers: pki.trustStore.anchors + pki.trustStore.intermediates)
            }
        }

        func template(
            _ profile: HolderProfile = doctor, by authority: DevelopmentPKI.Authority = .medis, from: Instant = now
        ) throws -> CertificateTemplate {
            try pki.template(profile, publicKey: key.subjectPublicKeyInfo, by: authority, now: from)
        }

        func judge(_ der: [UInt8]) throws(Failure) -> HPKICertificate {
            let issuers = (try? pki.certificate(of: .medis)).map { [$0] } ?? []
            let remit = AuthorityRemit(
                name: made(AuthorityID("medis")), issuers: issuers, roles: ["Medical Doctor", "Dentist"])
            let intake = CertificateIntake(
                remit: remit, trust: trust, crls: crls, acceptablePolicies: [OID.hpkiSigningPolicy],
                knownRoles: ["Medical Doctor", "Dentist", "Pharmacist"])
            return try intake.judge(
                der: der, for: key.subjectPublicKeyInfo, roles: registered, takesOverAt: takesOverAt,
                expectedSubjectSerial: expectedSubjectSerial,
                seenSerial: { issuer, serial in seen.contains { $0 == (issuer, serial) } }, at: now)
        }

        /// The codes with which a certificate of this template is refused; none where it is accepted.
        func reasons(
            _ template: CertificateTemplate, by authority: DevelopmentPKI.Authority = .medis
        ) throws -> [String] {
            reasons(of: try template.signed(by: try pki.key(of: authority)))
        }

        func reasons(of der: [UInt8]) -> [String] {
            do throws(Failure) {
                let accepted = try judge(der)
                #expect(accepted.der == der)
                return []
            } catch {
                #expect(error.kind == .certificateRefused)
                #expect(error.detail.hasPrefix("The certificate is refused: ") && !error.reasons.isEmpty)
                return error.reasons
            }
        }
    }

    @Test func `a certificate in order is accepted, whatever serialNumber its authority gave the subject`() throws {
        var desk = try Desk()
        #expect(try desk.reasons(try desk.template()) == [])
        desk.expectedSubjectSerial = "t00001-medis"
        #expect(try desk.reasons(try desk.template()) == [])
        desk.registered = [.dentist, .medicalDoctor]
        #expect(try desk.reasons(try desk.template()) == [])
    }

    @Test func `what is no certificate is unreadable`() throws {
        let desk = try Desk()
        let good = try desk.template().signed(by: try desk.pki.key(of: .medis))
        for bad in [[], Array(good.dropLast()), good + [0], Array("-----BEGIN CERTIFICATE-----".utf8)] {
            #expect(desk.reasons(of: bad) == ["unreadable"])
        }
    }

    @Test func `a certificate for another public key is refused`() throws {
        let desk = try Desk()
        var template = try desk.template()
        template.publicKey = DevelopmentKey.p256().subjectPublicKeyInfo
        #expect(try desk.reasons(template) == ["other-public-key"])
    }

    @Test func `a chain whose signature does not hold is broken, and one without an anchor untrusted`() throws {
        var desk = try Desk()
        var broken = try desk.template().signed(by: try desk.pki.key(of: .medis))
        broken[broken.count - 1] ^= 1
        #expect(desk.reasons(of: broken) == ["broken-chain"])
        // By an authority's name with a key that is not its own.
        #expect(desk.reasons(of: try desk.template().signed(by: .p256())) == ["broken-chain"])
        desk.trust = TrustStore(anchors: [], intermediates: desk.trust.intermediates)
        #expect(try desk.reasons(try desk.template()) == ["untrusted-chain"])
    }

    @Test func `a certificate that is revoked, or of which nothing is known, is refused`() throws {
        var desk = try Desk()
        let template = try desk.template()
        var misused = template
        misused.extensions[Desk.usage] = Extensions.keyUsage(.digitalSignature)
        let issued = try desk.pki.issue(
            Self.doctor, publicKey: Self.key.subjectPublicKeyInfo, by: .medis, now: now)
        #expect(desk.reasons(of: issued.der) == [])
        try desk.pki.revoke(
            serial: issued.serialNumber, of: .medis, reason: .keyCompromise, at: now.adding(seconds: -60))
        try desk.publish(at: now.adding(seconds: -30))
        #expect(desk.reasons(of: issued.der) == ["revoked"])
        // Behind a fault of its own fields the revocation is seen too.
        #expect(try desk.reasons(misused) == ["revoked", "key-usage"])
        desk.crls = CRLStore()
        #expect(desk.reasons(of: issued.der) == ["revocation-unknown"])
        let stale = try Desk(listsAt: now.adding(seconds: -5 * day))
        #expect(try stale.reasons(try stale.template()) == ["revocation-unknown"])
    }

    @Test func `another authority's certificate is refused, even in good order`() throws {
        let desk = try Desk()
        let other = try desk.template(by: .jma)
        #expect(try desk.reasons(other, by: .jma) == ["other-authority"])
        // Nobody's: neither trusted nor of the remit.
        var stranger = try desk.template()
        stranger.issuer = try CertificateIntakeTests.strangersName
        #expect(desk.reasons(of: try stranger.signed(by: .p256())) == ["untrusted-chain", "other-authority"])
    }

    private static var strangersName: [UInt8] {
        get throws { try HPKICertificate(der: try Desk().template().signed(by: .p256())).subject.der }
    }

    @Test func `another policy and another key usage are refused`() throws {
        let desk = try Desk()
        var template = try desk.template()
        template.extensions[Desk.policy] = Extensions.policy("1.2.392.100495.1.5.1.2.0.1", statement: "http://a/")
        #expect(try desk.reasons(template) == ["wrong-policy"])
        for usage: KeyUsage in [.digitalSignature, [.digitalSignature, .nonRepudiation]] {
            template = try desk.template()
            template.extensions[Desk.usage] = Extensions.keyUsage(usage)
            #expect(try desk.reasons(template) == ["key-usage"])
        }
        template = try desk.template()
        template.extensions.remove(at: Desk.usage)
        #expect(try desk.reasons(template) == ["key-usage"])
    }

    @Test(arguments: [
        ([], ["no-role"]),
        (["Wizard"], ["unknown-role"]),
        (["Pharmacist"], ["role-outside-remit"]),
        (["Dentist"], ["role-not-registered"]),
        (
            ["Medical Doctor", "Wizard", "Pharmacist", "Dentist"],
            [
                "unknown-role", "role-outside-remit", "role-not-registered",
            ]
        ),
    ])
    func `every role must be known, in the remit and registered`(roles: [String], expected: [String]) throws {
        var desk = try Desk()
        desk.registered.append(.pharmacist)
        var profile = Self.doctor
        profile.roles = roles.map { HCRole($0) }
        #expect(try desk.reasons(try desk.template(profile)) == expected)
    }

    @Test func `a validity that lies ahead needs a later take-over, and 90 days are the most`() throws {
        var desk = try Desk()
        var template = try desk.template()
        template.notBefore = now.adding(seconds: 10 * day)
        template.notAfter = now.adding(seconds: 1000 * day)
        #expect(try desk.reasons(template) == ["not-yet-valid"])
        desk.takesOverAt = now.adding(seconds: 10 * day - 1)
        #expect(try desk.reasons(template) == ["not-yet-valid"])
        desk.takesOverAt = now.adding(seconds: 10 * day)
        #expect(try desk.reasons(template) == [])
        desk.takesOverAt = now.adding(seconds: 90 * day)
        template.notBefore = now.adding(seconds: 90 * day)
        #expect(try desk.reasons(template) == [])
        template.notBefore = now.adding(seconds: 90 * day + 1)
        desk.takesOverAt = template.notBefore
        #expect(try desk.reasons(template) == ["not-yet-valid"])
        // Ahead or not, what is revoked now is refused now.
        desk.takesOverAt = now.adding(seconds: 10 * day)
        template.notBefore = now.adding(seconds: 10 * day)
        desk.crls = CRLStore()
        #expect(try desk.reasons(template) == ["revocation-unknown"])
    }

    @Test func `a validity that has ended, ends before the take-over, is reversed or too long is refused`() throws {
        var desk = try Desk()
        var template = try desk.template()
        template.notBefore = now.adding(seconds: -30 * day)
        template.notAfter = now
        #expect(try desk.reasons(template) == [])
        template.notAfter = now.adding(seconds: -1)
        #expect(try desk.reasons(template) == ["expired"])
        template.notAfter = now.adding(seconds: -20 * day)
        #expect(try desk.reasons(template) == ["expired"])
        template.notAfter = now.adding(seconds: 20 * day)
        desk.takesOverAt = now.adding(seconds: 20 * day + 1)
        #expect(try desk.reasons(template) == ["expired"])
        desk.takesOverAt = nil
        template.notBefore = now.adding(seconds: 21 * day)
        #expect(try desk.reasons(template) == ["validity-reversed"])
        template.notBefore = now
        template.notAfter = now.adding(seconds: (5 * 365 + 33) * day)
        #expect(try desk.reasons(template) == [])
        template.notAfter = template.notAfter.adding(seconds: 1)
        #expect(try desk.reasons(template) == ["validity-too-long"])
    }

    @Test func `a serial number of its issuer that was seen is refused, another issuer's same one is not`() throws {
        var desk = try Desk()
        let template = try desk.template()
        desk.seen = [(try desk.pki.certificate(of: .jma).subject.der, [0x65])]
        #expect(try desk.reasons(template) == [])
        desk.seen.append((try desk.pki.certificate(of: .medis).subject.der, [0x65]))
        #expect(try desk.reasons(template) == ["serial-seen"])
    }

    @Test func `a subject with another serialNumber than expected is another holder's`() throws {
        var desk = try Desk()
        desk.expectedSubjectSerial = "t00002-medis"
        #expect(try desk.reasons(try desk.template()) == ["other-holder"])
    }

    @Test func `whatever cannot be asked of the registry is the failure thrown`() throws {
        let desk = try Desk()
        let der = try desk.template().signed(by: try desk.pki.key(of: .medis))
        let intake = CertificateIntake(
            remit: AuthorityRemit(name: made(AuthorityID("medis")), issuers: [], roles: []), trust: desk.trust,
            crls: desk.crls, acceptablePolicies: [], knownRoles: [])
        #expect(throws: Failure(.coreUnavailable, "x")) {
            try intake.judge(
                der: der, for: Self.key.subjectPublicKeyInfo, roles: [],
                seenSerial: { (_, _) throws(Failure) in throw Failure(.coreUnavailable, "x") }, at: now)
        }
    }

    @Test func `all reasons that can be judged together are told together`() throws {
        var desk = try Desk()
        desk.expectedSubjectSerial = "t00002-medis"
        desk.seen = [(try desk.pki.certificate(of: .medis).subject.der, [0x65])]
        desk.crls = CRLStore()
        var profile = Self.doctor
        profile.roles = [HCRole("Wizard"), .pharmacist]
        var template = try desk.template(profile)
        template.publicKey = DevelopmentKey.p256().subjectPublicKeyInfo
        template.extensions[Desk.usage] = Extensions.keyUsage(.digitalSignature)
        template.extensions[Desk.policy] = Extensions.policy("1.2.3", statement: "http://a/")
        template.notBefore = now.adding(seconds: 100 * day)
        template.notAfter = now.adding(seconds: 4000 * day)
        let expected = [
            "other-public-key", "revocation-unknown", "other-holder", "serial-seen", "wrong-policy", "key-usage",
            "unknown-role", "role-outside-remit", "role-not-registered", "validity-too-long", "not-yet-valid",
        ]
        #expect(try desk.reasons(template) == expected)
    }
}
