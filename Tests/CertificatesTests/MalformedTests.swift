import Certificates
import Development
import Foundation
import HPKI
import Testing

/// Hostile bytes: an error or a value, never a trap or a hang.
@Suite struct MalformedTests {
    private func certificate() throws -> [UInt8] {
        var pki = try Shared.pki.get()
        return try pki.issue(
            doctor, publicKey: try Shared.holderKey.get().subjectPublicKeyInfo, by: .medis, now: noon
        ).der
    }

    private func list() throws -> [UInt8] {
        var pki = try Shared.pki.get()
        for _ in 0..<5 {
            let made = try pki.issue(
                doctor, publicKey: try Shared.holderKey.get().subjectPublicKeyInfo, by: .medis, now: noon)
            try pki.revoke(serial: made.serialNumber, of: .medis, reason: .superseded, at: noon)
        }
        return try #require(try pki.crls(now: noon)["development-medis.crl"])
    }

    @Test func `every truncation of a certificate and of a list is refused`() throws {
        let certificate = try certificate()
        for count in 0..<certificate.count {
            #expect(throws: CertificateError.self) { _ = try HPKICertificate(der: Array(certificate[..<count])) }
        }
        let list = try list()
        for count in 0..<list.count {
            #expect(throws: CRLError.self) { _ = try CertificateRevocationList(der: Array(list[..<count])) }
        }
        #expect(throws: CertificateError.self) { _ = try HPKICertificate(der: certificate + [0]) }
        #expect(throws: CRLError.self) { _ = try CertificateRevocationList(der: list + [0]) }
    }

    @Test func `five thousand mutations of each are read or refused, and none verifies`() throws {
        let pki = try Shared.pki.get()
        let issuer = try pki.certificate(of: .medis)
        var random = Seeded(20)
        var read = 0
        for (original, isList) in [(try certificate(), false), (try list(), true)] {
            for _ in 0..<5000 {
                var bytes = original
                for _ in 0...random.below(3) {
                    let place = random.below(bytes.count)
                    switch random.below(4) {
                    case 0: bytes[place] ^= 1 << UInt8(random.below(8))
                    case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                    case 2: bytes.remove(at: place)
                    default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                    }
                }
                guard bytes != original else { continue }
                if isList {
                    guard let list = try? CertificateRevocationList(der: bytes) else { continue }
                    read += 1
                    _ = list.entry(for: [0x65])
                    #expect(throws: SignatureError.self) { try list.verifySignature(by: issuer.publicKey) }
                } else {
                    guard let certificate = try? HPKICertificate(der: bytes) else { continue }
                    read += 1
                    _ = certificate.subject.text
                    #expect(throws: SignatureError.self) { try certificate.verifySignature(by: issuer.publicKey) }
                }
            }
        }
        // The test is about both outcomes: many mutations fall into texts, keys and signatures.
        #expect(read > 500)
        print("mutations: \(read) of 10000 were read, none verified")
    }

    @Test func `every bit flipped in a certificate breaks it`() throws {
        let issuer = try Shared.pki.get().certificate(of: .medis)
        let original = try certificate()
        for place in original.indices {
            var bytes = original
            bytes[place] ^= 1 << UInt8(place % 8)
            guard let certificate = try? HPKICertificate(der: bytes) else { continue }
            #expect(throws: SignatureError.self) { try certificate.verifySignature(by: issuer.publicKey) }
        }
    }

    @Test func `a certificate that is too large is refused before it is read`() {
        #expect(throws: CertificateError.tooLarge) {
            _ = try HPKICertificate(der: [UInt8](repeating: 0x30, count: 65_537))
        }
    }

    @Test func `openssl's certificates are read or refused`() throws {
        guard let folder = vectors(#function) else { return }
        let base = "\(folder)/openssl/test/certs"
        var read = 0
        var refused: [String: Int] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: base).sorted() where name.hasSuffix(".pem") {
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: "\(base)/\(name)")))
            do {
                read += try HPKICertificate.read(file: bytes).count
            } catch {
                refused["\(error)", default: 0] += 1
            }
        }
        #expect(read > 100)
        print("openssl test/certs: \(read) certificates read, refused: \(refused.sorted { $0.key < $1.key })")
    }

    @Test func `the same extension twice is refused`() throws {
        let pki = try Shared.pki.get()
        var template = try pki.template(
            doctor, publicKey: try Shared.holderKey.get().subjectPublicKeyInfo, by: .medis, now: noon)
        template.extensions.append(Extensions.keyUsage(.nonRepudiation))
        let der = try template.signed(by: try pki.key(of: .medis))
        #expect(throws: CertificateError.duplicateExtension(OID.keyUsage)) { _ = try HPKICertificate(der: der) }
    }
}
