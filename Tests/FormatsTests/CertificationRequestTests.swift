import Certificates
import Development
import Formats
import Foundation
import HPKI
import Testing

@Suite struct CertificationRequestTests {
    /// What openssl, the foreign reader, says of a request, and whether its own signature holds.
    private static func openssl(_ request: [UInt8], _ arguments: [String]) throws -> (text: String, holds: Bool) {
        try withFolder(["request.der": request]) { folder in
            let arguments = ["req", "-inform", "der", "-in", "request.der", "-noout", "-verify"] + arguments
            let outcome = try run("/usr/bin/openssl", arguments, in: folder)
            let text = outcome.text + String(decoding: outcome.output, as: UTF8.self)
            // Version 3.0 ends with 0 in either case.
            return (text, outcome.status == 0 && text.contains("verify OK"))
        }
    }

    private static let cases = KeyType.allCases.flatMap { type in type.algorithms.map { (type, $0) } }

    @Test(arguments: cases)
    func `openssl verifies a request for every type of key and algorithm`(
        type: KeyType, algorithm: SignatureAlgorithm
    ) throws {
        let key = try DevelopmentKey.make(type)
        let request = CertificationRequest(
            subjectPublicKeyInfo: key.subjectPublicKeyInfo,
            subject: try CertificationSubject.name(romajiName: "Hanako Kaihatsu", identifier: "doctor-1"),
            algorithm: algorithm)
        let value = try key.value(over: request.bytesToSign, by: algorithm)
        let whole = request.assembled(with: value)
        let shown = try Self.openssl(whole, ["-text"])
        #expect(shown.holds, "\(shown.text)")
        #expect(shown.text.contains("Version: 1 (0x0)"))
        #expect(shown.text.contains("Subject: C = JP, CN = Hanako Kaihatsu, serialNumber = doctor-1\n"))
        let named =
            switch algorithm {
            case .rsaPKCS1SHA256: ["sha256WithRSAEncryption"]
            case .rsaPKCS1SHA384: ["sha384WithRSAEncryption"]
            case .rsaPKCS1SHA512: ["sha512WithRSAEncryption"]
            case .rsaPSSSHA256: ["rsassaPss", "mgf1 with sha256", "Salt Length: 0x20"]
            case .rsaPSSSHA384: ["rsassaPss", "mgf1 with sha384", "Salt Length: 0x30"]
            case .rsaPSSSHA512: ["rsassaPss", "mgf1 with sha512", "Salt Length: 0x40"]
            case .ecdsaP256SHA256: ["ecdsa-with-SHA256", "ASN1 OID: prime256v1"]
            case .ecdsaP384SHA384: ["ecdsa-with-SHA384", "ASN1 OID: secp384r1"]
            }
        for part in named { #expect(shown.text.contains(part), "\(part) is missing in\n\(shown.text)") }
        var other = value
        other[other.count / 2] ^= 1
        #expect(try !Self.openssl(request.assembled(with: other), []).holds)
    }

    @Test func `the subject is that of HPKI certificates, and what it cannot hold is refused`() throws {
        let name = try DistinguishedName(
            der: try CertificationSubject.name(romajiName: "Zoë Kaihatsu", identifier: "t00001-jpa")[...])
        #expect(name.text == "C=JP, CN=Zoë Kaihatsu, serialNumber=t00001-jpa")
        let long = String(repeating: "a", count: 64)
        _ = try CertificationSubject.name(romajiName: long, identifier: long)
        for (romaji, identifier) in [
            ("", "1"), ("A", ""), (long + "a", "1"), ("A", long + "a"), ("A", "a_b"), ("A", "é"),
        ] {
            #expect(throws: FormatError.subjectNotEncodable) {
                try CertificationSubject.name(romajiName: romaji, identifier: identifier)
            }
        }
    }
}
