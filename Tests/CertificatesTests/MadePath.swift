import Certificates
import Development
import HPKI

/// Authorities and certificates made for one test, each by its name and its extensions; all keys are on P-256.
struct MadePath {
    /// A certificate and the key it is about.
    struct Member {
        let certificate: HPKICertificate
        let key: DevelopmentKey
    }

    let root: Member
    private static let life = (noon.adding(seconds: -86_400), noon.adding(seconds: 86_400 * 365))

    /// A root, with the extensions given beside those of every authority.
    init(rootExtensions: [[UInt8]] = []) throws {
        let key = DevelopmentKey.p256()
        root = Member(
            certificate: try Self.make(
                Self.name("Root"), key, by: nil, Extensions.authority(), Self.authorityUsage, rootExtensions),
            key: key)
    }

    static let authorityUsage = Extensions.keyUsage([.keyCertSign, .cRLSign])

    /// `CN=name`.
    static func name(_ name: String) -> [UInt8] {
        DER.sequence(DER.set(of: [DER.sequence(DER.objectIdentifier(OID.commonName), DER.utf8String(name))]))
    }

    /// An authority below another, or below the root.
    func authority(
        _ name: String, by issuer: Member? = nil, serial: UInt8 = 2, usage: [UInt8] = MadePath.authorityUsage,
        _ extensions: [[UInt8]] = []
    ) throws -> Member {
        let key = DevelopmentKey.p256()
        let certificate = try Self.make(
            Self.name(name), key, by: issuer ?? root, serial: serial, Extensions.authority(), usage, extensions)
        return Member(certificate: certificate, key: key)
    }

    /// A holder's certificate below an authority.
    func leaf(
        by issuer: Member, subject: [UInt8] = MadePath.name("Holder"), serial: UInt8 = 9, _ extensions: [[UInt8]] = []
    ) throws -> HPKICertificate {
        try Self.make(
            subject, .p256(), by: issuer, serial: serial, Extensions.keyUsage(.digitalSignature), [], extensions)
    }

    private static func make(
        _ subject: [UInt8], _ key: DevelopmentKey, by issuer: Member?, serial: UInt8 = 1, _ first: [UInt8],
        _ second: [UInt8], _ extensions: [[UInt8]]
    ) throws -> HPKICertificate {
        let template = CertificateTemplate(
            serialNumber: [serial], issuer: issuer?.certificate.subject.der ?? subject, subject: subject,
            notBefore: life.0, notAfter: life.1, publicKey: key.subjectPublicKeyInfo,
            extensions: [first] + (second.isEmpty ? [] : [second]) + extensions)
        return try HPKICertificate(der: try template.signed(by: issuer?.key ?? key))
    }

    /// A list by `signer` in the name of `issuer`; entries by serial number and reason.
    func list(
        by signer: Member, issuer: Member? = nil, number: UInt64 = 1, revoked: [(UInt8, RevocationReason)] = [],
        at: Instant = noon.adding(seconds: -3600), _ extensions: [[UInt8]] = []
    ) throws -> [UInt8] {
        let entries = revoked.map {
            CertificateRevocationList.Entry(serialNumber: [$0.0], revokedAt: at, reason: $0.1)
        }
        return try RevocationListTemplate(
            issuer: (issuer ?? signer).certificate.subject.der, thisUpdate: at,
            nextUpdate: at.adding(seconds: 86_400), entries: entries,
            extensions: [Extensions.crlNumber(number)] + extensions
        ).signed(by: signer.key)
    }

    /// What judging says, with these authorities and lists known; revocation is looked at where there are lists.
    func fault(
        _ leaf: HPKICertificate, through authorities: [Member], lists: [[UInt8]]? = nil,
        _ change: (inout PathRequirements) -> Void = { _ in }
    ) throws -> PathFault? {
        var requirements = PathRequirements(
            acceptablePolicies: [], keyUsage: .digitalSignature, keyUsageIsExact: false,
            revocation: lists == nil ? .notChecked : .required)
        change(&requirements)
        let known = authorities.map(\.certificate)
        var store = CRLStore()
        for list in lists ?? [] { store = try store.adding(list, issuers: [root.certificate] + known) }
        return PathValidator(
            trust: TrustStore(anchors: [root.certificate], intermediates: known), crls: store,
            requirements: requirements
        ).judge(leaf, at: noon).fault
    }
}
