import Certificates
import Development
import Formats
import Foundation
import HPKI
import Testing
import Validation

/// CMS signatures that openssl made, of one and two signers: read, checked, and raised to B-LTA.
@Suite struct ForeignCAdESTests {
    /// `openssl cms -sign` over the scenes' content with these keys and options.
    private func sign(_ scenes: [CAdESScene], _ options: [String]) throws -> [UInt8] {
        var files = ["content": CAdESScene.content]
        var signers: [String] = []
        for (index, scene) in scenes.enumerated() {
            files["\(index).pem"] = Array(scene.certificate.pem.utf8)
            files["\(index).key"] = Array(scene.key.pem.utf8)
            signers += ["-signer", "\(index).pem", "-inkey", "\(index).key"]
        }
        return try withFolder(files) { folder in
            let made = try run(
                "/usr/bin/openssl",
                ["cms", "-sign", "-binary", "-in", "content", "-outform", "der", "-out", "signature"] + signers
                    + options, in: folder)
            try #require(made.status == 0, "\(made.text)")
            return Array(try Data(contentsOf: folder.appendingPathComponent("signature")))
        }
    }

    private func reason(_ bytes: [UInt8], _ scene: CAdESScene, content: [UInt8]? = nil) -> String? {
        do throws(Finding) {
            try OwnCheck.verifyCAdES(
                bytes, content: content, contentDigest: nil, certificate: scene.certificate.der)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test(arguments: [KeyType.rsa2048, .p256, .p384])
    func `openssl's signatures hold and can be raised`(type: KeyType) throws {
        let scene = try CAdESScene(type)
        let function = type == .p384 ? "sha384" : "sha256"
        for options in [[], ["-keyid"], ["-nosmimecap", "-md", "sha512"]] as [[String]] {
            let md = options.contains("-md") ? [] : ["-md", function]
            let attached = try sign([scene], ["-cades", "-nodetach"] + options + md)
            #expect(reason(attached, scene) == nil, "\(options)")
            let raised = try scene.withArchiveTimeStamp(
                CAdESAugmentation(scene.withSignatureTimeStamp(attached)).adding(scene.material))
            #expect(reason(raised, scene) == nil)
            let detached = try sign([scene], ["-cades"] + options + md)
            #expect(reason(detached, scene, content: CAdESScene.content) == nil)
        }
    }

    @Test func `a signature that is CMS but not CAdES is refused with the reason`() throws {
        let scene = try CAdESScene()
        let content = CAdESScene.content
        #expect(reason(try sign([scene], []), scene, content: content) == "signing-certificate-missing")
        #expect(reason(try sign([scene], ["-noattr"]), scene, content: content) == "signed-attributes-missing")
        #expect(reason(try sign([scene], ["-cades", "-nocerts"]), scene, content: content) == "no-signing-certificate")
        #expect(
            reason(try sign([scene], ["-cades", "-md", "sha1"]), scene, content: content) == "algorithm-not-accepted")
        // As in XML, it was not looked at, so nothing is known.
        let old = SignatureValidator.trustingNobody.judge(
            try sign([scene], ["-cades", "-md", "sha1"]), detached: DetachedContent(single: content),
            at: CAdESScene.noon)
        #expect(old.signatures.first?.indication == .indeterminate)
        #expect(old.signatures.first?.subIndication == .cryptoConstraintsFailure)
        let receipt = try sign([scene], ["-cades", "-nodetach", "-econtent_type", "1.2.3.4"])
        #expect(reason(receipt, scene) == "content-type-not-data")
        // Indefinite lengths: BER.
        #expect(reason(try sign([scene], ["-cades", "-nodetach", "-stream"]), scene) == "cms-malformed")
    }

    @Test func `one of two signers is raised and the other stays as it was`() throws {
        let first = try CAdESScene(.p256)
        let scenes = try [first, CAdESScene(.rsa2048, pki: first.pki)]
        let made = try sign(scenes, ["-cades", "-nodetach"])
        let before = try CMSSignedData(contentInfo: made[...])
        #expect(before.signers.count == 2)
        for index in 0..<2 {
            let scene = try #require(scenes.first { before.signers[index].names($0.certificate) })
            let raised = try scene.withArchiveTimeStamp(
                CAdESAugmentation(scene.withSignatureTimeStamp(made, signer: index), signer: index)
                    .adding(scene.material), signer: index)
            let after = try CMSSignedData(contentInfo: raised[...])
            #expect(after.signers[1 - index].encoded.elementsEqual(before.signers[1 - index].encoded))
            #expect(after.signers[index].signedFields.elementsEqual(before.signers[index].signedFields))
            #expect(
                after.signers[index].unsignedAttributes.map(\.type).sorted() == [
                    OID.archiveTimeStampV3, OID.signatureTimeStamp,
                ])
            for signer in after.signers {
                let owner = try #require(scenes.first { signer.names($0.certificate) })
                try signer.verify(
                    contentDigest: Digest(of: CAdESScene.content, by: signer.acceptedFunction()),
                    type: OID.cmsData, by: owner.certificate.publicKey)
            }
            let roots = Array(scenes.flatMap { $0.intermediates + [$0.root] }.map(\.pem).joined().utf8)
            try withFolder(["signature": raised, "roots.pem": roots]) { folder in
                let result = try run(
                    "/usr/bin/openssl",
                    [
                        "cms", "-verify", "-cades", "-binary", "-inform", "der", "-in", "signature", "-CAfile",
                        "roots.pem", "-purpose", "any", "-attime", "1790000000",
                    ], in: folder)
                #expect(result.status == 0 && result.output == CAdESScene.content, "\(result.text)")
            }
        }
    }
}
