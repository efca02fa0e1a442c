import Certificates
import Development
import Formats
import Fuzz
import HPKI
import Testing
import Validation
import XML

/// Authorities, three holders and the time-stamping authority.
struct MadeWorld {
    var pki: DevelopmentPKI
    var timeStamps: DevelopmentTimeStampAuthority
    let doctor: Signer
    let pharmacist: Signer
    let nurse: Signer
    /// `SignedParts` of all that was signed and stamped, as far as it was remembered.
    private(set) var signed: Set<Digest> = []

    static let random = Random { [UInt8](repeating: 0x5A, count: $0) }

    struct Signer {
        let key: DevelopmentKey
        let certificate: HPKICertificate
    }

    private static let profile = HolderProfile(
        romajiName: "Hanako Tameshi", japaneseName: "試し　花子", identifier: "dev-0001", roles: [.medicalDoctor],
        organization: "TAMESHI HOSPITAL", japaneseOrganization: "試し病院")

    init() throws {
        let before = fuzzMoment.adding(seconds: -86_400)
        var pki = try DevelopmentPKI.create(random: Self.random, now: before)
        func signer(_ role: HCRole, _ key: DevelopmentKey) throws -> Signer {
            let profile = HolderProfile(
                romajiName: "Hanako Tameshi", japaneseName: "試し　花子", identifier: "dev-0002", roles: [role])
            return Signer(
                key: key,
                certificate: try pki.issue(profile, publicKey: key.subjectPublicKeyInfo, by: .medis, now: before))
        }
        doctor = try signer(.medicalDoctor, .rsa2048())
        pharmacist = try signer(.pharmacist, .rsa2048())
        nurse = try signer(HCRole("General Nurse"), .p256())
        timeStamps = try pki.timeStampAuthority(now: before)
        self.pki = pki
    }

    /// Takes what a signature of ours is over for genuine.
    mutating func remember(_ parts: [Digest]?) throws {
        let parts = try #require(parts)
        try #require(!parts.isEmpty)
        signed.formUnion(parts)
    }

    mutating func revokeOne() throws {
        let made = try pki.issue(
            Self.profile, publicKey: doctor.key.subjectPublicKeyInfo, by: .medis, now: fuzzMoment)
        try pki.revoke(serial: made.serialNumber, of: .medis, reason: .superseded, at: fuzzMoment)
    }

    /// A prescription, a dispensing result, and each with its data shown elsewhere.
    mutating func documents() throws -> [String: [UInt8]] {
        let prescription = try prescription()
        let dispensing = try dispensing(of: prescription)
        try remember(SignedParts.of(XMLDocument(parsing: dispensing)))
        try remember(SignedParts.of(XMLDocument(parsing: prescription)))
        func wrapped(_ bytes: [UInt8]) -> [UInt8] {
            let text = String(decoding: bytes, as: UTF8.self)
            return Array(text.replacing("<PrescriptionDocument id", with: "<PrescriptionDocument/>$0<a id").utf8)
        }
        return [
            "prescription": prescription, "dispensing": dispensing, "wrapped": wrapped(prescription),
            "wrapped-dispensing": wrapped(dispensing),
        ]
    }

    /// As many documents, half of them prescriptions and half dispensing results, of different lengths.
    func documents(count: Int) throws -> [[UInt8]] {
        try (0..<count).map { number in
            let prescription = try prescription(lines: number)
            return number % 2 == 0 ? prescription : try dispensing(of: prescription, lines: number)
        }
    }

    private func prescription(lines: Int = 0) throws -> [UInt8] {
        let more = (0..<lines).map { "201,\($0),薬\n" }.joined()
        return try sign(
            DocumentTemplate.prescription(csv: Array("SJ1\n11,000000000000204,若松　千尋\n\(more)".utf8)), by: doctor)
    }

    private func dispensing(of prescription: [UInt8], lines: Int = 0) throws -> [UInt8] {
        let inner = try XMLDocument(parsing: prescription)
        let element = try #require(inner.root.firstChild("Prescription", ""))
        let more = (0..<lines).map { "201,\($0)\n" }.joined()
        return try sign(
            DocumentTemplate.dispensing(
                prescriptionContent: inner.bytes[element.contentRange], csv: Array("CJ1,\n\(more)".utf8)),
            by: pharmacist)
    }

    /// Trust in the root, with its authorities' lists of the moment.
    mutating func validator() throws -> SignatureValidator {
        let trust = pki.trustStore
        var lists = CRLStore()
        for list in try pki.crls(now: fuzzMoment).values {
            lists = try lists.adding(list, issuers: trust.anchors + trust.intermediates)
        }
        return SignatureValidator(trust: trust, crls: lists)
    }

    private func sign(_ document: UnsignedDocument, by signer: Signer) throws -> [UInt8] {
        let id = document.form == .prescription ? "PrescriptionDocument" : "Dispensing"
        let element = try #require(try XMLDocument(parsing: document.unsigned).element(id: id))
        let signature = try PrescriptionSignature(
            form: document.form, dataDigest: Digest(of: Canonicalization.inclusive10.canonicalize(element)),
            certificate: signer.certificate.der, signingTime: fuzzMoment, algorithm: .rsaPKCS1SHA256)
        let value = try signer.key.signature(over: signature.bytesToSign)
        return document.signed(with: signature.assemble(value: value))
    }

    /// Answers about the doctor's certificate by its issuer, one for each status.
    func ocspAnswers() throws -> [String: [UInt8]] {
        let issuer = try pki.certificate(of: .medis)
        let id = OCSPCertificateID(of: doctor.certificate, issuedBy: issuer, hash: .sha256)
        let time = DER.value(.generalizedTime, [0x32, 0x30] + DER.time(fuzzMoment).dropFirst(2))
        let statuses = [
            "good": DER.value(.contextPrimitive(0), []), "unknown": DER.value(.contextPrimitive(2), []),
            "revoked": DER.value(.context(1), time + DER.explicit(0, [0x0A, 1, 1])),
        ]
        return try statuses.mapValues { status in
            let answer = DER.sequence(of: [id.der, status, time, DER.explicit(0, time)])
            let nonce = DER.sequence(Extensions.plain(OID.ocspNonce, DER.octetString([1, 2, 3])))
            let toBeSigned = DER.sequence(
                of: [
                    DER.explicit(2, DER.octetString(issuer.publicKey.keyIdentifier)), time, DER.sequence(answer),
                    DER.explicit(1, nonce),
                ])
            let key = try pki.key(of: .medis)
            let signature = try key.signature(over: toBeSigned)
            let basic = DER.sequence(
                of: [
                    toBeSigned, key.algorithmIdentifier, DER.bitString(signature),
                    DER.explicit(0, DER.sequence(of: [issuer.der])),
                ])
            return DER.sequence(
                DER.value(.enumerated, [0]),
                DER.explicit(0, DER.sequence(DER.objectIdentifier(OID.ocspBasic), DER.octetString(basic))))
        }
    }
}
