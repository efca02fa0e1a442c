import Certificates
import Foundation
import HPKI
import Testing

/// OpenSSL's CMS test data, as they are (BER) and put into DER by openssl, so that each is refused for what is wrong.
@Suite struct OpenSSLCMSTests {
    @Test func `OpenSSL's CMS vectors are judged as its tests say`() throws {
        guard let root = vectors("OpenSSL's CMS vectors") else { return }
        let recipes = URL(fileURLWithPath: "\(root)/openssl/test/recipes")
        let folder = recipes.appendingPathComponent("80-test_cms_data")
        var tally = try VectorTally(set: "OpenSSL CMS")
        var total = 0
        // What 80-test_cms.t expects of each.
        let spoilt = [
            ("bad_signtime_attr.cms", "signingTime"), ("ct_multiple_attr.cms", "SignerInfo"),
            ("no_ct_attr.cms", "SignerInfo"), ("no_md_attr.cms", "SignerInfo"),
        ]
        for (name, place) in spoilt {
            let original = folder.appendingPathComponent(name)
            let whole = Array(try Data(contentsOf: original))
            let first = refusal(of: whole)
            tally.count(name, isValid: false, accepted: first == nil, why: first ?? "")
            #expect(first == "ContentInfo", "BER")
            let der = try #require(try inDER(original))
            let second = refusal(of: der)
            tally.count(name + " in DER", isValid: false, accepted: second == nil, why: second ?? "")
            #expect(second == place, "\(name)")
            total += 2
        }
        let md4 = String(decoding: try Data(contentsOf: folder.appendingPathComponent("pkcs7-md4.pem")), as: UTF8.self)
        let base64 = md4.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
        let found = refusal(of: try #require(Base64.decodeIgnoringWhiteSpace(Array(base64.utf8))))
        tally.count("pkcs7-md4.pem", isValid: false, accepted: found == nil, why: found ?? "")
        #expect(found != nil)
        let bad = recipes.appendingPathComponent("../d2i-tests/bad-cms.der")
        let malformed = refusal(of: Array(try Data(contentsOf: bad)))
        tally.count("bad-cms.der", isValid: false, accepted: malformed == nil, why: malformed ?? "")
        let stamp = try refusalOfTimeStamp(recipes.appendingPathComponent("80-test_tsa_data"))
        tally.count("sectigo-all-zero.tsr", isValid: true, accepted: stamp == nil, why: stamp ?? "")
        total += 3
        for name in ["ciphertext_from_1_1_1.cms", "dh-malformed.der", "ecdh-malformed.der", "rsa-malformed.der"] {
            tally.skip(name, why: "enveloped data, which is not read here")
            total += 1
        }
        tally.finish(of: total)
    }

    /// Where the first fault is, or nil where every signer's value holds.
    private func refusal(of der: [UInt8]) -> String? {
        let signed: CMSSignedData
        do throws(CMSError) {
            signed = try CMSSignedData(contentInfo: der[...])
        } catch {
            switch error {
            case .malformed(_, let field): return field
            case .notSignedData: return "type"
            case .tooLarge, .signerCount: return "count"
            }
        }
        for signer in signed.signers {
            guard (try? signer.attributes?.claimedSigningTime()) != nil else { return "signingTime" }
            guard let certificate = signed.certificates.first(where: signer.names) else { return "certificate" }
            do throws(CMSSignerError) {
                let digest = Digest(of: Array(signed.content ?? []), by: try signer.acceptedFunction())
                try signer.verify(contentDigest: digest, type: signed.contentType, by: certificate.publicKey)
            } catch {
                return "\(error)"
            }
        }
        return nil
    }

    private func inDER(_ file: URL) throws -> [UInt8]? {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cms-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        guard
            try openssl(
                ["cms", "-cmsout", "-inform", "der", "-outform", "der", "-in", file.path, "-out", "der"], in: folder)
                != nil
        else { return nil }
        return Array(try Data(contentsOf: folder.appendingPathComponent("der")))
    }

    /// Judged at its own time without lists, which the set lacks.
    private func refusalOfTimeStamp(_ folder: URL) throws -> String? {
        func file(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: folder.appendingPathComponent(name)))
        }
        let anchors = try HPKICertificate.read(file: file("user-trust-ca.pem"))
        let between = try HPKICertificate.read(file: file("sectigo-time-stamping-ca.pem"))
        let signers = try HPKICertificate.read(file: file("sectigo-signer.pem"))
        do throws(TimeStampFault) {
            let token = try TimeStampResponse(der: (try? file("sectigo-all-zero.tsr")) ?? []).token
            var requirements = TimeStampRequirements(
                trust: TrustStore(anchors: anchors, intermediates: between), crls: CRLStore(),
                at: token.unverifiedInfo.genTime)
            requirements.certificates = signers
            requirements.path.revocation = .notChecked
            let zeros = [UInt8](repeating: 0, count: token.unverifiedInfo.imprint.bytes.count)
            guard let imprint = Digest(algorithm: token.unverifiedInfo.imprint.algorithm, bytes: zeros) else {
                return "imprint"
            }
            return token.judge(for: TimeStampExpectation(imprint: imprint), requirements).fault?.explanation
        } catch {
            return error.explanation
        }
    }
}
