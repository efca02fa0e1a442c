import Certificates
import Development
import Formats
import HPKI
import Testing
import Validation

/// Certificates that end, and time stamps that prove a signature older (ETSI EN 319 102-1 §5.5, §5.6).
@Suite struct ProofOfTimeTests {
    private static let year: Int64 = 366 * 86_400
    private let world: World
    private let service: TimeStamping
    private let t0 = World.now

    init() throws {
        world = try World.shared.get()
        service = try TimeStamping(world.pki)
    }

    private func revoking(at time: Instant, reason: RevocationReason? = .keyCompromise) throws -> TimeStamping {
        var copy = service
        try copy.pki.revoke(serial: world.doctor.certificate.serialNumber, of: .medis, reason: reason, at: time)
        return copy
    }

    private func judge(_ document: [UInt8], _ service: TimeStamping, at time: Instant) throws -> ValidationReport {
        try service.validator(at: time).judge(document, at: time)
    }

    private func expect(
        _ report: ValidationReport, _ indication: Indication, _ sub: SubIndication?, _ reasons: [String] = [],
        place: SourceLocation = #_sourceLocation
    ) {
        let signature = report.signatures.first
        #expect(signature?.indication == indication, "\(report.text)", sourceLocation: place)
        #expect(signature?.subIndication == sub, "\(report.text)", sourceLocation: place)
        #expect(report.reasons == reasons, "\(report.text)", sourceLocation: place)
    }

    // MARK: Revoked

    @Test func `revoked before is failed, with a time stamp or without`() throws {
        let service = try revoking(at: t0.adding(seconds: -3600))
        let later = t0.adding(seconds: 7200)
        let document = try world.prescription()
        expect(try judge(document, service, at: later), .totalFailed, .revoked, ["certificate-revoked"])
        let stamped = try service.stamped(document, at: t0.adding(seconds: 60))
        expect(try judge(stamped, service, at: later), .totalFailed, .revoked, ["certificate-revoked"])
    }

    @Test func `revoked after without a time stamp leaves the order unknown`() throws {
        let service = try revoking(at: t0.adding(seconds: 3600))
        let report = try judge(try world.prescription(), service, at: t0.adding(seconds: 7200))
        expect(report, .indeterminate, .revokedNoProofOfExistence, ["certificate-revoked-since"])
    }

    @Test func `revoked after but time-stamped before passes and says so`() throws {
        let service = try revoking(at: t0.adding(seconds: 3600))
        let document = try service.stamped(try world.prescription(), at: t0.adding(seconds: 60))
        let report = try judge(document, service, at: t0.adding(seconds: 7200))
        expect(report, .totalPassed, nil)
        let signature = try #require(report.signatures.first)
        // The authority promises one second.
        #expect(signature.provenSigningTime == t0.adding(seconds: 61))
        #expect(signature.remarks.map(\.reason) == ["revoked-after-signature"])
        #expect(signature.level == .bT && signature.timeStamps.map(\.indication) == [.totalPassed])
        #expect(signature.path.count == 3 && signature.revocation.count == 2)
    }

    @Test func `time-stamped only after the revocation proves nothing of before`() throws {
        let service = try revoking(at: t0.adding(seconds: 30))
        let document = try service.stamped(try world.prescription(), at: t0.adding(seconds: 60))
        let report = try judge(document, service, at: t0.adding(seconds: 7200))
        expect(report, .indeterminate, .revokedNoProofOfExistence, ["certificate-revoked-since"])
    }

    @Test func `an old list that came along does not hide a revocation that is known`() throws {
        let unaware = try service.lists(at: t0)
        let service = try revoking(at: t0.adding(seconds: -3600))
        let document = TimeStamping.adding(
            TimeStamping.revocationValues(crls: unaware),
            to: try service.stamped(try world.prescription(), at: t0.adding(seconds: 60)))
        let report = try judge(document, service, at: t0.adding(seconds: 7200))
        expect(report, .totalFailed, .revoked, ["certificate-revoked"])
    }

    // MARK: Expired

    @Test func `expired is indeterminate, and passes with a time stamp and lists of its time`() throws {
        let late = t0.adding(seconds: 6 * Self.year)
        let document = try world.prescription()
        expect(
            try judge(document, service, at: late), .indeterminate, .outOfBoundsNoProofOfExistence,
            ["certificate-expired"])
        let stamped = try service.stamped(document, at: t0.adding(seconds: 60))
        // Today's list has forgotten who expired.
        expect(
            try judge(stamped, service, at: late), .indeterminate, .outOfBoundsNoProofOfExistence,
            ["crl-after-expiry"])
        let lasting = TimeStamping.adding(
            TimeStamping.revocationValues(crls: try service.lists(at: t0)), to: stamped)
        let report = try judge(lasting, service, at: late)
        expect(report, .totalPassed, nil)
        #expect(report.signatures.first?.level == .bLT)
        #expect(report.signatures.first?.remarks.map(\.reason) == ["expired-after-signature"])
        #expect(report.signatures.first?.revocation.contains { $0.isEmbedded } == true)
    }

    @Test func `an expired time-stamping authority counts where an archive time stamp covers its token`() throws {
        let lasting = TimeStamping.adding(
            TimeStamping.revocationValues(crls: try service.lists(at: t0)),
            to: try service.stamped(try world.prescription(), at: t0.adding(seconds: 60)))
        let archiveTime = t0.adding(seconds: 9 * Self.year)
        let late = t0.adding(seconds: 12 * Self.year)
        let next = try TimeStamping(world.pki, now: archiveTime)
        let bare = try next.validator(at: late, with: [service]).judge(lasting, at: late)
        #expect(bare.result == .indeterminate, "\(bare.text)")
        #expect(bare.signatures.first?.timeStamps.first?.findings.map(\.reason) == ["certificate-expired"])
        let material = TimeStamping.timeStampData(crls: [try service.list(at: archiveTime)])
        let archived = try next.archived(TimeStamping.adding(material, to: lasting), at: archiveTime)
        let report = try next.validator(at: late, with: [service]).judge(archived, at: late)
        expect(report, .totalPassed, nil)
        let signature = try #require(report.signatures.first)
        #expect(signature.level == .bLTA)
        #expect(signature.timeStamps.map(\.kind) == [.signature, .archive])
        #expect(signature.timeStamps.allSatisfy { $0.indication == .totalPassed }, "\(report.text)")
        #expect(signature.provenSigningTime == t0.adding(seconds: 61))
    }

    @Test(arguments: ["CRLValues>", "EncapsulatedCRLValue>M", "xa:SignatureTimeStamp>"])
    func `whatever the archive time stamp covers cannot be changed`(part: String) throws {
        let lasting = TimeStamping.adding(
            TimeStamping.revocationValues(crls: try service.lists(at: t0)),
            to: try service.stamped(try world.prescription(), at: t0.adding(seconds: 60)))
        let archived = try service.archived(lasting, at: t0.adding(seconds: 3600))
        let good = try judge(archived, service, at: t0.adding(seconds: 7200))
        #expect(good.signatures.first?.timeStamps.map(\.isOfSignature) == [true, true], "\(good.text)")
        let bad = try judge(
            archived.replacing(part, part == "EncapsulatedCRLValue>M" ? "EncapsulatedCRLValue> M" : "\(part)\n"),
            service, at: t0.adding(seconds: 7200))
        let archive = bad.signatures.first?.timeStamps.last
        #expect(archive?.indication == .totalFailed, "\(bad.text)")
        #expect(archive?.findings.map(\.reason) == ["time-stamp-of-other-data"])
        #expect(bad.signatures.first?.level == .bLT)
    }

    // MARK: Unknown

    @Test func `nothing known of revocation is to be tried later, and material that came along settles it`() throws {
        let document = try world.prescription()
        let blind = try service.validator(at: t0, lists: false)
        expect(blind.judge(document, at: t0), .indeterminate, .tryLater, ["revocation-unknown"])
        let lists = TimeStamping.revocationValues(crls: try service.lists(at: t0))
        expect(blind.judge(TimeStamping.adding(lists, to: document), at: t0), .totalPassed, nil)
    }

    @Test func `a stale list is to be tried later unless a time stamp is of its time`() throws {
        let late = t0.adding(seconds: 30 * 86_400)
        let document = try world.prescription()
        let old = try service.validator(at: t0)
        expect(old.judge(document, at: late), .indeterminate, .tryLater, ["crl-stale"])
        var fresh = service
        fresh.pki = world.pki
        let stamped = try service.stamped(document, at: t0.adding(seconds: 60))
        let validator = SignatureValidator(
            trust: world.pki.trustStore, crls: try World.lists(&fresh.pki), timeStamps: try service.trust(at: late))
        expect(validator.judge(stamped, at: late), .totalPassed, nil)
    }

    @Test func `a list by another key is not believed because it came along`() throws {
        let blind = try service.validator(at: t0, lists: false)
        var forger = try DevelopmentPKI.create(random: TimeStamping.random, now: t0)
        let forged = TimeStamping.revocationValues(crls: Array(try forger.crls(now: t0).values))
        let report = blind.judge(TimeStamping.adding(forged, to: try world.prescription()), at: t0)
        expect(report, .indeterminate, .tryLater, ["revocation-unknown"])
    }

    // MARK: OCSP

    private static func time(_ instant: Instant) -> [UInt8] {
        DER.value(.generalizedTime, [0x32, 0x30] + DER.time(instant).dropFirst(2))
    }

    /// An answer "good" about the doctor, by `key` in the name of the authority.
    private func answer(by key: DevelopmentKey, identifier: [UInt8]) throws -> [UInt8] {
        let issuer = try world.pki.certificate(of: .medis)
        let id = OCSPCertificateID(of: world.doctor.certificate, issuedBy: issuer, hash: .sha256)
        let single = DER.sequence(
            of: [
                id.der, DER.value(.contextPrimitive(0), []), Self.time(t0),
                DER.explicit(0, Self.time(t0.adding(seconds: 3600))),
            ])
        let body = DER.sequence(
            of: [DER.explicit(2, DER.octetString(identifier)), Self.time(t0), DER.sequence(single)])
        let basic = DER.sequence(
            of: [body, key.algorithmIdentifier, DER.bitString(try key.signature(over: body))])
        return DER.sequence(
            DER.value(.enumerated, [0]),
            DER.explicit(0, DER.sequence(DER.objectIdentifier(OID.ocspBasic), DER.octetString(basic))))
    }

    @Test func `an answer of the authority counts, and one by the wrong key is none`() throws {
        let issuer = try world.pki.certificate(of: .medis)
        let key = try world.pki.key(of: .medis)
        // The list of the root alone: nothing tells of holders but the answer.
        let lists = try service.lists(at: t0).filter {
            try CertificateRevocationList(der: $0).issuer == world.pki.root.subject
        }
        #expect(lists.count == 2)
        func judge(_ answer: [UInt8]) throws -> ValidationReport {
            let properties = TimeStamping.revocationValues(crls: lists, ocsp: [answer])
            return try service.validator(at: t0, lists: false)
                .judge(TimeStamping.adding(properties, to: try world.prescription()), at: t0)
        }
        let good = try judge(try answer(by: key, identifier: issuer.publicKey.keyIdentifier))
        expect(good, .totalPassed, nil)
        #expect(good.signatures.first?.revocation.contains { $0.kind == .ocsp && $0.isEmbedded } == true)
        let wrong = DevelopmentKey.p256()
        let forged = try judge(try answer(by: wrong, identifier: issuer.publicKey.keyIdentifier))
        expect(forged, .indeterminate, .tryLater, ["revocation-unknown"])
        let own = try VerificationKey(subjectPublicKeyInfo: wrong.subjectPublicKeyInfo).keyIdentifier
        expect(
            try judge(try answer(by: wrong, identifier: own)), .indeterminate, .tryLater, ["revocation-unknown"])
    }

    // MARK: Time stamps that lie

    private func judgeToken(
        _ token: [UInt8], at time: Instant? = nil, signedAt: Instant? = nil, trusted: Bool = true
    ) throws -> (ValidationReport, TimeStampReport) {
        let document = TimeStamping.adding(
            TimeStamping.signatureTimeStamp(token), to: try world.prescription(at: signedAt ?? t0))
        let time = time ?? t0.adding(seconds: 600)
        var pki = world.pki
        let validator =
            trusted
            ? try service.validator(at: t0)
            : SignatureValidator(trust: world.pki.trustStore, crls: try World.lists(&pki))
        let report = validator.judge(document, at: time)
        return (report, try #require(report.signatures.first?.timeStamps.first))
    }

    @Test func `a time stamp that is not of this signature, or not by whom it says, proves nothing`() throws {
        let octets = try TimeStamping.signatureOctets(try world.prescription())
        let soon = t0.adding(seconds: 60)
        let cases: [([UInt8], Indication, String)] = [
            (try service.token(over: [1, 2, 3], at: soon), .totalFailed, "time-stamp-of-other-data"),
            (try service.token(over: octets, at: soon, by: .p256()), .totalFailed, "time-stamp-signature-mismatch"),
            ([0x30, 0x00], .totalFailed, "time-stamp-malformed"),
            (
                try service.token(over: octets, at: t0.adding(seconds: 86_400)), .indeterminate,
                "time-stamp-from-the-future"
            ),
        ]
        for (token, indication, reason) in cases {
            let (report, stamp) = try judgeToken(token)
            #expect(stamp.indication == indication && stamp.findings.map(\.reason) == [reason], "\(report.text)")
            #expect(report.signatures.first?.provenSigningTime == nil)
            #expect(report.signatures.first?.level == .bB)
        }
        let (report, stamp) = try judgeToken(try service.token(over: octets, at: soon), trusted: false)
        #expect(stamp.indication == .indeterminate && stamp.subIndication == .noCertificateChain, "\(report.text)")
        #expect(report.signatures.first?.provenSigningTime == nil)
    }

    @Test func `a revoked key of the authority proves nothing`() throws {
        let octets = try TimeStamping.signatureOctets(try world.prescription())
        var service = service
        service.authority.revoke(reason: .keyCompromise, at: t0.adding(seconds: 300))
        let document = TimeStamping.adding(
            TimeStamping.signatureTimeStamp(try service.token(over: octets, at: t0.adding(seconds: 60))),
            to: try world.prescription())
        let report = try judge(document, service, at: t0.adding(seconds: 600))
        #expect(report.signatures.first?.timeStamps.first?.indication == .totalFailed, "\(report.text)")
        #expect(report.signatures.first?.provenSigningTime == nil)
    }

    @Test func `a time before the certificate fails, and one before the claimed time is out of order`() throws {
        let early = try TimeStamping(world.pki, now: t0.adding(seconds: -400 * 86_400))
        let octets = try TimeStamping.signatureOctets(try world.prescription())
        let document = TimeStamping.adding(
            TimeStamping.signatureTimeStamp(try early.token(over: octets, at: t0.adding(seconds: -300 * 86_400))),
            to: try world.prescription())
        let before = try early.validator(at: t0).judge(document, at: t0)
        #expect(before.result == .failed && before.reasons.contains("time-stamp-before-certificate"), "\(before.text)")
        let claimed = t0.adding(seconds: 3600)
        let signed = try world.prescription(at: claimed)
        let stamped = try service.stamped(signed, at: t0.adding(seconds: 60))
        let report = try judge(stamped, service, at: claimed.adding(seconds: 60))
        expect(report, .indeterminate, .timeStampOrderFailure, ["signing-time-after-time-stamp"])
    }

    // MARK: Dispensing results

    @Test func `in a dispensing result the prescriber's signature is judged with its own time stamp and data`() throws {
        let revoked = try revoking(at: t0.adding(seconds: 3600))
        let plain = try world.dispensing()
        let prescription = try revoked.stamped(try world.prescription(), at: t0.adding(seconds: 60))
        let stamped = try world.dispensing(of: prescription)
        let late = t0.adding(seconds: 7200)
        let without = try judge(plain, revoked, at: late)
        #expect(without.signatures.map(\.indication) == [.indeterminate, .totalPassed], "\(without.text)")
        let with = try judge(stamped, revoked, at: late)
        #expect(with.signatures.map(\.indication) == [.totalPassed, .totalPassed], "\(with.text)")
        // The pharmacist's time stamp covers the prescriber's signature too.
        let covered = try judge(try revoked.stamped(plain, at: t0.adding(seconds: 90)), revoked, at: late)
        #expect(covered.result == .passed, "\(covered.text)")
        #expect(covered.signatures.map(\.provenSigningTime) == [t0.adding(seconds: 91), t0.adding(seconds: 91)])
    }
}
