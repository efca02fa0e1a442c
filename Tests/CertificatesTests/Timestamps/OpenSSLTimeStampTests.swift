import Certificates
import Development
import Formats
import Foundation
import HPKI
import Testing

/// Time stamps between this project and `openssl ts`, in both directions.
@Suite struct OpenSSLTimeStampTests {
    /// The clock of openssl's authority cannot be set, so these certificates are of today.
    private static let now = Instant(seconds: Int64(Date().timeIntervalSince1970))
    private static let pki = Result {
        try DevelopmentPKI.create(random: Shared.fixedRandom, now: now.adding(seconds: -86_400))
    }

    private func inFolder(_ files: [String: [UInt8]], _ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ts-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, bytes) in files { try Data(bytes).write(to: folder.appendingPathComponent(name)) }
        try body(folder)
    }

    private static let configuration = """
        [tsa]
        serial = serial
        crypto_device = builtin
        signer_cert = signer.pem
        signer_key = signer.key
        signer_digest = DIGEST
        default_policy = 1.2.3.4.1
        digests = sha256, sha384, sha512
        accuracy = secs:1, millisecs:500, microsecs:100
        clock_precision_digits = 6
        ordering = yes
        tsa_name = yes
        ess_cert_id_chain = no
        ess_cert_id_alg = DIGEST
        """

    @Test(
        arguments: [
            (KeyType.rsa2048, "sha256", DigestAlgorithm.sha256), (.rsa2048, "sha512", .sha384),
            (.p256, "sha256", .sha512),
            (.p384, "sha384", .sha256), (.p384, "sha256", .sha256),
        ] as [(KeyType, String, DigestAlgorithm)])
    func `openssl's authority answers our request, and its answer proves a time`(
        _ type: KeyType, _ digest: String, _ imprint: DigestAlgorithm
    ) throws {
        let pki = try Self.pki.get()
        let authority = try pki.timeStampAuthority(now: Self.now.adding(seconds: -86_400))
        let key = try DevelopmentKey.make(type)
        let der = try authority.template(key, now: Self.now.adding(seconds: -86_400)).signed(
            by: authority.authorityKey)
        let signer = try HPKICertificate(der: der)
        let request = TimeStampRequest(
            for: Digest(of: Array("hello".utf8), by: imprint), policy: "1.2.3.4.1", random: Shared.fixedRandom)
        let files = [
            "tsa.cnf": Array(Self.configuration.replacingOccurrences(of: "DIGEST", with: digest).utf8),
            "serial": Array("0A\n".utf8), "signer.pem": Array(signer.pem.utf8), "signer.key": Array(key.pem.utf8),
            "request": request.der,
        ]
        try inFolder(files) { folder in
            _ = try #require(
                try openssl(
                    [
                        "ts", "-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile", "request", "-out",
                        "answer",
                    ], in: folder))
            let answer = Array(try Data(contentsOf: folder.appendingPathComponent("answer")))
            let token = try TimeStampResponse(der: answer).token
            var requirements = TimeStampRequirements(
                trust: TrustStore(anchors: [pki.root], intermediates: [authority.authorityCertificate]),
                crls: CRLStore(), at: Self.now.adding(seconds: 600))
            requirements.path.revocation = .notChecked
            let proven = try token.judge(for: request.expectation, requirements).provenTime()
            #expect(proven.chain.first == signer)
            #expect(proven.info.accuracyMicroseconds == 1_500_100)
            #expect(proven.info.isOrdered)
            #expect(proven.info.serialNumber == [0x0B])
            #expect(proven.time > Self.now.adding(seconds: -60) && proven.time < Self.now.adding(seconds: 600))
        }
    }

    @Test func `openssl accepts the development authority's answer to our request`() throws {
        let pki = try Self.pki.get()
        let authority = try pki.timeStampAuthority(now: Self.now.adding(seconds: -86_400))
        let request = TimeStampRequest(for: Digest(of: Array("hello".utf8)), random: Shared.fixedRandom)
        let instant = Instant(milliseconds: Self.now.milliseconds + 120)
        let answer = authority.answer(request.der, random: Shared.fixedRandom, now: instant)
        var spoilt = answer
        spoilt[spoilt.count - 1] ^= 1
        let files = [
            "request": request.der, "answer": answer, "spoilt": spoilt, "root.pem": Array(pki.root.pem.utf8),
            "between.pem": Array(authority.authorityCertificate.pem.utf8),
        ]
        try inFolder(files) { folder in
            func verify(_ name: String) throws -> String? {
                try openssl(
                    [
                        "ts", "-verify", "-queryfile", "request", "-in", name, "-CAfile", "root.pem", "-untrusted",
                        "between.pem",
                    ], in: folder)
            }
            #expect(try verify("answer")?.contains("Verification: OK") == true)
            #expect(try verify("spoilt") == nil)
            let shown = try #require(try openssl(["ts", "-reply", "-in", "answer", "-text"], in: folder))
            #expect(shown.contains("Accuracy: 0x01 seconds"))
            #expect(shown.contains("CN=DEVELOPMENT Time-Stamping Unit"))
            let asked = try #require(try openssl(["ts", "-query", "-in", "request", "-text"], in: folder))
            #expect(asked.contains("Certificate required: yes"))
        }
    }
}
