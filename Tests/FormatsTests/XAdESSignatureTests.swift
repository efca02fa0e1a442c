import Certificates
import Development
import Formats
import Foundation
import HPKI
import Testing
import XML

@Suite struct XAdESSignatureTests {
    private static let noon = Instant(seconds: 1_790_000_000)
    private static let cases = KeyType.allCases.flatMap { type in type.algorithms.map { (type, $0) } }
        // xmlsec1 of Debian 12 (1.2.37) does not know RSASSA-PSS.
        .filter { $0.1.family != .rsaPSS }
    private static let content = Array("紹介状\r\n".utf8) + (0..<250).map { UInt8($0) }

    private struct Holder {
        let key: DevelopmentKey
        let certificate: [UInt8]
        let algorithm: SignatureAlgorithm
        /// What a judge trusts.
        let files: [String: [UInt8]]

        func reference(_ references: [XAdESSignature.DataReference]) throws -> XAdESSignature {
            try XAdESSignature(
                references: references, certificate: certificate, signingTime: noon, algorithm: algorithm)
        }

        func sign(_ signature: XAdESSignature) throws -> [UInt8] {
            signature.assemble(value: try key.value(over: signature.bytesToSign, by: algorithm))
        }
    }

    private func holder(_ type: KeyType, _ algorithm: SignatureAlgorithm) throws -> Holder {
        // Valid at the clock's time, since xmlsec1 asks for no other.
        let now = Instant(seconds: Int64(Date().timeIntervalSince1970))
        var pki = try DevelopmentPKI.create(
            random: Random { count in (0..<count).map { _ in UInt8.random(in: 0...255) } },
            now: now.adding(seconds: -86_400))
        let key = try DevelopmentKey.make(type)
        let profile = HolderProfile(
            romajiName: "Hanako Tameshi", japaneseName: "試し　花子", identifier: "dev-0001", roles: [.medicalDoctor],
            organization: "TAMESHI HOSPITAL", japaneseOrganization: "試し病院")
        let certificate = try pki.issue(profile, publicKey: key.subjectPublicKeyInfo, by: .medis, now: now)
        func pem(_ certificates: [HPKICertificate]) -> [UInt8] {
            Array(certificates.map { PEM.encode($0.der, label: PEM.certificateLabel) }.joined().utf8)
        }
        var files: [String: [UInt8]] = [:]
        for (number, each) in pki.trustStore.anchors.enumerated() { files["anchor-\(number).pem"] = pem([each]) }
        for (number, each) in pki.trustStore.intermediates.enumerated() { files["between-\(number).pem"] = pem([each]) }
        return Holder(key: key, certificate: certificate.der, algorithm: algorithm, files: files)
    }

    /// Whether xmlsec1 accepts the signature, its references and its path; and what it said.
    private func judge(
        _ document: [UInt8], _ holder: Holder, files: [String: [UInt8]] = [:], ids: [String] = []
    ) throws -> (holds: Bool, text: String) {
        let all = holder.files.merging(files) { $1 }.merging(["signed.xml": document]) { $1 }
        return try withFolder(all) { folder in
            var arguments = ["--verify", "--enabled-key-data", "x509"]
            for name in holder.files.keys.sorted() {
                arguments += [name.hasPrefix("anchor") ? "--trusted-pem" : "--untrusted-pem", name]
            }
            for element in [
                "\(Namespaces.xades):SignedProperties", "\(Namespaces.ds):Object", "\(Namespaces.ds):Reference",
            ] + ids { arguments += ["--id-attr:Id", element] }
            let outcome = try run("/usr/bin/xmlsec1", arguments + ["signed.xml"], in: folder)
            return (outcome.status == 0, outcome.text + String(decoding: outcome.output, as: UTF8.self))
        }
    }

    private func exclusive(_ xml: String) throws -> [UInt8] {
        Canonicalization.exclusive10.canonicalize(try XMLDocument(parsing: Array(xml.utf8)))
    }

    @Test(arguments: cases)
    func `xmlsec1 verifies an enveloped signature of every algorithm, and no other document`(
        type: KeyType, algorithm: SignatureAlgorithm
    ) throws {
        let holder = try holder(type, algorithm)
        let (head, tail) = ("<r xmlns=\"urn:x\" xmlns:a=\"urn:a\" b='1'><a:c>紹介 &amp; 状</a:c>", "<d/></r>")
        let digest = Digest(of: try exclusive(head + tail))
        let signature = try holder.sign(try holder.reference([.document(digest)]))
        let whole = Array(head.utf8) + signature + Array(tail.utf8)
        let verdict = try judge(whole, holder)
        #expect(verdict.holds, "\(verdict.text)")
        let other = Array(head.utf8) + signature + Array("<e/></r>".utf8)
        #expect(try !judge(other, holder).holds)
    }

    @Test func `xmlsec1 verifies an element of the same document and something outside together`() throws {
        let holder = try holder(.p256, .ecdsaP256SHA256)
        let element = "<data xmlns=\"urn:x\" Id=\"data-1\">text</data>"
        let signature = try holder.sign(
            try holder.reference([
                .element(id: "data-1", Digest(of: try exclusive(element), by: .sha512)),
                .detached("letter.bin", Digest(of: Self.content, by: .sha384), mimeType: "application/octet-stream"),
            ]))
        let whole = Array("<r>\(element)".utf8) + signature + Array("</r>".utf8)
        let verdict = try judge(whole, holder, files: ["letter.bin": Self.content], ids: ["urn:x:data"])
        #expect(verdict.holds, "\(verdict.text)")
        #expect(try !judge(whole, holder, files: ["letter.bin": Self.content + [0]], ids: ["urn:x:data"]).holds)
    }

    @Test func `xmlsec1 verifies an enveloping signature, and its content is what was given`() throws {
        let holder = try holder(.rsa2048, .rsaPKCS1SHA256)
        let object = EnvelopedObject(Self.content)
        let made = try holder.reference([.object(id: object.id, object.digest(), mimeType: "application/pdf")])
        let whole = made.assemble(
            value: try holder.key.value(over: made.bytesToSign, by: holder.algorithm), object: object)
        let verdict = try judge(whole, holder)
        #expect(verdict.holds, "\(verdict.text)")
        let root = try XMLDocument(parsing: whole).root
        let element = try #require(root.children.first { $0.localName == "Object" })
        #expect(Base64.decode(element.text) == Self.content)
    }

    @Test func `names that need escaping stand as they were given`() throws {
        let holder = try holder(.p256, .ecdsaP256SHA256)
        let name = "a&b\"<c>%20é"
        let signature = try holder.reference([.detached(name, Digest(of: [1]), mimeType: "x/<&>")])
        let root = try XMLDocument(parsing: try holder.sign(signature)).root
        func all(_ element: XMLElement) -> [XMLElement] { [element] + element.children.flatMap(all) }
        let elements = all(root)
        let uris = elements.flatMap(\.attributes).filter { $0.localName == "URI" }.map(\.value)
        #expect(uris.contains(name))
        #expect(elements.first { $0.localName == "MimeType" }?.text == "x/<&>")
        let info = try #require(elements.first { $0.localName == "SignedInfo" })
        #expect(Canonicalization.exclusive10.canonicalize(info) == signature.bytesToSign)
    }

    @Test func `what XML cannot hold, no reference and seventeen of them are refused`() throws {
        let holder = try holder(.p256, .ecdsaP256SHA256)
        let digest = Digest(of: [1])
        for references: [XAdESSignature.DataReference] in [
            [], Array(repeating: .document(digest), count: 17), [.detached("a\u{0}b", digest)],
            [.detached("a", digest, mimeType: "\u{FFFF}")],
        ] {
            #expect(throws: FormatError.referencesNotOfForm) { _ = try holder.reference(references) }
        }
    }

    @Test func `the same inputs give the same bytes and other inputs other ids`() throws {
        let holder = try holder(.p256, .ecdsaP256SHA256)
        let (one, other) = (Digest(of: [1]), Digest(of: [2]))
        let first = try holder.reference([.document(one)])
        #expect(try holder.reference([.document(one)]).bytesToSign == first.bytesToSign)
        let second = try holder.reference([.document(other)])
        func id(_ signature: XAdESSignature) throws -> String? {
            try XMLDocument(parsing: signature.assemble(value: [1])).root.attributes.first { $0.localName == "Id" }?
                .value
        }
        #expect(try id(first) != id(second))
    }
}
