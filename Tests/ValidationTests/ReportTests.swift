import Certificates
import Development
import Foundation
import HPKI
import Testing
import Validation
import XML

/// The report as a page, in XML, in JSON and in text.
@Suite struct ReportTests {
    private let world: World

    init() throws {
        world = try World.shared.get()
    }

    private func stamped() throws -> ValidationReport {
        let service = try TimeStamping(world.pki)
        let document = try service.stamped(try world.prescription(), at: World.now)
        return try service.validator(at: World.now).judge(document, at: World.now)
    }

    @Test func `the page says in both languages whether the signature holds, who signed, and when`() throws {
        let page = try stamped().html
        for word in [
            "署名は有効です", "The signature is valid", "海野 はるか", "Umino Haruka", "Medical Doctor", "処方箋の署名",
            "タイムスタンプ", "PrescriptionDocument", "shirushi-standard", "width=device-width", "CRL 2026-",
        ] { #expect(page.contains(word), "\(word)") }
        #expect(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"))
        let failed = try world.validator().judge(
            try world.prescription().replacing(">U0ox", ">U0oy"), at: World.now
        ).html
        #expect(failed.contains("署名は無効です") && failed.contains("署名の後に内容が変えられています。"))
        let open = SignatureValidator.trustingNobody.judge(try world.prescription(), at: World.now).html
        #expect(open.contains("署名を確認しきれません") && open.contains("no-path-to-anchor"))
    }

    @Test func `the report in XML is well-formed and says the same as the one in JSON`() throws {
        let report = try stamped()
        let read = try XMLDocument(parsing: Array(report.xml.utf8)).root
        func texts(_ name: String) -> [String] { read.descendants.filter { $0.localName == name }.map(\.text) }
        #expect(texts("OverallResult") == ["passed"])
        #expect(texts("MainIndication") == ["TOTAL-PASSED", "TOTAL-PASSED"])
        #expect(texts("SignatureLevel") == ["B-T"])
        #expect(texts("BestSignatureTime") == [World.now.adding(seconds: 1).rfc3339])
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
        let signature = try #require((json["signatures"] as? [[String: Any]])?.first)
        #expect(signature["level"] as? String == "B-T")
        #expect(signature["provenSigningTime"] as? String == World.now.adding(seconds: 1).rfc3339)
        #expect((signature["path"] as? [String])?.count == 3)
        let stamp = try #require((signature["timeStamps"] as? [[String: Any]])?.first)
        #expect(stamp["indication"] as? String == "TOTAL-PASSED" && stamp["isOfSignature"] as? Bool == true)
        #expect((signature["coverage"] as? [String: Any])?["isWholeDocument"] as? Bool == false)
        #expect((signature["revocation"] as? [[String: Any]])?.map { $0["kind"] as? String } == ["CRL", "CRL"])
    }

    @Test func `nothing of a hostile name becomes markup or steers a terminal`() throws {
        var pki = world.pki
        let key = DevelopmentKey.p256()
        let profile = HolderProfile(
            romajiName: "<script>alert(1)</script>\u{1B}[2J", japaneseName: "\"><img src=x>&\u{202E}",
            identifier: "3", roles: [HCRole("<b>")])
        let certificate = try pki.issue(profile, publicKey: key.subjectPublicKeyInfo, by: .jpa, now: World.now)
        let report = try world.validator().judge(
            try world.prescription(by: World.Signer(key: key, certificate: certificate), algorithm: .ecdsaP256SHA256),
            at: World.now)
        #expect(report.signatures.first?.isCryptographicallyGood == true)
        for text in [report.html, report.xml, report.text] {
            #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}"))
        }
        for text in [report.html, report.xml] {
            #expect(!text.contains("<script") && !text.contains("<img") && !text.contains("<b>"))
            #expect(text.contains("&lt;script"))
        }
        #expect(throws: Never.self) { _ = try XMLDocument(parsing: Array(report.xml.utf8)) }
    }
}
