import Certificates
import Development
import Formats
import HPKI
import Testing

@Suite struct CertificationRequestTests {
    private func request(_ key: DevelopmentKey, _ algorithm: SignatureAlgorithm) throws -> [UInt8] {
        let request = CertificationRequest(
            subjectPublicKeyInfo: key.subjectPublicKeyInfo,
            subject: try CertificationSubject.name(romajiName: "Hanako Tameshi", identifier: "dev-0001"),
            algorithm: algorithm)
        return request.assembled(with: try key.value(over: request.bytesToSign, by: algorithm))
    }

    private static let cases = KeyType.allCases.flatMap { type in type.algorithms.map { (type, $0) } }

    @Test(arguments: cases)
    func `a request proves its key with every type and algorithm`(
        type: KeyType, algorithm: SignatureAlgorithm
    ) throws {
        let key = try DevelopmentKey.make(type)
        let der = try request(key, algorithm)
        let read = try ProvenCertificationRequest(der: der)
        #expect(read.publicKey.subjectPublicKeyInfo == key.subjectPublicKeyInfo)
        #expect(read.subject.text == "C=JP, CN=Hanako Tameshi, serialNumber=dev-0001")
        let pem = Array(PEM.encode(der, label: "CERTIFICATE REQUEST").utf8)
        #expect(try ProvenCertificationRequest.read(file: pem) == read)
        #expect(try ProvenCertificationRequest.read(file: der) == read)
        #expect(throws: CertificationRequestError.invalidPEM) {
            _ = try ProvenCertificationRequest.read(file: pem + pem)
        }
    }

    @Test func `a request signed by another key proves nothing`() throws {
        let (own, other) = (DevelopmentKey.p256(), DevelopmentKey.p256())
        let request = CertificationRequest(
            subjectPublicKeyInfo: own.subjectPublicKeyInfo,
            subject: try CertificationSubject.name(romajiName: "A", identifier: "1"), algorithm: .ecdsaP256SHA256)
        let foreign = request.assembled(with: try other.value(over: request.bytesToSign, by: .ecdsaP256SHA256))
        #expect(throws: CertificationRequestError.badSignature(.mismatch)) {
            _ = try ProvenCertificationRequest(der: foreign)
        }
        // An algorithm of another kind of key.
        let misnamed = CertificationRequest(
            subjectPublicKeyInfo: own.subjectPublicKeyInfo,
            subject: try CertificationSubject.name(romajiName: "A", identifier: "1"), algorithm: .rsaPKCS1SHA256
        ).assembled(with: [1])
        #expect(throws: CertificationRequestError.badSignature(.wrongKey)) {
            _ = try ProvenCertificationRequest(der: misnamed)
        }
    }

    @Test func `every truncation is refused, and no mutation proves another key or subject`() throws {
        let original = try request(.p256(), .ecdsaP256SHA256)
        for count in 0..<original.count {
            #expect(throws: CertificationRequestError.self) {
                _ = try ProvenCertificationRequest(der: Array(original[..<count]))
            }
        }
        #expect(throws: CertificationRequestError.self) { _ = try ProvenCertificationRequest(der: original + [0]) }
        #expect(throws: CertificationRequestError.tooLarge) {
            _ = try ProvenCertificationRequest(der: [UInt8](repeating: 0x30, count: 16_385))
        }
        var random = Seeded(29)
        var wellFormed = 0
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
            do throws(CertificationRequestError) {
                _ = try ProvenCertificationRequest(der: bytes)
                Issue.record("a changed request was taken: \(Hex.encode(bytes))")
            } catch .badSignature {
                wellFormed += 1
            } catch {}
        }
        #expect(wellFormed > 500)
    }

    @Test func `attributes are bounded and must be well-formed`() throws {
        let key = DevelopmentKey.p256()
        func signed(_ attributes: [UInt8], version: UInt64 = 0) throws -> [UInt8] {
            let info = DER.sequence(
                DER.integer(version), DER.sequence(), key.subjectPublicKeyInfo, DER.value(.context(0), attributes))
            return DER.sequence(info, key.algorithmIdentifier, DER.bitString(try key.signature(over: info)))
        }
        let attribute = DER.sequence(DER.objectIdentifier("1.2.840.113549.1.9.14"), DER.set(of: []))
        _ = try ProvenCertificationRequest(der: try signed(attribute))
        for (bad, fault) in [
            (try signed(Array([[UInt8]](repeating: attribute, count: 17).joined())), DERError.tooMany),
            (try signed([0x05, 0x00]), .unexpectedTag), (try signed([], version: 2), .invalidValue),
        ] {
            #expect(throws: CertificationRequestError.malformed(fault)) {
                _ = try ProvenCertificationRequest(der: bad)
            }
        }
    }
}
