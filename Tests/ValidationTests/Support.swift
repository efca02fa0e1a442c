import Certificates
import Crypto
import Development
import Formats
import HPKI
import Testing
import Validation
import XML

/// A development PKI with one doctor and one pharmacist, and documents that they signed.
struct World {
    static let now = Instant(seconds: 1_790_000_000)
    static let shared = Result { try World() }

    var pki: DevelopmentPKI
    let doctor: Signer
    let pharmacist: Signer
    let nurse: Signer

    struct Signer {
        let key: DevelopmentKey
        let certificate: HPKICertificate
    }

    init() throws {
        var pki = try DevelopmentPKI.create(random: Random { Array(repeating: 7, count: $0) }, now: Self.now)
        func signer(_ roles: [HCRole]) throws -> Signer {
            let key = try DevelopmentKey.rsa2048()
            let profile = HolderProfile(
                romajiName: "Umino Haruka", japaneseName: "海野 はるか", identifier: "000001", roles: roles)
            return Signer(
                key: key,
                certificate: try pki.issue(profile, publicKey: key.subjectPublicKeyInfo, by: .medis, now: Self.now))
        }
        doctor = try signer([.medicalDoctor])
        pharmacist = try signer([.pharmacist])
        nurse = try signer([HCRole("General Nurse")])
        self.pki = pki
    }

    func validator() throws -> SignatureValidator {
        var pki = pki
        return SignatureValidator(trust: pki.trustStore, crls: try Self.lists(&pki))
    }

    static func lists(_ pki: inout DevelopmentPKI) throws -> CRLStore {
        var store = CRLStore()
        for list in try pki.crls(now: now).values {
            store = try store.adding(list, issuers: pki.trustStore.anchors + pki.trustStore.intermediates)
        }
        return store
    }

    func sign(
        _ document: UnsignedDocument, by signer: Signer, at time: Instant = now,
        algorithm: SignatureAlgorithm = .rsaPKCS1SHA256
    ) throws -> [UInt8] {
        let id = document.form == .prescription ? "PrescriptionDocument" : "Dispensing"
        let element = try #require(try XMLDocument(parsing: document.unsigned).element(id: id))
        let signature = try PrescriptionSignature(
            form: document.form, dataDigest: Digest(of: Canonicalization.inclusive10.canonicalize(element)),
            certificate: signer.certificate.der, signingTime: time, algorithm: algorithm)
        let value = try signer.key.value(over: signature.bytesToSign, by: algorithm)
        return document.signed(with: signature.assemble(value: value))
    }

    func prescription(
        by signer: Signer? = nil, at time: Instant = now, algorithm: SignatureAlgorithm = .rsaPKCS1SHA256
    ) throws -> [UInt8] {
        try sign(
            DocumentTemplate.prescription(csv: Array("SJ1\n11,000000000000204,若松　千尋\n".utf8)),
            by: signer ?? doctor, at: time, algorithm: algorithm)
    }

    func dispensing(by signer: Signer? = nil, of prescription: [UInt8]? = nil) throws -> [UInt8] {
        let inner = try XMLDocument(parsing: try prescription ?? self.prescription())
        let element = try #require(inner.root.firstChild("Prescription", ""))
        return try sign(
            DocumentTemplate.dispensing(
                prescriptionContent: inner.bytes[element.contentRange], csv: Array("CJ1,\n".utf8)),
            by: signer ?? pharmacist)
    }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }

    func replacing(_ old: String, _ new: String) -> [UInt8] {
        #expect(text.contains(old))
        return Array(text.replacing(old, with: new, maxReplacements: 1).utf8)
    }
}
