import Certificates
import Development
import HPKI
import Testing
import Validation
import YAML

@Suite struct ValidationPolicyTests {
    private let world: World

    init() throws {
        world = try World.shared.get()
    }

    private func judge(_ policy: ValidationPolicy, stamped: Bool = false) throws -> ValidationReport {
        let service = try TimeStamping(world.pki)
        var pki = world.pki
        let validator = SignatureValidator(
            trust: world.pki.trustStore, crls: try World.lists(&pki), timeStamps: try service.trust(at: World.now),
            policy: policy)
        let document = try world.prescription()
        return validator.judge(
            stamped ? try service.stamped(document, at: World.now.adding(seconds: 10)) : document,
            at: World.now.adding(seconds: 7200))
    }

    @Test func `the file that ships says what is built in`() throws {
        var shipped = try ValidationPolicy(reading: ValidationPolicy.shippedFile)
        #expect(shipped.digest == Digest(of: ValidationPolicy.shippedFile))
        shipped.digest = nil
        #expect(shipped == .standard)
    }

    @Test func `the report names the policy that was applied`() throws {
        let policy = try ValidationPolicy(reading: ValidationPolicy.shippedFile)
        let report = try judge(policy)
        #expect(report.result == .passed)
        #expect(report.policy == "shirushi-standard" && report.policyDigest == policy.digest)
        #expect(report.text.contains("shirushi-standard, SHA-256 "))
        #expect(report.json.contains("\"id\" : \"shirushi-standard\""))
    }

    @Test func `an algorithm counts until its day, and then where a time stamp is older`() throws {
        var policy = ValidationPolicy.standard
        policy.signatureAlgorithms["rsa-pkcs1-sha256"] = World.now.adding(seconds: 3600)
        let bare = try judge(policy)
        #expect(
            bare.reasons == ["algorithm-no-longer-accepted", "certificate-algorithm-no-longer-accepted"],
            "\(bare.text)")
        #expect(bare.signatures.first?.subIndication == .cryptoConstraintsFailureNoProofOfExistence)
        #expect(try judge(policy, stamped: true).result == .passed)
        policy.signatureAlgorithms["rsa-pkcs1-sha256"] = World.now
        let late = try judge(policy, stamped: true)
        #expect(late.signatures.first?.subIndication == .cryptoConstraintsFailure, "\(late.text)")
        policy.signatureAlgorithms["rsa-pkcs1-sha256"] = nil as Instant??
        #expect(
            try judge(policy).reasons == ["algorithm-not-accepted", "certificate-algorithm-not-accepted"])
        policy = .standard
        policy.digestAlgorithms[.sha256] = nil as Instant??
        #expect(try judge(policy).reasons == ["algorithm-not-accepted"])
    }

    @Test func `keys, roles and policies are asked for as the policy says`() throws {
        var policy = ValidationPolicy.standard
        policy.minimumModulusBits = 3072
        let short = try judge(policy)
        #expect(short.result == .failed, "\(short.text)")
        #expect(short.reasons == ["key-too-short", "certificate-key-too-short"])
        policy = .standard
        policy.roles[.prescription] = ["Dentist"]
        #expect(try judge(policy).reasons == ["role-not-of-form"])
        policy = .standard
        policy.certificatePolicies = ["1.2.3"]
        #expect(try judge(policy).reasons == ["certificate-policy-not-accepted"])
        policy = .standard
        policy.timeStampPolicies = ["1.2.3"]
        let report = try judge(policy, stamped: true)
        #expect(report.signatures.first?.timeStamps.first?.findings.map(\.reason) == ["time-stamp-policy-not-accepted"])
        #expect(report.signatures.first?.provenSigningTime == nil)
    }

    @Test(arguments: [
        ("policy: shirushi-standard", "police: x"), ("version: 1", "version: 2"),
        ("rsa-pkcs1-sha256: accepted", "rsa-pkcs1-sha1: accepted"), ("sha512: accepted", "sha512: yes"),
        ("minimum-rsa-bits: 2048", "minimum-rsa-bits: 1024"), ("  other: []", "  others: []"),
        ("clock-tolerance: 5m", "clock-tolerance: 2h"),
    ])
    func `a policy that is not understood is not loaded`(old: String, new: String) throws {
        let file = ValidationPolicy.shippedFile.replacing(old, new)
        #expect(throws: YAMLError.self) { try ValidationPolicy(reading: file) }
    }
}
