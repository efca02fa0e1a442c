import Certificates
import Development
import Formats
import Fuzz
import HPKI
import Testing
import Validation
import XML

/// Signatures of documents that are no e-prescriptions, at the four baseline levels.
extension MadeWorld {
    /// Earlier than the time stamps.
    private static let signedAt = fuzzMoment.adding(seconds: -10_800)

    /// What levels above B-B take from third parties.
    struct Evidence {
        let signer: ValidationMaterial
        let timeStamp: ValidationMaterial
    }

    /// The material of signers and time stamps, with lists from between the two time stamps.
    mutating func evidence() throws -> Evidence {
        let time = fuzzTimeStamps[0].adding(seconds: 600)
        let lists = try pki.crls(now: time)
        func list(_ name: String) throws -> [UInt8] { try #require(lists.first { $0.key.contains(name) }?.value) }
        return Evidence(
            signer: ValidationMaterial(
                certificates: [try pki.certificate(of: .medis).der], crls: [try list("medis"), try list("sarl")]),
            timeStamp: ValidationMaterial(
                certificates: [timeStamps.authorityCertificate.der], crls: [try timeStamps.crl(now: time)]))
    }

    /// A token over `imprint`, which is remembered as genuine.
    private mutating func token(over imprint: Digest, at time: Instant) throws -> [UInt8] {
        let request = TimeStampRequest(for: imprint, random: Self.random)
        let answer = timeStamps.answer(request.der, random: Self.random, now: time)
        let token = try TimeStampResponse(der: answer).token
        try remember(SignedParts.of(token.signedData))
        return token.der
    }

    // MARK: XAdES

    /// In each of the four packagings at each level.
    mutating func xades(_ evidence: Evidence) throws -> [String: [UInt8]] {
        let letter = "<l:Letter xmlns:l=\"urn:l\"><Text id=\"text\" l:a=\"1\">診断\n書</Text><Sign></Sign></l:Letter>"
        let read = try XMLDocument(parsing: Array(letter.utf8))
        let element = try #require(read.element(id: "text"))
        let object = EnvelopedObject(fuzzContent)
        func within(_ signature: [UInt8]) -> [UInt8] {
            Array(letter.replacing("<Sign>", with: "<Sign>" + String(decoding: signature, as: UTF8.self)).utf8)
        }
        let method = Canonicalization.exclusive10
        let signed = [
            "enveloped": within(try sign(.document(Digest(of: method.canonicalize(read))))),
            "internally-detached": within(try sign(.element(id: "text", Digest(of: method.canonicalize(element))))),
            "enveloping": try sign(.object(id: object.id, object.digest()), object),
            "detached": try sign(.detached("letter.bin", Digest(of: fuzzContent))),
        ]
        var all: [String: [UInt8]] = [:]
        for (packaging, bytes) in signed.sorted(by: { $0.key < $1.key }) {
            try remember(SignedParts.of(XMLDocument(parsing: bytes)))
            for (level, raised) in try xadesLevels(bytes, evidence) { all["xades-\(packaging)-\(level)"] = raised }
        }
        return all
    }

    private func sign(
        _ reference: XAdESSignature.DataReference, _ object: EnvelopedObject? = nil
    ) throws -> [UInt8] {
        let signature = try XAdESSignature(
            references: [reference], certificate: doctor.certificate.der, signingTime: Self.signedAt,
            algorithm: .rsaPKCS1SHA256)
        return signature.assemble(value: try doctor.key.signature(over: signature.bytesToSign), object: object)
    }

    private mutating func xadesLevels(_ bytes: [UInt8], _ evidence: Evidence) throws -> [String: [UInt8]] {
        func read(_ bytes: [UInt8]) throws -> (document: XMLDocument, step: XAdESAugmentation) {
            let document = try XMLDocument(parsing: bytes)
            return (document, try XAdESAugmentation(document, signature: try #require(document.signatures.first)))
        }
        let first = try read(bytes).step
        let stamped = first.adding(
            signatureTimeStamp: try token(over: Digest(of: first.timeStampOctets), at: fuzzTimeStamps[0]))
        let second = try read(stamped).step
        let third = try read(second.adding(evidence.timeStamp, ofTimeStamp: second.timeStamps.first?.id)).step
        let kept = third.adding(evidence.signer)
        let fourth = try read(kept)
        let octets = try RaisableXAdES(
            fourth.document, signature: 0, DetachedContent(single: fuzzContent)
        ).archiveOctets
        let archived = fourth.step.adding(
            archiveTimeStamp: try token(over: Digest(of: try #require(octets)), at: fuzzTimeStamps[1]))
        return ["b": bytes, "t": stamped, "lt": kept, "lta": archived]
    }

    // MARK: CAdES

    /// Attached and detached at each level, by a key on P-256.
    mutating func cades(_ evidence: Evidence) throws -> [String: [UInt8]] {
        var all: [String: [UInt8]] = [:]
        for (packaging, content) in [("attached", fuzzContent), ("detached", nil)] {
            let signature = try CAdESSignature(
                contentDigest: Digest(of: fuzzContent), certificate: nurse.certificate, signingTime: Self.signedAt,
                algorithm: .ecdsaP256SHA256)
            let value = try nurse.key.value(over: signature.bytesToSign, by: .ecdsaP256SHA256)
            let bytes = try signature.assemble(value: value, content: content)
            try remember(SignedParts.of(CMSSignedData(contentInfo: bytes[...])))
            let first = try CAdESAugmentation(bytes)
            let stamped = try first.adding(
                signatureTimeStamp: token(over: Digest(of: first.signatureTimeStampOctets), at: fuzzTimeStamps[0]))
            var kept = try CAdESAugmentation(stamped).adding(evidence.signer)
            kept = try CAdESAugmentation(kept).adding(evidence.timeStamp)
            let last = try CAdESAugmentation(kept)
            let input = try last.archiveTimeStamp(contentDigest: Digest(of: fuzzContent))
            let archived = try last.adding(
                archiveTimeStamp: token(over: input.imprint, at: fuzzTimeStamps[1]), input)
            for (level, raised) in [("b", bytes), ("t", stamped), ("lt", kept), ("lta", archived)] {
                all["cades-\(packaging)-\(level)"] = raised
            }
        }
        return all
    }
}
