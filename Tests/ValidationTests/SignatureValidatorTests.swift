import Certificates
import Crypto
import Development
import Formats
import Foundation
import HPKI
import Testing
import Validation
import XML

@Suite struct SignatureValidatorTests {
    let world: World
    let validator: SignatureValidator

    init() throws {
        world = try World.shared.get()
        validator = try world.validator()
    }

    private func reasons(_ document: [UInt8], at time: Instant = World.now) -> [String] {
        let report = validator.judge(document, at: time)
        #expect(report.result != .passed)
        return report.reasons
    }

    @Test func `a doctor's prescription passes and the report says who, what and when`() throws {
        let report = validator.judge(try world.prescription(), at: World.now)
        #expect(report.result == .passed)
        let signature = try #require(report.signatures.first)
        #expect(signature.indication == .totalPassed && signature.isCryptographicallyGood)
        #expect(signature.signer?.japaneseName == "海野 はるか")
        #expect(signature.signer?.roles == ["Medical Doctor"])
        #expect(signature.coverage?.element == "PrescriptionDocument")
        #expect(signature.claimedSigningTime == World.now)
        for word in ["Medical Doctor", "PrescriptionDocument", "Umino Haruka", "TOTAL-PASSED", "2026-"] {
            #expect(report.text.contains(word))
        }
    }

    @Test func `a dispensing result passes with both signatures`() throws {
        let report = validator.judge(try world.dispensing(), at: World.now)
        #expect(report.result == .passed, "\(report.text)")
        #expect(report.signatures.map(\.kind) == [.embeddedPrescription, .dispensing])
        let json = try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any]
        #expect(json?["result"] as? String == "passed")
        #expect((json?["signatures"] as? [Any])?.count == 2)
    }

    @Test func `a role that may not sign the form fails`() throws {
        #expect(reasons(try world.prescription(by: world.pharmacist)) == ["role-not-of-form"])
        #expect(reasons(try world.prescription(by: world.nurse)) == ["role-not-of-form"])
        #expect(reasons(try world.dispensing(by: world.doctor)) == ["role-not-of-form"])
        let inner = try world.prescription(by: world.nurse)
        #expect(validator.judge(try world.dispensing(of: inner), at: World.now).result == .failed)
    }

    @Test func `an unknown root leaves good cryptography indeterminate`() throws {
        let report = SignatureValidator.trustingNobody.judge(try world.prescription(), at: World.now)
        #expect(report.result == .indeterminate && report.reasons == ["no-path-to-anchor"])
        #expect(report.signatures.first?.subIndication == .noCertificateChain)
        #expect(report.signatures.first?.isCryptographicallyGood == true)
    }

    @Test func `missing and stale revocation lists leave it indeterminate`() throws {
        let blind = SignatureValidator(trust: world.pki.trustStore, crls: CRLStore())
        let report = blind.judge(try world.prescription(), at: World.now)
        #expect(report.result == .indeterminate && report.reasons == ["revocation-unknown"])
        #expect(reasons(try world.prescription(), at: World.now.adding(seconds: 40 * 86_400)) == ["crl-stale"])
    }

    @Test func `expiry is indeterminate and a certificate from the future fails`() throws {
        let document = try world.prescription()
        let late = validator.judge(document, at: World.now.adding(seconds: 6 * 366 * 86_400))
        #expect(late.result == .indeterminate && late.reasons == ["certificate-expired"])
        let early = validator.judge(document, at: World.now.adding(seconds: -30 * 86_400))
        #expect(early.result == .failed && early.reasons.contains("certificate-not-yet-valid"))
        #expect(early.reasons.contains("signing-time-in-future"))
    }

    @Test func `revocation fails unless an earlier time is claimed, which nothing proves`() throws {
        var pki = world.pki
        let at = World.now.adding(seconds: -3600)
        try pki.revoke(
            serial: world.doctor.certificate.serialNumber, of: .medis, reason: .keyCompromise, at: at)
        let validator = SignatureValidator(trust: pki.trustStore, crls: try World.lists(&pki))
        let after = validator.judge(try world.prescription(), at: World.now)
        #expect(after.result == .failed && after.reasons == ["certificate-revoked"])
        let before = validator.judge(try world.prescription(at: at.adding(seconds: -60)), at: World.now)
        #expect(before.result == .indeterminate && before.reasons == ["certificate-revoked-since"])
    }

    @Test(arguments: [
        ("id=\"PrescriptionDocument\">U0ox", "id=\"PrescriptionDocument\">U0oy", "digest-mismatch"),
        ("SigningTime>20", "SigningTime>19", "digest-mismatch"),
        ("<Prescription>", "<Prescription xmlns:x=\"urn:x\">", "digest-mismatch"),
        ("<xs:SignatureValue ", "<xs:SignatureValue a=\"\" ", nil),
        ("<xs:KeyInfo ", "<xs:KeyInfo a=\"\" ", "digest-mismatch"),
        ("exc-c14n#\"", "exc-c14n#WithComments\"", "canonicalization-not-allowed"),
        ("rsa-sha256", "rsa-sha1", "algorithm-not-accepted"),
        ("rsa-sha256", "rsa-sha512", "signature-value-mismatch"),
        ("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1", "algorithm-not-accepted"),
        ("Type=\"http://uri.etsi.org/01903#SignedProperties\"", "", "signed-properties-type"),
        ("URI=\"#PrescriptionDocument\"", "URI=\"\"", "unexpected-reference"),
        ("URI=\"#PrescriptionDocument\"", "URI=\"#PrescriptionManagement\"", "unexpected-reference"),
        ("URI=\"#PrescriptionDocument\"", "URI=\"http://example.com/\"", "unexpected-reference"),
        (" URI=\"#PrescriptionDocument\"", "", "reference-structure"),
        ("Target=\"#PrescriptionSign\"", "Target=\"#Document\"", "properties-target"),
        ("</xs:Signature>", "<xs:Object/></xs:Signature>", "signature-structure"),
        ("</xs:Signature>", "<xs:Object><xs:Manifest/></xs:Object></xs:Signature>", "signature-structure"),
        ("</xs:X509Data>", "</xs:X509Data><xs:RetrievalMethod URI=\"#x\"/>", "key-info-structure"),
        ("<xa:SigningTime>", "<xa:SigningTime>x", "signing-time"),
        ("<PrescriptionSign>", "<PrescriptionSign/><PrescriptionSign>", "repeated-element"),
        ("</Prescription>", "<New/></Prescription>", "unknown-unsigned-element"),
        ("</Prescription>", "</Prescription><xs:Signature xmlns:xs=\"http://www.w3.org/2000/09/xmldsig#\"/>", nil),
        ("PrescriptionDocument\">", "PrescriptionDocument\"><!-- -->", "data-not-plain-text"),
        ("<Document ", "<!DOCTYPE a><Document ", "not-well-formed"),
    ])
    func `each change is found and named`(old: String, new: String, reason: String?) throws {
        let found = validator.judge(try world.prescription().replacing(old, new), at: World.now)
        if let reason {
            #expect(found.result != .passed)
            #expect(found.reasons.contains(reason), "\(found.reasons)")
        } else if old == "</Prescription>" {
            #expect(found.result == .failed)
        } else {
            // An attribute on SignatureValue is signed by nobody and read by nobody.
            #expect(found.result == .passed)
        }
    }

    @Test(arguments: [
        ("<Prescription>", "stray<Prescription>"), ("<Prescription>", "<Prescription><![CDATA[stray]]>"),
        ("</Prescription>", "&#x3000;</Prescription>"), ("</Prescription>", "</Prescription>\u{A0}"),
        ("</PrescriptionManagement>", "stray</PrescriptionManagement>"), ("<PrescriptionSign>", "<PrescriptionSign>x"),
        (
            "</PrescriptionSign>",
            "</PrescriptionSign><AdditionalPrescriptionInformation>x</AdditionalPrescriptionInformation>"
        ),
    ])
    func `unsigned text beside the elements keeps a prescription from passing`(old: String, new: String) throws {
        let report = validator.judge(try world.prescription().replacing(old, new), at: World.now)
        #expect(report.result == .indeterminate && report.reasons == ["unsigned-text"], "\(report.text)")
    }

    @Test(arguments: [
        ("<Dispensing ", "stray<Dispensing "), ("</DispensingManagement>", "<![CDATA[x]]></DispensingManagement>"),
        ("</DispensingSign>", "x</DispensingSign>"), ("</Document>", "x</Document>"),
    ])
    func `unsigned text beside the elements keeps a dispensing result from passing`(old: String, new: String) throws {
        let report = validator.judge(try world.dispensing().replacing(old, new), at: World.now)
        #expect(report.result == .indeterminate && report.reasons == ["unsigned-text"], "\(report.text)")
    }

    @Test(arguments: ["\n\t ", "\r\n", "<![CDATA[ \n]]>", "&#9;", "<!-- told -->", "<?told?>"])
    func `white space, comments and instructions pass and the report says that they are unsigned`(text: String) throws {
        let padded = try world.prescription().replacing("<Prescription>", "\(text)<Prescription>\(text)")
            .replacing("</PrescriptionManagement>", "\(text)</PrescriptionManagement>")
        let report = validator.judge(padded, at: World.now)
        #expect(report.result == .passed, "\(report.text)")
        #expect(report.text.contains("not the rest of the document, nor any comment in it"))
        #expect(report.signatures.first?.coverage?.isWholeDocument == false)
    }

    @Test(arguments: ["KeyInfo", "SignedProperties"])
    func `a combining mark behind the number sign belongs to the id`(part: String) throws {
        let document = try world.prescription()
        let old = try #require(document.text.firstMatch(of: try Regex("URI=\"#id[0-9a-f]{16}-\(part)\"")))
        let text = String(document.text[old.range])
        let marked = document.replacing(text, text.replacing("#id", with: "#\u{301}id"))
        #expect(reasons(marked) == ["unexpected-reference"])
    }

    @Test func `another certificate than the one named fails`() throws {
        let mine = Base64.encode(world.doctor.certificate.der)
        let other = Base64.encode(world.nurse.certificate.der)
        #expect(reasons(try world.prescription().replacing(mine, other)) == ["certificate-not-bound"])
    }

    @Test(arguments: ["", "<", "<a/>", "<Document/>", "<Document><Prescription/></Document>", "\u{0}"])
    func `what holds no signature fails`(text: String) {
        let report = validator.judge(Array(text.utf8), at: World.now)
        #expect(report.result == .failed && report.signatures.isEmpty && !report.reasons.isEmpty)
        #expect(Verdict.failed.exitCode == 1)
    }

    /// The canonical forms of everything the signature covers, and its value.
    private func signedParts(of bytes: [UInt8]) throws -> [[UInt8]] {
        let document = try XMLDocument(parsing: bytes)
        let data = try #require(document.element(id: "PrescriptionDocument"))
        let names = ["SignedInfo", "SignatureValue", "KeyInfo", "SignedProperties"]
        let parts = document.root.descendants.filter { names.contains($0.localName) }
        #expect(parts.count == names.count)
        return [Canonicalization.inclusive10.canonicalize(data)]
            + parts.map {
                $0.localName == "SignatureValue" ? $0.textBytes : Canonicalization.exclusive10.canonicalize($0)
            }
    }

    @Test func `a signature on P-256 passes and a swapped half of it does not`() throws {
        var pki = world.pki
        let key = P256.Signing.PrivateKey()
        let profile = HolderProfile(
            romajiName: "Umino Haruka", japaneseName: "海野 はるか", identifier: "2", roles: [.dentist])
        let certificate = try pki.issue(
            profile, publicKey: Array(key.publicKey.derRepresentation), by: .jpa, now: World.now)
        let document = DocumentTemplate.prescription(csv: Array("SJ1\n".utf8))
        let data = try #require(try XMLDocument(parsing: document.unsigned).element(id: "PrescriptionDocument"))
        let signature = try PrescriptionSignature(
            form: .prescription, dataDigest: Digest(of: Canonicalization.inclusive10.canonicalize(data)),
            certificate: certificate.der, signingTime: World.now, algorithm: .ecdsaP256SHA256)
        let value = Array(try key.signature(for: Data(signature.bytesToSign)).rawRepresentation)
        let good = document.signed(with: signature.assemble(value: value))
        #expect(validator.judge(good, at: World.now).result == .passed)
        let bad = document.signed(with: signature.assemble(value: Array(value[32...] + value[..<32])))
        #expect(reasons(bad) == ["signature-value-mismatch"])
    }

    @Test(arguments: [(KeyType.rsa3072, SignatureAlgorithm.rsaPSSSHA256), (.p384, .ecdsaP384SHA384)])
    func `signatures by PSS and on P-384 pass, and under another algorithm's name do not`(
        type: KeyType, algorithm: SignatureAlgorithm
    ) throws {
        var pki = world.pki
        let key = try DevelopmentKey.make(type)
        let profile = HolderProfile(
            romajiName: "Umino Haruka", japaneseName: "海野 はるか", identifier: "2", roles: [.dentist])
        let certificate = try pki.issue(profile, publicKey: key.subjectPublicKeyInfo, by: .jpa, now: World.now)
        let document = DocumentTemplate.prescription(csv: Array("SJ1\n".utf8))
        let data = try #require(try XMLDocument(parsing: document.unsigned).element(id: "PrescriptionDocument"))
        func signed(as name: SignatureAlgorithm) throws -> [UInt8] {
            let signature = try PrescriptionSignature(
                form: .prescription, dataDigest: Digest(of: Canonicalization.inclusive10.canonicalize(data)),
                certificate: certificate.der, signingTime: World.now, algorithm: name)
            let value = try key.value(over: signature.bytesToSign, by: algorithm)
            return document.signed(with: signature.assemble(value: value))
        }
        #expect(validator.judge(try signed(as: algorithm), at: World.now).result == .passed)
        for other in SignatureAlgorithm.allCases where other != algorithm {
            #expect(reasons(try signed(as: other)) == ["signature-value-mismatch"])
        }
    }

    @Test(arguments: 0..<13)
    func `no byte can be changed unless the canonical form stays`(part: Int) throws {
        let original = try world.prescription()
        let signed = try signedParts(of: original)
        var refused = 0
        for index in stride(from: part * 7, to: original.count, by: 91) {
            var changed = original
            changed[index] ^= 1
            if validator.judge(changed, at: World.now).result == .passed {
                #expect(try signedParts(of: changed) == signed, "byte \(index)")
            } else {
                refused += 1
            }
        }
        #expect(refused > original.count / 91 / 2)
        #expect(OwnCheckTests.isAccepted(original, by: world.doctor))
    }

    @Test(arguments: [
        ("Prescription-004_01.xml", Verdict.indeterminate, 1), ("Dispensing-005_03.xml", .indeterminate, 2),
        ("PrescriptionReferenceError.xml", .failed, 1), ("DispensingReferenceError.xml", .failed, 2),
    ])
    func `the official samples come out as they are`(name: String, expected: Verdict, count: Int) throws {
        guard let folder = ProcessInfo.processInfo.environment["SHIRUSHI_VECTORS"] else {
            print("SHIRUSHI_VECTORS is not set: official samples not judged")
            return
        }
        let bytes = try Data(contentsOf: URL(filePath: "\(folder)/e-prescription/\(name)"))
        let report = validator.judge(Array(bytes), at: World.now)
        #expect(report.result == expected, "\(report.text)")
        #expect(report.signatures.count == count)
        if expected == .indeterminate {
            #expect(report.signatures.allSatisfy { $0.isCryptographicallyGood })
            #expect(report.reasons == ["no-path-to-anchor"])
            // Every imprint is that of its signature; who made the time stamps is not known here.
            let stamps = report.signatures.flatMap(\.timeStamps)
            #expect(stamps.map(\.kind) == (count == 1 ? [.signature] : [.signature, .signature, .archive]))
            #expect(stamps.allSatisfy { $0.isOfSignature && $0.indication == .indeterminate }, "\(report.text)")
            #expect(stamps.allSatisfy { $0.subIndication == .noCertificateChain }, "\(report.text)")
            #expect(report.signatures.map(\.level) == (count == 1 ? [.bLT] : [.bLT, .bLTA]))
            #expect(report.signatures.allSatisfy { $0.notExamined.isEmpty && $0.provenSigningTime == nil })
            #expect(report.signatures.last?.coverage?.canonicalByteCount == (count == 1 ? 1593 : 23075))
        }
    }
}

@Suite struct OwnCheckTests {
    static func isAccepted(_ document: [UInt8], by signer: World.Signer, _ form: DocumentForm = .prescription) -> Bool {
        (try? OwnCheck.verify(document, form: form, certificate: signer.certificate.der)) != nil
    }

    @Test func `our own documents are accepted under the right certificate and form alone`() throws {
        let world = try World.shared.get()
        let prescription = try world.prescription()
        let dispensing = try world.dispensing()
        #expect(Self.isAccepted(prescription, by: world.doctor))
        #expect(!Self.isAccepted(prescription, by: world.nurse))
        #expect(!Self.isAccepted(prescription, by: world.doctor, .dispensing))
        #expect(Self.isAccepted(dispensing, by: world.pharmacist, .dispensing))
        #expect(!Self.isAccepted(dispensing, by: world.doctor, .dispensing))
        #expect(!Self.isAccepted(dispensing.replacing(">U0ox", ">U0oy"), by: world.pharmacist, .dispensing))
    }
}
