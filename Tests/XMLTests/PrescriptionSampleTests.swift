import Foundation
import HPKI
import Testing
import XML

/// The official samples, with the digests that their signatures hold.
struct PrescriptionSampleTests {
    private static let cases: [(String, String, Canonicalization, Int, String)] = [
        (
            "Prescription-004_01", "PrescriptionDocument", .inclusive10, 1593,
            "d2AViR1mbbTGkOUKs3/DNI66RLps3c8tE/UDoled78U="
        ),
        (
            "Prescription-004_01", "PrescriptionDocument", .inclusive11, 1593,
            "d2AViR1mbbTGkOUKs3/DNI66RLps3c8tE/UDoled78U="
        ),
        (
            "Prescription-004_01", "PrescriptionDocument", .exclusive10, 1539,
            "mDZZY9C3I4plrnZYc92qI8vTDSgFbpj0SpbEOqE74WQ="
        ),
        ("Dispensing-005_03", "Dispensing", .inclusive10, 23075, "qjvcVHTSZQBaJROD4D0J54ak69eLmC2UyFpz2I6mxdU="),
        ("Dispensing-005_03", "Dispensing", .exclusive10, 0, "32ek5p2J9lhE8WFraQ+euLYmQ25Y1bLYt55AA6R6qLo="),
    ]

    @Test(arguments: cases)
    func `signed elements give the official digests`(
        _ file: String, _ id: String, _ method: Canonicalization, _ length: Int, _ digest: String
    ) throws {
        guard let root = vectors("e-prescription") else { return }
        let document = try XMLDocument(parsing: try bytes(of: root.appending(path: "\(file).xml")))
        let output = method.canonicalize(try #require(document.element(id: id)))
        if length > 0 { #expect(output.count == length) }
        #expect(Base64.encode(Digest(of: output).bytes) == digest)
    }

    @Test func `the signed properties of the prescription give the digest of its reference`() throws {
        guard let root = vectors("e-prescription") else { return }
        let document = try XMLDocument(parsing: try bytes(of: root.appending(path: "Prescription-004_01.xml")))
        let properties = try #require(
            document.root.descendants.first { $0.isNamed("SignedProperties", "http://uri.etsi.org/01903/v1.3.2#") })
        let output = Canonicalization.exclusive10.canonicalize(properties)
        #expect(output.count == 598)
        #expect(Base64.encode(Digest(of: output).bytes) == "8XgGgHpPS/3nAQTc6cVSGHI5ObMWjQ8l3oHpyQkF4jQ=")
    }
}
