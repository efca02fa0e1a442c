import Formats
import HPKI
import Testing
import XML

@Suite struct PrescriptionSignatureTests {
    private static let certificate = Array("not read by this module".utf8)

    private static func make(
        _ form: DocumentForm, _ algorithm: SignatureAlgorithm = .rsaPKCS1SHA256, seconds: Int64 = 1_662_538_081
    ) throws -> PrescriptionSignature {
        try PrescriptionSignature(
            form: form, dataDigest: Digest(of: Array("data".utf8)), certificate: certificate,
            signingTime: Instant(seconds: seconds), algorithm: algorithm
        )
    }

    private static func parse(_ signature: PrescriptionSignature) throws -> XMLElement {
        try XMLDocument(parsing: signature.assemble(value: Array(repeating: 0xA5, count: 256))).root
    }

    /// Depth, name and attributes of every element, ids shortened to what follows their stem.
    private static func outline(_ element: XMLElement, _ depth: Int = 0) -> [String] {
        let attributes = element.attributes.map { attribute -> String in
            let value =
                attribute.localName == "URI" || attribute.localName.hasSuffix("Id")
                ? attribute.value.replacing(#/id[0-9a-f]{16}-/#, with: "*-") : attribute.value
            return "\(attribute.localName)=\(value)"
        }
        let line = String(repeating: " ", count: depth) + "\(element.prefix):\(element.localName)"
        return [([line] + attributes).joined(separator: " ")] + element.children.flatMap { outline($0, depth + 1) }
    }

    @Test(arguments: [DocumentForm.prescription, .dispensing])
    func `the official form is kept element by element`(form: DocumentForm) throws {
        let (name, data) =
            form == .prescription ? ("PrescriptionSign", "PrescriptionDocument") : ("DispensingSign", "Dispensing")
        let expected = """
            xs:Signature Id=\(name)
             xs:SignedInfo Id=*-SignedInfo
              xs:CanonicalizationMethod Algorithm=http://www.w3.org/2001/10/xml-exc-c14n#
              xs:SignatureMethod Algorithm=http://www.w3.org/2001/04/xmldsig-more#rsa-sha256
              xs:Reference Id=*-Reference1-Detached URI=#\(data)
               xs:DigestMethod Algorithm=http://www.w3.org/2001/04/xmlenc#sha256
               xs:DigestValue
              xs:Reference Id=*-Reference2-KeyInfo URI=#*-KeyInfo
               xs:Transforms
                xs:Transform Algorithm=http://www.w3.org/2001/10/xml-exc-c14n#
               xs:DigestMethod Algorithm=http://www.w3.org/2001/04/xmlenc#sha256
               xs:DigestValue
              xs:Reference Id=*-Reference3-SignedProperties Type=http://uri.etsi.org/01903#SignedProperties URI=#*-SignedProperties
               xs:Transforms
                xs:Transform Algorithm=http://www.w3.org/2001/10/xml-exc-c14n#
               xs:DigestMethod Algorithm=http://www.w3.org/2001/04/xmlenc#sha256
               xs:DigestValue
             xs:SignatureValue Id=*-SignatureValue
             xs:KeyInfo Id=*-KeyInfo
              xs:X509Data
               xs:X509Certificate
             xs:Object
              xa:QualifyingProperties Id=*-QualifyingProperties Target=#\(name)
               xa:SignedProperties Id=*-SignedProperties
                xa:SignedSignatureProperties
                 xa:SigningTime
                 xa:SigningCertificateV2
                  xa:Cert
                   xa:CertDigest
                    xs:DigestMethod Algorithm=http://www.w3.org/2001/04/xmlenc#sha256
                    xs:DigestValue
            """
        #expect(Self.outline(try Self.parse(try Self.make(form))).joined(separator: "\n") == expected)
    }

    @Test(arguments: [DocumentForm.prescription, .dispensing], SignatureAlgorithm.allCases)
    func `the bytes to sign are the canonical SignedInfo of the assembled element`(
        form: DocumentForm, algorithm: SignatureAlgorithm
    ) throws {
        let signature = try Self.make(form, algorithm)
        let root = try Self.parse(signature)
        let info = try #require(root.firstChild("SignedInfo", Namespaces.ds))
        #expect(Canonicalization.exclusive10.canonicalize(info) == signature.bytesToSign)
    }

    @Test(arguments: [
        (SignatureAlgorithm.rsaPKCS1SHA256, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
        (.rsaPSSSHA256, "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"),
        (.ecdsaP256SHA256, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
        (.ecdsaP384SHA384, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"),
    ])
    func `the algorithm is named as RFC 6931 does`(algorithm: SignatureAlgorithm, identifier: String) throws {
        let root = try Self.parse(try Self.make(.prescription, algorithm))
        let method = root.descendants.first { $0.isNamed("SignatureMethod", Namespaces.ds) }
        #expect(method?.attribute("Algorithm") == identifier)
    }

    @Test func `each digest is that of the canonical form of its element`() throws {
        let root = try Self.parse(try Self.make(.dispensing))
        let info = try #require(root.firstChild("SignedInfo", Namespaces.ds))
        let references = info.children("Reference", Namespaces.ds)
        for reference in references.dropFirst() {
            let id = try #require(reference.attribute("URI")).dropFirst()
            let target = try #require(root.document.element(id: String(id)))
            let digest = Digest(of: Canonicalization.exclusive10.canonicalize(target))
            #expect(reference.firstChild("DigestValue", Namespaces.ds)?.text == Base64.encode(digest.bytes))
        }
        #expect(references.count == 3)
        let data = references.first?.firstChild("DigestValue", Namespaces.ds)?.text
        #expect(data == Base64.encode(Digest(of: Array("data".utf8)).bytes))
    }

    @Test func `time and certificate stand in the signed properties`() throws {
        let root = try Self.parse(try Self.make(.prescription))
        let time = root.descendants.first { $0.isNamed("SigningTime", Namespaces.xades) }
        let digest = root.descendants.last { $0.isNamed("DigestValue", Namespaces.ds) }
        #expect(time?.text == "2022-09-07T08:08:01+00:00")
        #expect(digest?.text == Base64.encode(Digest(of: Self.certificate).bytes))
    }

    @Test func `the same inputs give the same bytes and other times other ids`() throws {
        let value: [UInt8] = [1]
        #expect(try Self.make(.prescription).assemble(value: value) == Self.make(.prescription).assemble(value: value))
        let ids = try [1, 2].map {
            try Self.parse(try Self.make(.prescription, seconds: $0)).children.first?.attribute("Id")
        }
        #expect(ids[0] != ids[1])
    }

    @Test func `a form, digest or time that cannot be carried is refused`() throws {
        #expect(throws: FormatError.formWithoutSignature) { try Self.make(.other) }
        #expect(throws: FormatError.timeOutOfRange) { try Self.make(.prescription, seconds: .max) }
        #expect(throws: FormatError.digestAlgorithmNotOfForm) {
            try PrescriptionSignature(
                form: .prescription, dataDigest: Digest(of: [], by: .sha512), certificate: [],
                signingTime: Instant(seconds: 0), algorithm: .rsaPKCS1SHA256
            )
        }
    }
}

@Suite struct DocumentTemplateTests {
    @Test func `a prescription carried inside keeps its canonical bytes`() throws {
        let csv = Array("SJ1\n1,2\n".utf8)
        let alone = try XMLDocument(parsing: DocumentTemplate.prescription(csv: csv).unsigned)
        let prescription = try #require(alone.root.firstChild("Prescription", ""))
        let content = alone.bytes[prescription.contentRange]
        let around = DocumentTemplate.dispensing(prescriptionContent: content, csv: Array("CJ1,\n".utf8))
        let inside = try XMLDocument(parsing: around.unsigned)
        let first = try #require(alone.element(id: "PrescriptionDocument"))
        let second = try #require(inside.element(id: "PrescriptionDocument"))
        #expect(
            Canonicalization.inclusive10.canonicalize(first) == Canonicalization.inclusive10.canonicalize(second))
        #expect(Base64.decode(first.text) == csv)
        #expect(around.signed(with: [0x20]).count == around.unsigned.count + 1)
    }
}
