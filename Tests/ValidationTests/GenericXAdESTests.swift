import Certificates
import Development
import Formats
import HPKI
import Testing
import Validation
import XML

/// Signatures of documents that are no e-prescriptions: judged by what they cover.
@Suite struct GenericXAdESTests {
    private typealias Reference = XAdESSignature.DataReference
    private let world: World
    private let validator: SignatureValidator
    private static let letter = "<Letter xmlns:x=\"urn:x\"><Text id=\"text\">Hello</Text><Sign/></Letter>"

    init() throws {
        world = try World.shared.get()
        validator = try world.validator()
    }

    private func sign(_ signature: XAdESSignature, _ object: EnvelopedObject? = nil) throws -> [UInt8] {
        signature.assemble(
            value: try world.nurse.key.value(over: signature.bytesToSign, by: .rsaPKCS1SHA256), object: object)
    }

    private func signature(_ references: [Reference]) throws -> [UInt8] {
        try sign(
            try XAdESSignature(
                references: references, certificate: world.nurse.certificate.der, signingTime: World.now,
                algorithm: .rsaPKCS1SHA256))
    }

    private func enveloped(_ document: String = letter) throws -> [UInt8] {
        let read = try XMLDocument(parsing: Array(document.replacing("<Sign/>", with: "<Sign></Sign>").utf8))
        let digest = Digest(of: Canonicalization.exclusive10.canonicalize(read))
        let text = try signature([.document(digest)]).text
        return Array(document.replacing("<Sign/>", with: "<Sign>\(text)</Sign>").utf8)
    }

    private func internallyDetached() throws -> [UInt8] {
        let read = try XMLDocument(parsing: Array(Self.letter.utf8))
        let element = try #require(read.element(id: "text"))
        let digest = Digest(of: Canonicalization.exclusive10.canonicalize(element))
        let text = try signature([.element(id: "text", digest)]).text
        return Array(Self.letter.replacing("<Sign/>", with: "<Sign>\(text)</Sign>").utf8)
    }

    private func enveloping() throws -> [UInt8] {
        let object = EnvelopedObject(Array("hello".utf8))
        return try sign(
            try XAdESSignature(
                references: [.object(id: object.id, object.digest())], certificate: world.nurse.certificate.der,
                signingTime: World.now, algorithm: .rsaPKCS1SHA256),
            object)
    }

    private func detached(_ uri: String = "letter.pdf") throws -> [UInt8] {
        try signature([.detached(uri, Digest(of: Array("%PDF".utf8)))])
    }

    private func reasons(_ bytes: [UInt8], _ content: DetachedContent = .none) -> [String] {
        let report = validator.judge(bytes, detached: content, at: World.now)
        #expect(report.result != .passed, "\(report.text)")
        return report.reasons
    }

    @Test func `an enveloped signature covers the whole document and any change fails`() throws {
        let signed = try enveloped()
        let report = validator.judge(signed, at: World.now)
        #expect(report.result == .passed, "\(report.text)")
        let found = try #require(report.signatures.first)
        #expect(found.kind == .xades && found.level == .bB && found.signer?.roles == ["General Nurse"])
        #expect(found.covered.map(\.kind) == [.document] && found.coverage?.isWholeDocument == true)
        #expect(reasons(signed.replacing("Hello", "Hullo")) == ["digest-mismatch"])
        #expect(reasons(signed.replacing("</Letter>", "<More/></Letter>")) == ["digest-mismatch"])
    }

    @Test func `an internally detached signature covers its element, says where, and nothing else`() throws {
        let signed = try internallyDetached()
        let report = validator.judge(signed, at: World.now)
        #expect(report.result == .passed, "\(report.text)")
        let coverage = try #require(report.signatures.first?.coverage)
        #expect(coverage.kind == .element && coverage.id == "text" && coverage.path == "/Letter/Text")
        #expect(!coverage.isWholeDocument && coverage.uri == "#text")
        #expect(report.text.contains("not the rest of the document"))
        #expect(reasons(signed.replacing("Hello", "Hullo")) == ["digest-mismatch"])
        // The element moved away and another shown in its place: the report says where the signed one is.
        let moved = signed.replacing("<Text id=\"text\">Hello</Text>", "<Text>Other</Text>")
            .replacing("</Letter>", "<Old><Text id=\"text\">Hello</Text></Old></Letter>")
        let wrapped = validator.judge(moved, at: World.now)
        #expect(wrapped.signatures.first?.coverage?.path == "/Letter/Old/Text", "\(wrapped.text)")
        let doubled = signed.replacing("</Letter>", "<Text id=\"text\">Hello</Text></Letter>")
        #expect(reasons(doubled) == ["not-well-formed"])
    }

    @Test func `an enveloping signature covers its object`() throws {
        let signed = try enveloping()
        let report = validator.judge(signed, at: World.now)
        #expect(report.result == .passed, "\(report.text)")
        #expect(report.signatures.first?.coverage?.path == "/Signature/Object")
        #expect(reasons(signed.replacing(Base64.encode(Array("hello".utf8)), "aGVsbG8h")) == ["digest-mismatch"])
    }

    @Test func `a detached signature is judged with the data that are given, by name or alone`() throws {
        let signed = try detached()
        let data = Array("%PDF".utf8)
        for content in [DetachedContent(named: ["letter.pdf": data]), DetachedContent(single: data)] {
            let report = validator.judge(signed, detached: content, at: World.now)
            #expect(report.result == .passed, "\(report.text)")
            #expect(report.signatures.first?.coverage?.kind == .octets)
            #expect(report.signatures.first?.coverage?.canonicalByteCount == 4)
        }
        #expect(reasons(signed, DetachedContent(single: [1])) == ["digest-mismatch"])
        let missing = validator.judge(signed, at: World.now)
        #expect(missing.signatures.first?.subIndication == .signedDataNotFound)
        #expect(missing.result == .indeterminate && missing.reasons == ["detached-content-missing"])
        // Nothing is ever fetched: an address or a file is a name and no more.
        for uri in ["http://127.0.0.1/", "file:///etc/passwd"] {
            #expect(reasons(try detached(uri)) == ["detached-content-missing"])
        }
    }

    @Test func `data beside the signature that are canonicalised are told of as without comments`() throws {
        let data = Array("<a><!-- 10 mg -->1 mg</a>".utf8)
        let plain = try signature([.detached("a.xml", Digest(of: data))])
        let whole = validator.judge(plain, detached: DetachedContent(single: data), at: World.now)
        #expect(whole.result == .passed && !whole.text.contains("without comments"), "\(whole.text)")
        // The same with a canonicalisation among the transforms, which is not made here.
        let signature = try XAdESSignature(
            references: [.detached("a.xml", Digest(of: Array("<a>1 mg</a>".utf8)))],
            certificate: world.nurse.certificate.der, signingTime: World.now, algorithm: .rsaPKCS1SHA256)
        let start = "URI=\"a.xml\">"
        let transform =
            start + "<ds:Transforms><ds:Transform Algorithm=\"\(Namespaces.exclusive)\"></ds:Transform></ds:Transforms>"
        let value = try world.nurse.key.value(
            over: signature.bytesToSign.replacing(start, transform), by: .rsaPKCS1SHA256)
        let signed = signature.assemble(value: value).replacing(start, transform)
        let report = validator.judge(signed, detached: DetachedContent(single: data), at: World.now)
        #expect(report.result == .passed, "\(report.text)")
        #expect(report.text.contains("11 bytes given beside the signature, as XML without comments (a.xml)"))
        #expect(report.signatures.first?.coverage?.leavesOutComments == true)
        #expect(report.html.contains("as XML without comments"))
    }

    @Test func `an algorithm that is not accepted leaves the signature open, whatever the format`() throws {
        for (old, new) in [("rsa-sha256", "rsa-sha1"), ("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1")] {
            let report = validator.judge(try enveloped().replacing(old, new), at: World.now)
            #expect(report.signatures.first?.indication == .indeterminate)
            #expect(report.signatures.first?.subIndication == .cryptoConstraintsFailure)
        }
    }

    @Test func `each signature of a document is judged on its own`() throws {
        let one = try internallyDetached()
        let start = "<Letter xmlns:x=\"urn:x\">"
        let two = one.replacing(start, "\(start)<Other>\(try detached().text)</Other>")
        let report = validator.judge(two, at: World.now)
        #expect(report.signatures.map(\.indication) == [.indeterminate, .totalPassed], "\(report.text)")
        #expect(report.result == .indeterminate)
        let many = "<a>" + String(repeating: "<ds:Signature xmlns:ds=\"\(Namespaces.ds)\"/>", count: 17) + "</a>"
        #expect(reasons(Array(many.utf8)) == ["too-many-signatures"])
        #expect(reasons(Array("<a/>".utf8)) == ["no-signature"])
    }

    @Test(arguments: [
        ("xmldsig#enveloped-signature", "xmldsig#base64", "transform-not-allowed"),
        ("2000/09/xmldsig#enveloped-signature", "TR/1999/REC-xpath-19991116", "transform-not-allowed"),
        ("<ds:Transform Algorithm=\"\(Namespaces.envelopedSignature)\"></ds:Transform>", "", "digest-mismatch"),
        ("URI=\"\"", "URI=\"#nowhere\"", "reference-not-found"),
        ("URI=\"\"", "URI=\"#xpointer(/)\"", "reference-not-found"),
        ("URI=\"\"", "", "covers-nothing"),
        ("rsa-sha256", "rsa-sha1", "algorithm-not-accepted"),
        ("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1", "algorithm-not-accepted"),
        ("exc-c14n#\"", "exc-c14n#WithComments\"", "canonicalization-not-allowed"),
        ("Type=\"http://uri.etsi.org/01903#SignedProperties\"", "", "signed-properties-type"),
        ("<ds:KeyInfo>", "<ds:Strange/><ds:KeyInfo>", "signature-structure"),
        ("Target=\"#", "Target=\"#x", "properties-target"),
        ("<ds:X509Certificate>M", "<ds:X509Certificate>N", "certificate-not-bound"),
    ])
    func `each change of an enveloped signature is found and named`(old: String, new: String, reason: String) throws {
        var content = DetachedContent()
        if reason == "covers-nothing" { content.single = [] }
        #expect(reasons(try enveloped().replacing(old, new), content) == [reason])
    }

    @Test func `keys named in other ways are passed over, and objects that nothing covers are told of`() throws {
        let named = try internallyDetached().replacing("<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>name</ds:KeyName>")
        let report = validator.judge(named, at: World.now)
        #expect(report.result == .passed, "\(report.text)")
        let more = named.replacing("</ds:Signature>", "<ds:Object>more</ds:Object><ds:Object/></ds:Signature>")
        #expect(reasons(more) == ["unsigned-object"])
    }

    @Test(arguments: 0..<4)
    func `no byte of an enveloped signature can be changed unless the canonical form stays`(part: Int) throws {
        /// Everything that the signature covers or is, in its canonical form.
        func parts(_ bytes: [UInt8]) throws -> [[UInt8]] {
            let read = try XMLDocument(parsing: bytes)
            let signature = try #require(read.root.descendants.first { $0.localName == "Signature" })
            let names = ["SignedInfo", "SignedProperties", "SignatureValue", "X509Certificate"]
            let found = signature.descendants.filter { names.contains($0.localName) }
            return [Canonicalization.exclusive10.canonicalize(read, excluding: signature)]
                + found.map { $0.hasElementChildren ? Canonicalization.exclusive10.canonicalize($0) : $0.textBytes }
        }
        let original = try enveloped()
        let signed = try parts(original)
        var refused = 0
        for index in stride(from: part * 5, to: original.count, by: 20) {
            var changed = original
            changed[index] ^= 1
            if validator.judge(changed, at: World.now).result == .passed {
                #expect(try parts(changed) == signed, "byte \(index)")
            } else {
                refused += 1
            }
        }
        #expect(refused > original.count / 20 / 2)
    }

    @Test func `a bare signature over the document without itself covers nothing`() throws {
        let signed = try signature([.document(Digest(of: []))])
        #expect(reasons(signed) == ["covers-nothing"])
    }

    @Test func `what has a mark of an e-prescription is judged as one and nothing else`() throws {
        let signed = try enveloped("<Letter><PrescriptionDocument>U0oxCg==</PrescriptionDocument><Sign/></Letter>")
        #expect(reasons(signed) == ["not-an-e-prescription"])
        let wrapped = try world.prescription().replacing("<Document ", "<Letter><Document ")
        let letter = (wrapped.text + "</Letter>").replacing(#"<?xml version="1.0" encoding="UTF-8"?>"#, with: "")
        #expect(reasons(Array(letter.utf8)) == ["not-an-e-prescription"])
    }

    @Test func `the own check takes our signature alone, and digests where data are not at hand`() throws {
        let mine = world.nurse.certificate.der
        func isAccepted(
            _ bytes: [UInt8], _ detached: [String: [UInt8]]? = nil, digests: [String: Digest]? = nil,
            by certificate: [UInt8]? = nil
        ) -> Bool {
            (try? OwnCheck.verifyXAdES(bytes, detached: detached, digests: digests, certificate: certificate ?? mine))
                != nil
        }
        let data = Array("%PDF".utf8)
        #expect(try isAccepted(enveloped()) && isAccepted(internallyDetached()) && isAccepted(enveloping()))
        #expect(try !isAccepted(enveloped(), by: world.doctor.certificate.der))
        #expect(try !isAccepted(enveloped().replacing("Hello", "Hullo")))
        #expect(try isAccepted(detached(), ["letter.pdf": data]) && !isAccepted(detached()))
        #expect(try isAccepted(detached(), digests: ["letter.pdf": Digest(of: data)]))
        #expect(try !isAccepted(detached(), digests: ["letter.pdf": Digest(of: [])]))
        let digest = Digest(of: data)
        #expect(try isAccepted(signature([.document(digest)]), digests: ["": digest]))
        #expect(try !isAccepted(signature([.document(digest)]), digests: ["": Digest(of: [])]))
    }
}
