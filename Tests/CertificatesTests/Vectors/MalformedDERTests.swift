import Certificates
import Foundation
import HPKI
import Testing

/// Openssl's malformed DER: of its `d2i-tests`, and of the data of its CMS tests.
@Suite struct MalformedDERTests {
    /// The values that openssl reads from `d2i-tests`, each with what reads that kind of value here.
    private static let values: [(file: String, isValid: Bool, read: @Sendable ([UInt8]) throws -> Void)] = [
        ("bad_cert.der", false, { _ = try HPKICertificate(der: $0) }),
        ("bad_generalname.der", false, { _ = try GeneralName(element($0)) }),
        ("bad_bio.der", false, { _ = try element($0) }),
        ("bad-cms.der", false, { _ = try TimeStampToken(der: $0) }),
        ("bad-int-pad0.der", false, { _ = try element($0).integer() }),
        ("bad-int-padminus1.der", false, { _ = try element($0).integer() }),
        ("int0.der", true, { _ = try element($0).integer() }),
        ("int1.der", true, { _ = try element($0).integer() }),
        ("intminus1.der", true, { _ = try element($0).integer() }),
        ("high_tag.der", true, { _ = try element($0) }),
    ]

    /// EnvelopedData with bad parameters, and SignedData whose signed attributes lack one or have one twice.
    private static let messages = [
        "dh-malformed.der", "ecdh-malformed.der", "rsa-malformed.der", "bad_signtime_attr.cms", "ct_multiple_attr.cms",
        "no_ct_attr.cms", "no_md_attr.cms",
    ]

    private static func element(_ bytes: [UInt8]) throws -> DERElement {
        var reader = DERReader(bytes)
        let element = try reader.next()
        try reader.end()
        return element
    }

    @Test func `openssl's malformed DER is refused and its good values are read`() throws {
        guard let folder = vectors(#function) else { return }
        let base = "\(folder)/openssl/test"
        var tally = try VectorTally(set: "Malformed DER")
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(base)/d2i-tests")
        #expect(Set(names) == Set(Self.values.map(\.file)), "no file is passed over")
        for value in Self.values {
            let why = refusal { try value.read(try bytes("\(base)/d2i-tests/\(value.file)")) }
            tally.count(value.file, isValid: value.isValid, accepted: why == nil, why: why ?? "")
        }
        for name in Self.messages {
            let der = try bytes("\(base)/recipes/80-test_cms_data/\(name)")
            let why = refusal { _ = try TimeStampToken(der: der) }
            tally.count(name, isValid: false, accepted: why == nil, why: why ?? "")
        }
        tally.finish(of: 17)
    }

    @Test func `no reader takes openssl's malformed DER for its own`() throws {
        guard let folder = vectors(#function) else { return }
        let base = "\(folder)/openssl/test"
        let files =
            try Self.values.map { try bytes("\(base)/d2i-tests/\($0.file)") }
            + Self.messages.map { try bytes("\(base)/recipes/80-test_cms_data/\($0)") }
        for der in files {
            #expect(throws: CertificateError.self) { _ = try HPKICertificate(der: der) }
            #expect(throws: CRLError.self) { _ = try CertificateRevocationList(der: der) }
            #expect(throws: OCSPError.self) { _ = try OCSPResponse(der: der) }
            #expect(throws: TimeStampFault.self) { _ = try TimeStampResponse(der: der) }
            #expect(throws: TimeStampFault.self) { _ = try TimeStampToken(der: der) }
        }
    }

    @Test func `the time stamp among openssl's test data is proven`() throws {
        guard let folder = vectors(#function) else { return }
        let base = "\(folder)/openssl/test/recipes/80-test_tsa_data"
        func certificates(_ name: String) throws -> [HPKICertificate] {
            try HPKICertificate.read(file: try bytes("\(base)/\(name)"))
        }
        let token = try TimeStampResponse(der: try bytes("\(base)/sectigo-all-zero.tsr")).token
        let trust = TrustStore(
            anchors: try certificates("user-trust-ca.pem"),
            intermediates: try certificates("sectigo-time-stamping-ca.pem"))
        var requirements = TimeStampRequirements(trust: trust, crls: CRLStore(), at: token.unverifiedInfo.genTime)
        requirements.path.revocation = .notChecked
        let zero = try #require(Digest(algorithm: .sha256, bytes: [UInt8](repeating: 0, count: 32)))
        let judgement = token.judge(for: TimeStampExpectation(imprint: zero), requirements)
        #expect(try judgement.provenTime().time == Instant(seconds: 1_613_490_167))
        let one = try #require(Digest(algorithm: .sha256, bytes: [UInt8](repeating: 1, count: 32)))
        #expect(token.judge(for: TimeStampExpectation(imprint: one), requirements).fault == .wrongImprint)
    }

    private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    private func refusal(_ read: () throws -> Void) -> String? {
        do {
            try read()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
