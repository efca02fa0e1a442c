import Certificates
import Development
import Formats
import Foundation
import HPKI
import Testing

private let now = Instant(seconds: 1_790_000_000)
private let random = Random { count in [UInt8](repeating: 0x5A, count: count) }
private let director = HolderProfile(
    romajiName: "Jiro Tameshi", japaneseName: "試し　次郎", identifier: "dev-0002",
    roles: [HCRole("Director of Hospital"), .medicalDoctor], organization: "TAMESHI HOSPITAL",
    organizationalUnit: "Director", japaneseOrganization: "試し病院")

/// What openssl, the foreign reader, says and whether it was content.
private func openssl(_ arguments: [String]) throws -> (text: String, isContent: Bool) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (String(decoding: data, as: UTF8.self), process.terminationStatus == 0)
}

/// Files in a folder of their own, gone afterwards.
private func withFiles<Value>(_ files: [String: [UInt8]], _ body: (String) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pki-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, bytes) in files { try Data(bytes).write(to: folder.appendingPathComponent(name)) }
    return try body(folder.path)
}

@Suite struct DevelopmentPKITests {
    private static let made = Result { try DevelopmentPKI.create(random: random, now: now) }
    private static let holderKey = Result { try DevelopmentKey.rsa2048().subjectPublicKeyInfo }

    @Test func `openssl shows a holder's certificate in the shape of the real ones`() throws {
        var pki = try Self.made.get()
        let leaf = try pki.issue(director, publicKey: try Self.holderKey.get(), by: .medis, now: now)
        let shown = try withFiles(["leaf.der": leaf.der]) {
            try openssl(["x509", "-inform", "der", "-in", "\($0)/leaf.der", "-noout", "-text"])
        }
        #expect(shown.isContent)
        let text = shown.text
        let order = [
            "Version: 3 (0x2)", "Serial Number: 101 (0x65)", "Signature Algorithm: sha256WithRSAEncryption",
            "Issuer: C = JP, O = DEVELOPMENT MEDIS", "Not Before: Sep 20 15:00:00 2026 GMT",
            "Not After : Sep 21 14:59:59 2031 GMT",
            "Subject: C = JP, O = TAMESHI HOSPITAL, OU = Director, CN = Jiro Tameshi, serialNumber = dev-0002",
            "Public-Key: (2048 bit)", "X509v3 Authority Key Identifier", "keyid:", "DirName:", "serial:03",
            "X509v3 Subject Key Identifier", "X509v3 Key Usage: critical", "Non Repudiation",
            "X509v3 Subject Alternative Name", "DirName:", "X509v3 CRL Distribution Points",
            "URI:http://repository.development.invalid/development-medis.crl", "X509v3 Subject Directory Attributes",
            "Medical Doctor", "Director of Hospital", "X509v3 Certificate Policies: critical",
            "Policy: 1.2.392.100495.1.5.1.1.0.1", "CPS: http://repository.development.invalid/policy/",
        ]
        var rest = text[...]
        for part in order {
            guard let found = rest.range(of: part) else {
                Issue.record("\(part) is missing or out of order in\n\(text)")
                return
            }
            rest = rest[found.upperBound...]
        }
        #expect(!text.contains("Authority Information Access"))
        #expect(text.components(separatedBy: ": critical").count == 3)
        #expect(leaf.roles == [.medicalDoctor, HCRole("Director of Hospital")])
        #expect(leaf.japaneseName == "試し　次郎")
        #expect(Hex.encode(leaf.der).contains("0603551d0f0101ff040403020640"))
    }

    @Test func `openssl verifies the path with every list, and refuses a revoked holder`() throws {
        var pki = try Self.made.get()
        let good = try pki.issue(director, publicKey: try Self.holderKey.get(), by: .jma, now: now)
        let bad = try pki.issue(director, publicKey: try Self.holderKey.get(), by: .jma, now: now)
        try pki.revoke(serial: bad.serialNumber, of: .jma, reason: .keyCompromise, at: now.adding(seconds: -60))
        let lists = try pki.crls(now: now.adding(seconds: -30))
        let authority = try pki.certificate(of: .jma)
        let crls = try ["development-root-sarl.crl", "development-root-rarl.crl", "development-jma.crl"]
            .map { PEM.encode(try #require(lists[$0]), label: PEM.crlLabel) }.joined()
        let files = [
            "root.pem": pki.root.pem, "authority.pem": authority.pem, "crls.pem": crls, "good.pem": good.pem,
            "bad.pem": bad.pem,
        ].mapValues { Array($0.utf8) }
        try withFiles(files) { folder in
            func verify(_ name: String) throws -> (text: String, isContent: Bool) {
                try openssl([
                    "verify", "-x509_strict", "-extended_crl", "-crl_check_all", "-policy_check", "-attime",
                    "\(now.seconds)", "-CAfile", "\(folder)/root.pem", "-untrusted", "\(folder)/authority.pem",
                    "-CRLfile", "\(folder)/crls.pem", "\(folder)/\(name)",
                ])
            }
            let accepted = try verify("good.pem")
            #expect(accepted.isContent, "\(accepted.text)")
            let refused = try verify("bad.pem")
            #expect(!refused.isContent)
            #expect(refused.text.contains("certificate revoked"))
            let list = try openssl(["crl", "-in", "\(folder)/crls.pem", "-noout", "-text"])
            #expect(list.text.contains("Issuing Distribution Point: critical"))
            #expect(list.text.contains("Only CA Certificates"))
            #expect(list.text.contains("Version 2 (0x1)"))
        }
    }

    @Test func `the authorities are shaped like the real ones and named apart`() throws {
        let pki = try Self.made.get()
        #expect(pki.root.isCA)
        #expect(pki.root.isSelfIssued)
        #expect(pki.root.serialNumber == [1])
        #expect(pki.root.notAfter.rfc3339 == "2056-09-21T14:59:59Z")
        var names: Set<DistinguishedName> = [pki.root.subject]
        for authority in DevelopmentPKI.Authority.allCases {
            let certificate = try pki.certificate(of: authority)
            names.insert(certificate.subject)
            #expect(certificate.isCA)
            #expect(certificate.keyUsage == [.keyCertSign, .cRLSign])
            #expect(certificate.policies == ["1.2.392.100495.1.5.1.1.3.1"])
            #expect(certificate.publicKey.kind == .rsa(bits: 2048))
            #expect(certificate.notAfter.rfc3339 == "2046-09-21T14:59:59Z")
            #expect(certificate.authorityKeyIdentifier == pki.root.subjectKeyIdentifier)
            #expect(certificate.subject.text.contains("DEVELOPMENT"))
        }
        #expect(names.count == 4)
    }

    @Test func `the lists carry on by number, hold for 96 hours and know the revoked`() throws {
        var pki = try Self.made.get()
        let leaf = try pki.issue(director, publicKey: try Self.holderKey.get(), by: .jpa, now: now)
        let first = try CertificateRevocationList(der: try #require(try pki.crls(now: now)["development-jpa.crl"]))
        try pki.revoke(serial: leaf.serialNumber, of: .jpa, reason: .certificateHold, at: now)
        let second = try CertificateRevocationList(der: try #require(try pki.crls(now: now)["development-jpa.crl"]))
        #expect(!first.isRevoked(leaf.serialNumber))
        #expect(second.entry(for: leaf.serialNumber)?.reason == .certificateHold)
        #expect(second.isNewer(than: first))
        #expect(second.nextUpdate == now.adding(seconds: 96 * 3600))
        #expect(second.authorityKeyIdentifier == (try pki.certificate(of: .jpa)).subjectKeyIdentifier)
    }

    @Test func `saved authorities carry on where they were`() throws {
        var pki = try Self.made.get()
        let first = try pki.issue(director, publicKey: try Self.holderKey.get(), by: .jma, now: now)
        try pki.revoke(serial: first.serialNumber, of: .jma, reason: nil, at: now)
        let state = try pki.serialized()
        var restored = try DevelopmentPKI(restoring: state)
        #expect(try restored.serialized() == state)
        #expect(restored.root == pki.root)
        let second = try restored.issue(director, publicKey: try Self.holderKey.get(), by: .jma, now: now)
        #expect(first.serialHex == "65")
        #expect(second.serialHex == "66")
        let list = try CertificateRevocationList(
            der: try #require(try restored.crls(now: now)["development-jma.crl"]))
        #expect(list.isRevoked(first.serialNumber))
        #expect(throws: DevelopmentPKIError.unreadableState) { _ = try DevelopmentPKI(restoring: Array("{}".utf8)) }
    }

    @Test func `a serial that was never issued cannot be revoked, a bad key not certified`() throws {
        var pki = try Self.made.get()
        for serial: [UInt8] in [[0x64], [0x7F], [], [UInt8](repeating: 0x7F, count: 30)] {
            #expect(throws: DevelopmentPKIError.unknownSerial) {
                try pki.revoke(serial: serial, of: .jma, reason: nil, at: now)
            }
        }
        #expect(throws: DevelopmentPKIError.self) {
            _ = try pki.issue(director, publicKey: [0x30, 0x00], by: .jma, now: now)
        }
    }

    @Test func `a holder's key on P-256 is certified too`() throws {
        var pki = try Self.made.get()
        let leaf = try pki.issue(director, publicKey: DevelopmentKey.p256().subjectPublicKeyInfo, by: .jma, now: now)
        #expect(leaf.publicKey.kind == .p256)
    }

    @Test func `a request is certified when it is signed by its own key alone`() throws {
        var pki = try Self.made.get()
        let key = try DevelopmentKey.make(.p384)
        let request = CertificationRequest(
            subjectPublicKeyInfo: key.subjectPublicKeyInfo,
            subject: try CertificationSubject.name(romajiName: "Someone Else", identifier: "x"),
            algorithm: .ecdsaP384SHA384)
        let der = request.assembled(with: try key.value(over: request.bytesToSign, by: .ecdsaP384SHA384))
        let leaf = try pki.issue(request: der, profile: director, by: .jpa, now: now, years: 2)
        #expect(leaf.publicKey.keyType == .p384)
        #expect(leaf.commonName == director.romajiName)
        #expect(leaf.notAfter.rfc3339 == "2028-09-21T14:59:59Z")
        var other = der
        other[other.count - 1] ^= 1
        #expect(throws: DevelopmentPKIError.badRequest(.badSignature(.mismatch))) {
            try pki.issue(request: other, profile: director, by: .jpa, now: now)
        }
        let next = try pki.issue(request: der, profile: director, by: .jpa, now: now)
        #expect((leaf.serialHex, next.serialHex) == ("65", "66"))
    }

    @Test func `openssl accepts an authority's client certificate as a client's and not as a server's`() throws {
        let pki = try Self.made.get()
        let client = try pki.clientCertificate(of: .medis, random: random, now: now)
        let server = try pki.serverCertificate(random: random, now: now)
        let files = ["ca.pem": server.authorityPEM, "client.pem": client.certificatePEM, "key.pem": client.keyPEM]
        try withFiles(files.mapValues { Array($0.utf8) }) { folder in
            for (purpose, isGood) in [("sslclient", true), ("sslserver", false)] {
                let result = try openssl([
                    "verify", "-x509_strict", "-purpose", purpose, "-attime", "\(now.seconds)", "-CAfile",
                    "\(folder)/ca.pem", "\(folder)/client.pem",
                ])
                #expect(result.isContent == isGood, "\(result.text)")
            }
            let inCertificate = try openssl(["x509", "-in", "\(folder)/client.pem", "-noout", "-pubkey"])
            let ofKey = try openssl(["pkey", "-in", "\(folder)/key.pem", "-pubout"])
            #expect(inCertificate.text == ofKey.text)
        }
        let names = try Set(
            DevelopmentPKI.Authority.allCases.map {
                let pem = try pki.clientCertificate(of: $0, random: random, now: now).certificatePEM
                return try #require(try HPKICertificate.read(file: Array(pem.utf8)).first).subject
            })
        #expect(names.count == 3)
    }

    @Test func `openssl accepts the server's certificate for localhost and 127_0_0_1`() throws {
        let server = try Self.made.get().serverCertificate(random: random, now: now)
        let files = ["ca.pem": server.authorityPEM, "chain.pem": server.chainPEM, "key.pem": server.keyPEM]
        try withFiles(files.mapValues { Array($0.utf8) }) { folder in
            let hosts = ["localhost", "hpki.localhost", "jpki.localhost"].map { ["-verify_hostname", $0] }
            for name in hosts + [["-verify_ip", "127.0.0.1"]] {
                let result = try openssl(
                    ["verify", "-x509_strict", "-purpose", "sslserver", "-attime", "\(now.seconds)"] + name
                        + ["-CAfile", "\(folder)/ca.pem", "\(folder)/chain.pem"])
                #expect(result.isContent, "\(result.text)")
            }
            let other = try openssl([
                "verify", "-attime", "\(now.seconds)", "-verify_hostname", "example.org", "-CAfile",
                "\(folder)/ca.pem", "\(folder)/chain.pem",
            ])
            #expect(!other.isContent)
            let inCertificate = try openssl(["x509", "-in", "\(folder)/chain.pem", "-noout", "-pubkey"])
            let ofKey = try openssl(["pkey", "-in", "\(folder)/key.pem", "-pubout"])
            #expect(inCertificate.text == ofKey.text)
        }
    }
}
