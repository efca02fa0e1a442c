import Certificates
import Development
import Formats
import HPKI
import Testing

/// A holder of the development PKI, its time-stamping authority, and one content.
struct CAdESScene {
    static let noon = Instant(seconds: 1_790_000_000)
    static let random = Random { [UInt8](repeating: 0x5A, count: $0) }
    static let content = Array("処方箋\n".utf8) + (0..<200).map { UInt8($0) }
    /// A whole OCSPResponse, though a refusal: what it says is not looked at here.
    static let ocspResponse = DER.sequence(DER.value(.enumerated, [6]))

    /// With the holder's certificate issued.
    let pki: DevelopmentPKI
    let algorithm: SignatureAlgorithm
    let key: DevelopmentKey
    let certificate: HPKICertificate
    let authority: DevelopmentTimeStampAuthority
    let root: HPKICertificate
    let intermediates: [HPKICertificate]
    let material: ValidationMaterial

    /// A holder of `pki`, or of one made for the occasion.
    init(
        _ type: KeyType = .p256, _ algorithm: SignatureAlgorithm? = nil, pki given: DevelopmentPKI? = nil
    ) throws {
        let dayBefore = Self.noon.adding(seconds: -86_400)
        var pki = try given ?? DevelopmentPKI.create(random: Self.random, now: dayBefore)
        var authority = try pki.timeStampAuthority(now: dayBefore)
        key = try DevelopmentKey.make(type)
        self.algorithm = try #require(algorithm ?? type.algorithms.first)
        let holder = HolderProfile(
            romajiName: "Hanako Tameshi", japaneseName: "試し　花子", identifier: "dev-0001", roles: [.medicalDoctor])
        certificate = try pki.issue(holder, publicKey: key.subjectPublicKeyInfo, by: .medis, now: Self.noon)
        let lists = try Array(pki.crls(now: Self.noon).values) + [authority.crl(now: Self.noon)]
        self.pki = pki
        root = pki.root
        intermediates = pki.trustStore.intermediates + [authority.authorityCertificate]
        self.authority = authority
        material = ValidationMaterial(
            certificates: (intermediates + [root]).map(\.der), crls: lists, ocspResponses: [Self.ocspResponse])
    }

    /// B-B, without any certificate but the signer's.
    func baseline(attached: Bool) throws -> [UInt8] {
        let signature = try CAdESSignature(
            contentDigest: Digest(of: Self.content, by: algorithm.digestAlgorithm), certificate: certificate,
            signingTime: Self.noon, algorithm: algorithm)
        let value = try key.value(over: signature.bytesToSign, by: algorithm)
        return try signature.assemble(value: value, content: attached ? Self.content : nil)
    }

    /// The authority's time stamp of these octets.
    func token(over imprint: Digest, secondsLater: Int64) throws -> [UInt8] {
        let request = TimeStampRequest(for: imprint, random: Self.random)
        let answer = authority.answer(
            request.der, random: Self.random, now: Self.noon.adding(seconds: secondsLater))
        return try TimeStampResponse(der: answer).token.der
    }

    func withSignatureTimeStamp(_ bytes: [UInt8], signer: Int = 0) throws -> [UInt8] {
        let step = try CAdESAugmentation(bytes, signer: signer)
        let imprint = Digest(of: step.signatureTimeStampOctets, by: .sha512)
        return try step.adding(signatureTimeStamp: token(over: imprint, secondsLater: 60))
    }

    func withArchiveTimeStamp(
        _ bytes: [UInt8], by function: DigestAlgorithm = .sha256, signer: Int = 0, secondsLater: Int64 = 3600
    ) throws -> [UInt8] {
        let step = try CAdESAugmentation(bytes, signer: signer)
        let input = try step.archiveTimeStamp(by: function, contentDigest: Digest(of: Self.content, by: function))
        return try step.adding(
            archiveTimeStamp: token(over: input.imprint, secondsLater: secondsLater), input)
    }

    /// The signature at every level.
    func levels(attached: Bool, archivedBy function: DigestAlgorithm = .sha256) throws -> [SignatureLevel: [UInt8]] {
        let b = try baseline(attached: attached)
        let t = try withSignatureTimeStamp(b)
        let lt = try CAdESAugmentation(t).adding(material)
        return [.bB: b, .bT: t, .bLT: lt, .bLTA: try withArchiveTimeStamp(lt, by: function)]
    }
}
