import Certificates
import Development
import Formats
import Foundation
import HPKI
import Testing
import Validation

/// CAdES from B-B to B-LTA, judged by openssl and, from the bytes, by the check of our own.
@Suite struct CAdESLevelTests {
    private static let cases = KeyType.allCases.flatMap { type in type.algorithms.map { (type, $0) } }

    private func files(_ scene: CAdESScene) -> [String: [UInt8]] {
        [
            "content": CAdESScene.content,
            "roots.pem": Array((scene.intermediates + [scene.root]).map(\.pem).joined().utf8),
            "between.pem": Array(scene.intermediates.map(\.pem).joined().utf8),
        ]
    }

    private let verify = [
        "cms", "-verify", "-cades", "-binary", "-inform", "der", "-in", "signature", "-CAfile", "roots.pem",
        "-purpose", "any", "-attime", "1790000000",
    ]

    private func openssl(_ arguments: [String], in folder: URL) throws -> (status: Int32, text: String) {
        let result = try run("/usr/bin/openssl", arguments, in: folder)
        return (result.status, result.text + String(decoding: result.output, as: UTF8.self))
    }

    @Test(arguments: cases)
    func `openssl and our own check accept every level, attached and detached`(
        type: KeyType, algorithm: SignatureAlgorithm
    ) throws {
        let scene = try CAdESScene(type, algorithm)
        for attached in [true, false] {
            for (level, bytes) in try scene.levels(attached: attached, archivedBy: algorithm.digestAlgorithm) {
                let digest = Digest(of: CAdESScene.content, by: algorithm.digestAlgorithm)
                try OwnCheck.verifyCAdES(
                    bytes, content: nil, contentDigest: attached ? nil : digest,
                    certificate: scene.certificate.der)
                try withFolder(files(scene).merging(["signature": bytes]) { $1 }) { folder in
                    let result = try openssl(verify + (attached ? [] : ["-content", "content"]), in: folder)
                    #expect(result.status == 0, "\(level): \(result.text)")
                    let shown = try openssl(
                        ["cms", "-cmsout", "-print", "-noout", "-inform", "der", "-in", "signature"], in: folder)
                    #expect(shown.status == 0, "\(level): \(shown.text)")
                    let parts: [(SignatureLevel, String)] = [
                        (.bT, "id-smime-aa-timeStampToken"), (.bLT, "1.3.6.1.5.5.7.16.2"), (.bLTA, "0.4.0.1733.2.4"),
                    ]
                    for (first, part) in parts {
                        #expect(shown.text.contains(part) == (level >= first), "\(level): \(part)")
                    }
                }
            }
        }
    }

    @Test func `openssl verifies the time stamps that stand in a signature`() throws {
        let scene = try CAdESScene()
        let signed = try CMSSignedData(contentInfo: try #require(try scene.levels(attached: true)[.bLTA])[...])
        let signer = signed.signers[0]
        let tokens = [OID.signatureTimeStamp, OID.archiveTimeStampV3].map { type in
            signer.unsignedAttributes.first { $0.type == type }.map { Array($0.values[0].encoded) } ?? []
        }
        var files = files(scene)
        files["value"] = Array(signer.signature)
        files["archived"] = try archived(signed, signer, token: tokens[1])
        (files["stamp"], files["archive"]) = (tokens[0], tokens[1])
        try withFolder(files) { folder in
            for (token, data) in [("stamp", "value"), ("archive", "archived")] {
                let arguments = [
                    "ts", "-verify", "-token_in", "-in", token, "-data", data, "-CAfile", "roots.pem", "-untrusted",
                    "between.pem",
                ]
                let result = try openssl(arguments, in: folder)
                #expect(result.status == 0 && result.text.contains("Verification: OK"), "\(result.text)")
                try Data(CAdESScene.content).write(to: folder.appendingPathComponent(data))
                #expect(try openssl(arguments, in: folder).status != 0)
            }
        }
    }

    /// What the archive time stamp is over, put together from the encoding by hand.
    private func archived(_ signed: CMSSignedData, _ signer: CMSSignerInfo, token: [UInt8]) throws -> [UInt8] {
        let inner = try CMSSignedData(contentInfo: token[...])
        let index = try #require(inner.signers[0].unsignedAttributes.first { $0.type == "0.4.0.19122.1.5" })
        var info = try DERReader.whole(signer.encoded).children
        var fields: [UInt8] = []
        for _ in 0..<6 { fields += try info.next().encoded }
        #expect(fields[0..<3] == [2, 1, 1])
        var lists = index.values[0].children
        #expect(try Array(lists.next(.sequence).encoded) == DigestAlgorithm.sha256.identifier)
        var digests: [Set<[UInt8]>] = []
        for _ in 0..<3 {
            var list = try lists.enter()
            var found: Set<[UInt8]> = []
            while !list.isAtEnd { found.insert(Array(try list.next(.octetString).contents)) }
            digests.append(found)
        }
        func digest(_ bytes: some Sequence<UInt8>) -> [UInt8] { Digest(of: Array(bytes)).bytes }
        #expect(digests[0] == Set(signed.certificateChoices.map { digest($0.encoded) }))
        #expect(digests[1] == Set(signed.revocationChoices.map { digest($0.encoded) }))
        let stamp = try #require(signer.unsignedAttributes.first { $0.type == OID.signatureTimeStamp })
        #expect(digests[2] == [digest(Array(stamp.typeDER) + stamp.values[0].encoded)])
        // OBJECT IDENTIFIER 1.2.840.113549.1.7.1
        return [6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1] + digest(CAdESScene.content) + fields
            + index.values[0].encoded
    }

    @Test func `material is kept once, in the order of DER, with the version that it asks for`() throws {
        let scene = try CAdESScene()
        let once = try #require(try scene.levels(attached: false)[.bLT])
        #expect(try CAdESAugmentation(once).adding(scene.material) == once)
        let signed = try CMSSignedData(contentInfo: once[...])
        #expect(signed.version == 5)
        #expect(try CMSSignedData(contentInfo: scene.baseline(attached: false)[...]).version == 1)
        #expect(signed.certificates.count == scene.material.certificates.count + 1)
        #expect(signed.revocationChoices.count == scene.material.crls.count + 1)
        for choices in [signed.certificateChoices, signed.revocationChoices] {
            for (one, next) in zip(choices, choices.dropFirst()) {
                #expect(one.encoded.lexicographicallyPrecedes(next.encoded))
            }
        }
        // RFC 5940 §2 spelt out.
        let other = DER.value(
            .context(1), DER.objectIdentifier("1.3.6.1.5.5.7.16.2") + CAdESScene.ocspResponse)
        #expect(signed.revocationChoices.contains { Array($0.encoded) == other })
        let noCRLs = ValidationMaterial(certificates: scene.material.certificates, crls: scene.material.crls)
        let without = try CAdESAugmentation(scene.baseline(attached: false)).adding(noCRLs)
        #expect(try CMSSignedData(contentInfo: without[...]).version == 1)
    }

    @Test func `a second archive time stamp covers the first, and later material leaves both whole`() throws {
        let scene = try CAdESScene(.p384, .ecdsaP384SHA384)
        let first = try scene.withArchiveTimeStamp(scene.withSignatureTimeStamp(scene.baseline(attached: true)))
        let more = try CAdESAugmentation(first).adding(scene.material)
        let second = try scene.withArchiveTimeStamp(more, by: .sha512, secondsLater: 7200)
        for bytes in [first, more, second] {
            try OwnCheck.verifyCAdES(
                bytes, content: nil, contentDigest: nil, certificate: scene.certificate.der)
        }
        // The functions of the archive time stamps are listed beside the signer's.
        let listed = try CMSSignedData(contentInfo: second[...]).digestAlgorithms.map(\.algorithm)
        #expect(Set(listed) == [.sha256, .sha384, .sha512])
    }

    @Test func `what an archive time stamp is over may not go away`() throws {
        let scene = try CAdESScene()
        let levels = try scene.levels(attached: true)
        let whole = try CMSSignedData(contentInfo: try #require(levels[.bLTA])[...])
        let archive = try #require(
            whole.signers[0].unsignedAttributes.first { $0.type == OID.archiveTimeStampV3 })
        for level in [SignatureLevel.bT, .bB] {
            let lower = try CMSSignedData(contentInfo: try #require(levels[level])[...])
            let grafted = try #require(
                lower.adding(.init(unsignedAttributes: [Array(archive.encoded)]), toSigner: 0))
            #expect(findings(grafted, scene) == "archived-data-missing")
        }
        // The same onto the level that it was made over is whole.
        let lower = try CMSSignedData(contentInfo: try #require(levels[.bLT])[...])
        let grafted = try #require(
            lower.adding(.init(unsignedAttributes: [Array(archive.encoded)]), toSigner: 0))
        #expect(findings(grafted, scene) == nil)
    }

    private func findings(_ bytes: [UInt8], _ scene: CAdESScene, content: [UInt8]? = nil) -> String? {
        do throws(Finding) {
            try OwnCheck.verifyCAdES(
                bytes, content: content, contentDigest: nil, certificate: scene.certificate.der)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func `each wrong step is refused`() throws {
        let scene = try CAdESScene()
        let attached = try scene.baseline(attached: true)
        let detached = try scene.baseline(attached: false)
        let stranger = try scene.token(over: Digest(of: [1]), secondsLater: 0)
        #expect(throws: CAdESError.noSuchSigner(1)) { _ = try CAdESAugmentation(attached, signer: 1) }
        #expect(throws: CAdESError.noSuchSigner(-1)) { _ = try CAdESAugmentation(attached, signer: -1) }
        #expect(throws: CAdESError.notSignedData(.malformed(.truncated, field: "ContentInfo"))) {
            _ = try CAdESAugmentation(attached.dropLast())
        }
        #expect(throws: CAdESError.timeStampOfOtherData) {
            _ = try CAdESAugmentation(attached).adding(signatureTimeStamp: stranger)
        }
        #expect(throws: CAdESError.notTimeStamp(.notTimeStamp(OID.cmsData))) {
            _ = try CAdESAugmentation(attached).adding(signatureTimeStamp: attached)
        }
        #expect(throws: CAdESError.contentMissing) { _ = try CAdESAugmentation(detached).archiveTimeStamp() }
        #expect(throws: CAdESError.contentMissing) {
            _ = try CAdESAugmentation(detached).archiveTimeStamp(
                by: .sha512, contentDigest: Digest(of: CAdESScene.content))
        }
        #expect(throws: CAdESError.contentNotOfDigest) {
            _ = try CAdESAugmentation(detached).archiveTimeStamp(contentDigest: Digest(of: [1]))
        }
        #expect(throws: CAdESError.contentNotOfDigest) {
            _ = try CAdESAugmentation(attached).archiveTimeStamp(contentDigest: Digest(of: [1]))
        }
        let input = try CAdESAugmentation(attached).archiveTimeStamp()
        let token = try scene.token(over: input.imprint, secondsLater: 60)
        let changed = try CAdESAugmentation(attached).adding(scene.material)
        #expect(throws: CAdESError.signatureChanged) {
            _ = try CAdESAugmentation(changed).adding(archiveTimeStamp: token, input)
        }
        #expect(throws: CAdESError.timeStampOfOtherData) {
            _ = try CAdESAugmentation(attached).adding(archiveTimeStamp: stranger, input)
        }
        #expect(throws: CAdESError.materialMalformed(.trailingBytes)) {
            _ = try CAdESAugmentation(attached).adding(ValidationMaterial(crls: [CAdESScene.ocspResponse + [0]]))
        }
    }

    @Test func `the check says what does not hold`() throws {
        let scene = try CAdESScene()
        let detached = try scene.baseline(attached: false)
        let attached = try scene.baseline(attached: true)
        #expect(findings(attached, scene) == nil)
        #expect(findings(attached, scene, content: CAdESScene.content) == nil)
        #expect(findings(attached, scene, content: [1]) == "digest-mismatch")
        #expect(findings(detached, scene) == "content-missing")
        #expect(findings(detached, scene, content: [1]) == "digest-mismatch")
        #expect(findings(attached + [0], scene) == "cms-malformed")
        #expect(findings(attached, try CAdESScene()) == "certificate-not-bound")
        let token = try scene.token(over: Digest(of: [1]), secondsLater: 0)
        #expect(findings(token, scene) == "content-type-not-data")
        let stamped = try CMSSignedData(contentInfo: attached[...]).adding(
            .init(unsignedAttributes: [CMSEncoding.attribute(OID.signatureTimeStamp, token)]), toSigner: 0)
        #expect(findings(try #require(stamped), scene) == "time-stamp-of-other-data")
    }
}
