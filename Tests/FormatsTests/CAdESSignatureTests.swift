import Certificates
import Development
import Formats
import Foundation
import HPKI
import Testing

@Suite struct CAdESSignatureTests {
    private static let noon = Instant(seconds: 1_790_000_000)
    private static let content = Array("処方箋\n".utf8) + (0..<200).map { UInt8($0) }
    private static let cases = KeyType.allCases.flatMap { type in type.algorithms.map { (type, $0) } }

    private func openssl(_ arguments: [String], in folder: URL) throws -> (status: Int32, output: [UInt8], text: String)
    {
        try run("/usr/bin/openssl", arguments, in: folder)
    }

    private struct Made {
        let signature: CAdESSignature
        let value: [UInt8]
        let files: [String: [UInt8]]
        let intermediates: [[UInt8]]
    }

    private func make(_ type: KeyType, _ algorithm: SignatureAlgorithm, _ digest: DigestAlgorithm) throws -> Made {
        var pki = try DevelopmentPKI.create(
            random: Random { [UInt8](repeating: 0x5A, count: $0) }, now: Self.noon.adding(seconds: -86_400))
        let key = try DevelopmentKey.make(type)
        let holder = HolderProfile(
            romajiName: "Hanako Tameshi", japaneseName: "試し　花子", identifier: "dev-0001", roles: [.medicalDoctor],
            organization: "TAMESHI HOSPITAL", japaneseOrganization: "試し病院")
        let certificate = try pki.issue(holder, publicKey: key.subjectPublicKeyInfo, by: .medis, now: Self.noon)
        let signature = try CAdESSignature(
            contentDigest: Digest(of: Self.content, by: digest), certificate: certificate, signingTime: Self.noon,
            algorithm: algorithm)
        let roots = pki.trustStore.anchors.map { PEM.encode($0.der, label: "CERTIFICATE") }.joined()
        return Made(
            signature: signature, value: try key.value(over: signature.bytesToSign, by: algorithm),
            files: ["content": Self.content, "roots.pem": Array(roots.utf8)],
            intermediates: pki.trustStore.intermediates.map(\.der))
    }

    private let verify = [
        "cms", "-verify", "-cades", "-binary", "-inform", "der", "-in", "signature", "-CAfile", "roots.pem", "-purpose",
        "any", "-attime", "1790000000",
    ]

    @Test(arguments: cases)
    func `openssl verifies attached and detached signatures of every algorithm`(
        type: KeyType, algorithm: SignatureAlgorithm
    ) throws {
        let made = try make(type, algorithm, algorithm.digestAlgorithm)
        let attached = try made.signature.assemble(
            value: made.value, content: Self.content, chain: made.intermediates)
        let detached = try made.signature.assemble(value: made.value, chain: made.intermediates)
        try withFolder(made.files.merging(["signature": attached]) { $1 }) { folder in
            let run = try openssl(verify, in: folder)
            #expect(run.status == 0 && run.output == Self.content, "\(run.text)")
        }
        try withFolder(made.files.merging(["signature": detached]) { $1 }) { folder in
            let run = try openssl(verify + ["-content", "content"], in: folder)
            #expect(run.status == 0 && run.output == Self.content, "\(run.text)")
            try Data(Self.content + [0]).write(to: folder.appendingPathComponent("content"))
            #expect(try openssl(verify + ["-content", "content"], in: folder).status != 0)
        }
    }

    @Test func `content hashed by another function than the signature's is refused`() throws {
        #expect(throws: FormatError.digestAlgorithmNotOfForm) { _ = try make(.p256, .ecdsaP256SHA256, .sha384) }
        #expect(throws: FormatError.digestAlgorithmNotOfForm) { _ = try make(.p384, .ecdsaP384SHA384, .sha256) }
    }

    @Test func `openssl reads the attributes of the baseline`() throws {
        let made = try make(.rsa2048, .rsaPKCS1SHA256, .sha256)
        let whole = try made.signature.assemble(value: made.value, chain: made.intermediates)
        try withFolder(["signature": whole]) { folder in
            let run = try openssl(
                ["cms", "-cmsout", "-print", "-noout", "-inform", "der", "-in", "signature"], in: folder)
            let text = String(decoding: run.output, as: UTF8.self)
            for part in ["contentType", "messageDigest", "signingTime", "id-smime-aa-signingCertificateV2"] {
                #expect(text.contains(part), "\(part) is missing in\n\(text)")
            }
            #expect(text.contains("eContent: <ABSENT>") && text.contains("Sep 21 14:13:20 2026 GMT"), "\(text)")
        }
    }

    @Test func `a value with a flipped bit is refused`() throws {
        let made = try make(.p256, .ecdsaP256SHA256, .sha256)
        var other = made.value
        other[5] ^= 1
        let whole = try made.signature.assemble(value: other, chain: made.intermediates)
        try withFolder(made.files.merging(["signature": whole]) { $1 }) { folder in
            let run = try openssl(verify + ["-content", "content"], in: folder)
            #expect(run.status != 0)
        }
    }

    @Test func `content of another digest is not attached`() throws {
        let made = try make(.p256, .ecdsaP256SHA256, .sha256)
        #expect(throws: FormatError.contentNotOfDigest) {
            _ = try made.signature.assemble(value: made.value, content: Self.content + [0])
        }
    }
}
