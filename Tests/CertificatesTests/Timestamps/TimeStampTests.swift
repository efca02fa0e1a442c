import Certificates
import Development
import Formats
import HPKI
import Testing

/// Time stamps of the development authority, whole and spoilt.
@Suite struct TimeStampTests {
    @Test func `an answer to a request proves its time`() throws {
        var scene = try TimeStampScene()
        let instant = Instant(milliseconds: noon.milliseconds + 250)
        let response = try TimeStampResponse(der: scene.answer(at: instant))
        let requirements = try scene.requirements(at: instant)
        let proven = try response.token.judge(for: scene.request.expectation, requirements).provenTime()
        #expect(proven.time == instant)
        #expect(proven.latest == instant.adding(seconds: 1))
        #expect(proven.info.imprint == scene.request.imprint)
        #expect(proven.info.policy == DevelopmentTimeStampAuthority.policy)
        #expect(
            proven.chain == [scene.authority.certificate, scene.authority.authorityCertificate, scene.pki.root])
        #expect(!response.isModified)
    }

    @Test func `a time stamp of other data, to another request or under another policy proves nothing`() throws {
        var scene = try TimeStampScene()
        let requirements = try scene.requirements()
        let token = try TimeStampResponse(der: scene.answer()).token
        func fault(_ change: (inout TimeStampExpectation) -> Void) -> TimeStampFault? {
            var expected = scene.request.expectation
            change(&expected)
            return token.judge(for: expected, requirements).fault
        }
        #expect(fault { $0.imprint = Digest(of: Array("hullo".utf8)) } == .wrongImprint)
        #expect(fault { $0.imprint = Digest(of: Array("hello".utf8), by: .sha512) } == .wrongImprint)
        #expect(fault { $0.nonce = [1, 2, 3] } == .wrongNonce)
        #expect(fault { $0.policy = "1.2.3" } == .policyNotAccepted(found: DevelopmentTimeStampAuthority.policy))
        #expect(fault { $0.nonce = nil } == nil)
        // A nonce asked for and not repeated.
        let bare = TimeStampTokenTemplate(
            info: scene.authority.info(
                imprint: scene.request.imprint, nonce: nil, random: Shared.fixedRandom, now: noon),
            certificate: scene.authority.certificate)
        #expect(try scene.fault(bare.signed(by: scene.authority.key)) == .wrongNonce)
    }

    @Test func `the judge's own policies and accuracy are asked for`() throws {
        var scene = try TimeStampScene()
        let token = try scene.template().signed(by: scene.authority.key)
        let policy = DevelopmentTimeStampAuthority.policy
        #expect(try scene.fault(token) { $0.acceptablePolicies = [policy] } == nil)
        #expect(try scene.fault(token) { $0.acceptablePolicies = ["1.2.3"] } == .policyNotAccepted(found: policy))
        #expect(try scene.fault(token) { $0.maximumAccuracyMicroseconds = 1_000_000 } == nil)
        #expect(
            try scene.fault(token) { $0.maximumAccuracyMicroseconds = 999_999 }
                == .notAccurateEnough(microseconds: 1_000_000))
    }

    @Test func `without knowledge of revocation the time is indeterminate`() throws {
        var scene = try TimeStampScene()
        let requirements = try scene.requirements(listsAt: nil)
        let token = try TimeStampResponse(der: scene.answer()).token
        guard
            case .indeterminate(.certificate(.revocationUnknown)) = token.judge(
                for: scene.request.expectation, requirements)
        else {
            Issue.record("not indeterminate for want of lists")
            return
        }
    }

    @Test(
        arguments: [
            // Revoked before the stated time, whatever the reason.
            (-60, .superseded, false), (-60, nil, false),
            // Afterwards: only a reason that leaves the key in honour lets an older time stamp be (RFC 3161 §4).
            (60, .superseded, true), (60, .cessationOfOperation, true), (60, .keyCompromise, false), (60, nil, false),
        ] as [(Int, RevocationReason?, Bool)])
    func `a revoked authority proves nothing by itself`(
        _ offset: Int, _ reason: RevocationReason?, _ mayBeOlder: Bool
    ) throws {
        var scene = try TimeStampScene()
        let token = try TimeStampResponse(der: scene.answer()).token
        let revokedAt = noon.adding(seconds: Int64(offset))
        scene.authority.revoke(reason: reason, at: revokedAt)
        let later = noon.adding(seconds: 3600)
        let judgement = token.judge(
            for: scene.request.expectation, try scene.requirements(at: later, listsAt: later))
        let fault = PathFault.revoked(.leaf, at: revokedAt, reason: reason)
        #expect(judgement.fault == (mayBeOlder ? .certificateEnded(fault) : .certificate(fault)))
        #expect(judgement.fault?.isConclusive == !mayBeOlder)
    }

    @Test func `after the end of the authority's certificate the time is indeterminate`() throws {
        var scene = try TimeStampScene()
        let token = try TimeStampResponse(der: scene.answer()).token
        let later = noon.adding(seconds: 11 * 366 * 86_400)
        let judgement = token.judge(
            for: scene.request.expectation, try scene.requirements(at: later, listsAt: later))
        let end = PathFault.expired(.leaf, notAfter: scene.authority.certificate.notAfter)
        #expect(judgement.fault == .certificateEnded(end))
        #expect(judgement.fault?.isConclusive == false)
        #expect(judgement.fault?.explanation.contains("Nothing proves") == true)
    }

    @Test func `a time before the certificate or after the judge's clock is refused`() throws {
        var scene = try TimeStampScene()
        let early = noon.adding(seconds: -3 * 86_400)
        #expect(
            try scene.fault(TimeStampResponse(der: scene.answer(at: early)).token.der)
                == .outsideCertificate(stated: early))
        let soon = noon.adding(seconds: 60)
        #expect(try scene.fault(TimeStampResponse(der: scene.answer(at: soon)).token.der) == nil)
        let late = noon.adding(seconds: 61)
        #expect(
            try scene.fault(TimeStampResponse(der: scene.answer(at: late)).token.der) == .fromTheFuture(stated: late))
    }

    @Test func `an authority nobody trusts proves nothing`() throws {
        var scene = try TimeStampScene()
        let stranger = try DevelopmentPKI.create(
            random: Shared.fixedRandom, now: noon.adding(seconds: -86_400)
        ).timeStampAuthority(now: noon.adding(seconds: -86_400))
        let token = try TimeStampResponse(
            der: stranger.answer(scene.request.der, random: Shared.fixedRandom, now: noon)
        ).token
        guard case .certificate(let fault) = try scene.fault(token.der) else {
            Issue.record("a stranger's time stamp was taken")
            return
        }
        #expect(fault == .noPathToAnchor || fault == .badSignature(.leaf))
    }

    @Test func `the authority's certificate is for time stamps alone and says so critically`() throws {
        var scene = try TimeStampScene()
        let purpose = DER.objectIdentifier(OID.timeStamping)
        // The extension's place in the template.
        let place = 3
        #expect(try scene.fault { _ in } == nil)
        #expect(
            try scene.fault { $0.extensions[place] = Extensions.plain(OID.extKeyUsage, DER.sequence(purpose)) }
                == .purpose(found: [OID.timeStamping]))
        let two = DER.sequence(purpose, DER.objectIdentifier(OID.clientAuth))
        #expect(
            try scene.fault { $0.extensions[place] = Extensions.critical(OID.extKeyUsage, two) }
                == .purpose(found: [OID.timeStamping, OID.clientAuth]))
        #expect(try scene.fault { $0.extensions.remove(at: place) } == .purpose(found: []))
        let usage: KeyUsage = [.digitalSignature, .keyEncipherment]
        #expect(try scene.fault { $0.extensions[2] = Extensions.keyUsage(usage) } == .keyUsage(found: usage))
        #expect(try scene.fault { $0.extensions[2] = Extensions.keyUsage(.nonRepudiation) } == nil)
        #expect(try scene.fault { $0.subject = MadePath.name("Somebody else") } == .otherAuthority)
    }

    @Test func `whoever asks wrongly is told why`() throws {
        let scene = try TimeStampScene()
        let algorithm = DER.sequence(DER.objectIdentifier(OID.sha1), DER.null)
        let sha1 = DER.sequence(algorithm, DER.octetString([UInt8](repeating: 7, count: 20)))
        let good = scene.request.imprint.messageImprint
        let requests: [(String, [UInt8])] = [
            ("badAlg", DER.sequence(DER.integer(1), sha1)),
            ("badRequest", DER.sequence(DER.integer(2), good)),
            ("badDataFormat", [1, 2, 3]),
            ("unacceptedPolicy", DER.sequence(DER.integer(1), good, DER.objectIdentifier("1.2.3"))),
            ("unacceptedExtension", DER.sequence(DER.integer(1), good, DER.explicit(0, DER.null))),
        ]
        for (failure, request) in requests {
            let answer = scene.authority.answer(request, random: Shared.fixedRandom, now: noon)
            do throws(TimeStampFault) {
                _ = try TimeStampResponse(der: answer)
                Issue.record("\(failure): granted")
            } catch {
                guard case .notGranted(let refusal) = error else {
                    Issue.record("\(failure): \(error)")
                    continue
                }
                #expect(refusal.status == 2)
                #expect(refusal.failures == [failure])
                #expect(error.explanation.contains(failure))
            }
        }
    }

    @Test func `an answer has a token exactly where it is granted, and its words are made harmless`() throws {
        let scene = try TimeStampScene()
        let token = try scene.template().signed(by: scene.authority.key)
        func fault(_ status: [[UInt8]], _ token: [UInt8]?) -> TimeStampFault? {
            do throws(TimeStampFault) {
                let parts = [DER.sequence(of: status)] + (token.map { [$0] } ?? [])
                _ = try TimeStampResponse(der: DER.sequence(of: parts))
                return nil
            } catch {
                return error
            }
        }
        let disagreement = TimeStampFault.malformed(.invalidValue, field: "TimeStampResp")
        for granted in [UInt64(0), 1] {
            #expect(fault([DER.integer(granted)], token) == nil)
            #expect(fault([DER.integer(granted)], nil) == disagreement)
        }
        for status in UInt64(2)...5 { #expect(fault([DER.integer(status)], token) == disagreement) }
        #expect(fault([DER.integer(6)], nil) == disagreement)
        let long = DER.utf8String(String(repeating: "x", count: 300))
        let words = DER.sequence(DER.utf8String("wait\u{1B}[2J\n"), long)
        guard case .notGranted(let refusal) = fault([DER.integer(3), words], nil) else {
            Issue.record("not told why")
            return
        }
        #expect(refusal.status == 3)
        #expect(refusal.failures.isEmpty)
        #expect(refusal.text.hasPrefix("wait[2J xxx"))
        #expect(refusal.text.count == 200)
    }

    @Test func `the development authority is the same after it was kept`() throws {
        var scene = try TimeStampScene()
        scene.authority = try DevelopmentTimeStampAuthority(restoring: try scene.authority.serialized())
        #expect(try scene.fault(TimeStampResponse(der: scene.answer()).token.der) == nil)
        #expect(throws: DevelopmentPKIError.unreadableState) {
            _ = try DevelopmentTimeStampAuthority(restoring: Array("{}".utf8))
        }
    }
}
