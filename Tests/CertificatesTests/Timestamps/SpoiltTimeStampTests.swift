import Certificates
import Development
import Formats
import HPKI
import Testing

/// Tokens that break one rule each, and every byte of a good answer changed.
@Suite struct SpoiltTimeStampTests {
    private func fault(_ change: (inout TimeStampTokenTemplate) throws -> Void) throws -> TimeStampFault? {
        var scene = try TimeStampScene()
        var template = scene.template()
        try change(&template)
        return try scene.fault(template.signed(by: scene.authority.key))
    }

    @Test func `a token has exactly one signer`() throws {
        var scene = try TimeStampScene()
        let key = scene.authority.key
        #expect(try scene.fault(scene.template().signed(by: key)) == nil)
        #expect(try scene.fault(scene.template().signed(by: key, key)) == .signerCount(2))
        #expect(try scene.fault(scene.template().signed()) == .signerCount(0))
        #expect(try scene.fault(scene.template().signed(by: .p256())) == .badSignature(.mismatch))
    }

    @Test func `the signed attributes are about this content and this certificate`() throws {
        let other = DER.octetString(Digest(of: [1]).bytes)
        #expect(
            try fault { $0.attributes[1] = CMSEncoding.attribute(OID.messageDigest, other) }
                == .wrongContent)
        let data = DER.objectIdentifier("1.2.840.113549.1.7.1")
        #expect(
            try fault { $0.attributes[0] = CMSEncoding.attribute(OID.contentType, data) } == .wrongContent)
        #expect(try fault { $0.contentType = "1.2.840.113549.1.7.1" } == .notTimeStamp("1.2.840.113549.1.7.1"))
        #expect(try fault { $0.attributes.remove(at: 2) } == .signerNotBound)
        let stranger = TimeStampTokenTemplate.signingCertificateV2(try Shared.pki.get().root)
        #expect(
            try fault { $0.attributes[2] = CMSEncoding.attribute(OID.signingCertificateV2, stranger) }
                == .signerNotBound)
        for missing in 0...1 {
            #expect(
                try fault { $0.attributes.remove(at: missing) }
                    == .malformed(.unexpectedTag, field: "SignerInfo"))
        }
        #expect(
            try fault { $0.attributes.append($0.attributes[0]) } == .malformed(.invalidValue, field: "SignerInfo"))
    }

    @Test func `both kinds of certificate identifier bind, in each form, and both must hold`() throws {
        let certificate = { (template: TimeStampTokenTemplate) in template.certificate }
        func sha2(_ algorithm: DigestAlgorithm, _ template: TimeStampTokenTemplate) -> [UInt8] {
            let digest = Digest(of: certificate(template).der, by: algorithm).bytes
            return DER.sequence(DER.sequence(DER.sequence(algorithm.identifier, DER.octetString(digest))))
        }
        for algorithm in DigestAlgorithm.allCases {
            #expect(
                try fault {
                    $0.attributes[2] = CMSEncoding.attribute(
                        OID.signingCertificateV2, sha2(algorithm, $0))
                } == nil)
        }
        // Version 1 beside version 2, with a digest that is not the certificate's.
        let wrong = DER.sequence(DER.sequence(DER.sequence(DER.octetString([UInt8](repeating: 1, count: 20)))))
        #expect(
            try fault { $0.attributes.append(CMSEncoding.attribute(OID.signingCertificate, wrong)) }
                == .signerNotBound)
    }

    @Test func `a certificate that did not come along must be at hand`() throws {
        var scene = try TimeStampScene()
        var template = scene.template()
        template.certificates = []
        let token = try template.signed(by: scene.authority.key)
        #expect(try scene.fault(token) == .signerCertificateMissing)
        let held = scene.authority.certificate
        #expect(try scene.fault(token) { $0.certificates = [held] } == nil)
    }

    @Test func `no byte of an answer can be changed`() throws {
        var scene = try TimeStampScene()
        let original = scene.answer()
        let requirements = try scene.requirements()
        func isProven(_ bytes: [UInt8]) -> Bool {
            guard let response = try? TimeStampResponse(der: bytes) else { return false }
            return response.token.judge(for: scene.request.expectation, requirements).fault == nil
        }
        #expect(isProven(original))
        // The status stands outside the signature; 1 is "granted with modifications", and what could be modified is
        // compared with the request.
        let status = 8
        #expect(Array(original[4...status]) == [0x30, 3, 2, 1, 0])
        var random = Seeded(3161)
        for place in original.indices {
            let flips = (0..<8).map { UInt8(1) << UInt8($0) } + [0xFF, UInt8(random.below(255) + 1)]
            for flip in flips where !(place == status && flip == 1) {
                var bytes = original
                bytes[place] ^= flip
                #expect(!isProven(bytes), "byte \(place) ^ \(flip)")
            }
        }
        for count in original.indices { #expect(!isProven(Array(original[..<count]))) }
        #expect(!isProven(original + [0]))
        print("time stamp: \(original.count) bytes, each in 10 ways, none proven")
    }

    @Test func `what is too large is refused before it is read`() {
        #expect(throws: TimeStampFault.tooLarge) {
            _ = try TimeStampToken(der: [UInt8](repeating: 0x30, count: TimeStampToken.byteLimit + 1))
        }
        #expect(throws: TimeStampFault.tooLarge) {
            _ = try TimeStampResponse(der: [UInt8](repeating: 0x30, count: TimeStampToken.byteLimit + 4097))
        }
    }
}
