import Certificates
import Development
import Formats
import HPKI
import Testing
import Validation

/// Algorithms that count until a day, asked of certificates and time stamps as of the moment at which each is proven to
/// have existed.
@Suite struct AlgorithmDateTests {
    private let world: World
    private let service: TimeStamping
    private let authority: HPKICertificate
    private let t0 = World.now
    private let lastDay = World.now.adding(seconds: 3600)
    private let late = World.now.adding(seconds: 7200)

    init() throws {
        world = try World.shared.get()
        service = try TimeStamping(world.pki)
        authority = try world.pki.certificate(of: .medis)
    }

    /// By a verifier who knows the root alone, so that the authority between must come along.
    private func judge(_ document: [UInt8], _ policy: ValidationPolicy) throws -> SignatureReport {
        var pki = world.pki
        let validator = SignatureValidator(
            trust: TrustStore(anchors: [world.pki.root]), crls: try World.lists(&pki),
            timeStamps: try service.trust(at: t0), policy: policy)
        return try #require(validator.judge(document, at: late).signatures.first)
    }

    private func reasons(_ report: SignatureReport) -> [String] { report.findings.map(\.reason) }

    // MARK: Certificates

    private var withoutRSA: ValidationPolicy {
        var policy = ValidationPolicy.standard
        policy.signatureAlgorithms["rsa-pkcs1-sha256"] = lastDay
        return policy
    }

    @Test func `an authority's certificate that came along counts where an archive time stamp of before covers it`()
        throws
    {
        let values = TimeStamping.certificateValues([authority])
        let stamped = try service.stamped(try world.prescription(), at: t0)
        let open = TimeStamping.adding(values, to: stamped)
        #expect(try judge(open, .standard).indication == .totalPassed)
        // The signature and the signer's certificate are proven, the authority's is not.
        let bare = try judge(open, withoutRSA)
        #expect(reasons(bare) == ["certificate-algorithm-no-longer-accepted"])
        #expect(bare.subIndication == .cryptoConstraintsFailureNoProofOfExistence)
        let covered = try judge(try service.archived(open, at: t0), withoutRSA)
        #expect(covered.indication == .totalPassed, "\(covered.findings)")
        let after = try judge(TimeStamping.adding(values, to: try service.archived(stamped, at: t0)), withoutRSA)
        #expect(
            reasons(after) == ["certificate-algorithm-no-longer-accepted"], "it stands behind the archive time stamp")
        let tooLate = try judge(try service.archived(open, at: late), withoutRSA)
        #expect(reasons(tooLate) == ["certificate-algorithm-no-longer-accepted"])
        #expect(tooLate.subIndication == .cryptoConstraintsFailure)
    }

    @Test func `an authority's certificate in the trust folder is there by the operator's word`() throws {
        var pki = world.pki
        let validator = SignatureValidator(
            trust: world.pki.trustStore, crls: try World.lists(&pki), timeStamps: try service.trust(at: t0),
            policy: withoutRSA)
        let report = validator.judge(try service.stamped(try world.prescription(), at: t0), at: late)
        #expect(report.result == .passed, "\(report.text)")
        let unstamped = validator.judge(try world.prescription(), at: late)
        #expect(
            unstamped.reasons == ["algorithm-no-longer-accepted", "certificate-algorithm-no-longer-accepted"],
            "the signer's own certificate came along")
    }

    @Test func `in CMS the archive time stamp covers the certificates that its index names`() throws {
        let scene = try CMSScene(world, by: service, chain: [authority])
        #expect(try judge(scene.archived, .standard).indication == .totalPassed)
        #expect(reasons(try judge(scene.stamped, withoutRSA)) == ["certificate-algorithm-no-longer-accepted"])
        let archived = try judge(scene.archived, withoutRSA)
        #expect(archived.indication == .totalPassed, "\(archived.findings)")
    }

    @Test func `what the pharmacist's time stamp covers of the prescriber's signature is proven by it`() throws {
        let values = TimeStamping.certificateValues([authority])
        let prescription = TimeStamping.adding(values, to: try service.stamped(try world.prescription(), at: t0))
        #expect(reasons(try judge(prescription, withoutRSA)) == ["certificate-algorithm-no-longer-accepted"])
        let dispensing = try service.stamped(try world.dispensing(of: prescription), at: t0)
        #expect(try judge(dispensing, withoutRSA).indication == .totalPassed)
    }

    // MARK: Time stamps

    private var withoutSHA256: ValidationPolicy {
        var policy = ValidationPolicy.standard
        policy.digestAlgorithms[.sha256] = lastDay
        return policy
    }

    /// A prescription with a time stamp, everything by SHA-256.
    private func stamped() throws -> [UInt8] {
        TimeStamping.adding(
            TimeStamping.certificateValues([authority]), to: try service.stamped(try world.prescription(), at: t0))
    }

    @Test func `a time stamp by an algorithm behind its day proves nothing`() throws {
        let policies = [
            (withoutSHA256, "algorithm-no-longer-accepted"),
            (
                {
                    var policy = ValidationPolicy.standard
                    policy.digestAlgorithms[.sha256] = nil as Instant??
                    return policy
                }(), "algorithm-not-accepted"
            ),
        ]
        for document in [try stamped(), try service.archived(try stamped(), at: t0)] {
            for (policy, reason) in policies {
                let report = try judge(document, policy)
                #expect(report.provenSigningTime == nil && reasons(report).contains(reason))
                for stamp in report.timeStamps {
                    #expect(stamp.indication == .indeterminate)
                    #expect(stamp.findings.map(\.reason) == ["time-stamp-\(reason)"])
                }
            }
        }
        // The day is the authority's key's too.
        var policy = ValidationPolicy.standard
        policy.signatureAlgorithms["ecdsa-sha256"] = lastDay
        let report = try judge(try stamped(), policy)
        #expect(
            report.timeStamps.flatMap(\.findings).map(\.reason)
                == ["time-stamp-algorithm-no-longer-accepted", "certificate-algorithm-no-longer-accepted"])
        #expect(report.provenSigningTime == nil)
    }

    @Test func `it counts again under an archive time stamp of before by an algorithm that still counts`() throws {
        let covered = try judge(try service.archived(try stamped(), at: t0, by: .sha512), withoutSHA256)
        #expect(covered.indication == .totalPassed, "\(covered.findings)")
        #expect(covered.timeStamps.allSatisfy { $0.indication == .totalPassed })
        #expect(covered.provenSigningTime == t0.adding(seconds: 1))
        let tooLate = try judge(try service.archived(try stamped(), at: late, by: .sha512), withoutSHA256)
        #expect(tooLate.timeStamps.map(\.indication) == [.indeterminate, .totalPassed])
        #expect(
            tooLate.timeStamps.first?.findings.map(\.subIndication) == [.cryptoConstraintsFailure])
        #expect(reasons(tooLate).contains("algorithm-no-longer-accepted"))
    }
}
