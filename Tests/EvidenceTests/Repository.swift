import Certificates
import Development
import Evidence
import HPKI
import Outbound
import Synchronization
import Testing

/// A root, a holder's certificate that names places, and what is published at them.
final class Repository: Sendable {
    let root: HPKICertificate
    let rootKey = DevelopmentKey.p256()
    let leaf: HPKICertificate
    let server: TinyAuthority
    let scratch: Scratch
    let moved = MovedClock()
    private let published: Published

    private final class Published: Sendable {
        let reply = Mutex<@Sendable (String, [UInt8]) -> TinyAuthority.Reply>({ _, _ in .silence })
    }

    /// A certificate that names the server's `/list.crl` and, where asked, its `/ocsp`.
    init(ocsp: Bool = false, host: String = "127.0.0.1") async throws {
        let published = Published()
        self.published = published
        server = try await TinyAuthority { path, body in published.reply.withLock { $0 }(path, body) }
        scratch = try Scratch()
        root = try Self.certificate(
            "Root", rootKey, serial: 1, by: ("Root", rootKey),
            [Extensions.authority(), Extensions.keyUsage([.keyCertSign, .cRLSign])])
        let places = "http://\(host):\(server.port)"
        let responder = DER.sequence(
            DER.sequence(
                DER.objectIdentifier(OID.ocsp), DER.value(.contextPrimitive(6), Array("\(places)/ocsp".utf8))))
        leaf = try Self.certificate(
            "Holder", .p256(), serial: 9, by: ("Root", rootKey),
            [Extensions.keyUsage(.nonRepudiation), Extensions.distributionPoints(uri: "\(places)/list.crl")]
                + (ocsp ? [Extensions.plain(OID.authorityInfoAccess, responder)] : []))
    }

    static func name(_ name: String) -> [UInt8] {
        DER.sequence(DER.set(of: [DER.sequence(DER.objectIdentifier(OID.commonName), DER.utf8String(name))]))
    }

    static func certificate(
        _ subject: String, _ key: DevelopmentKey, serial: UInt8, by issuer: (name: String, key: DevelopmentKey),
        _ extensions: [[UInt8]]
    ) throws -> HPKICertificate {
        let template = CertificateTemplate(
            serialNumber: [serial], issuer: name(issuer.name), subject: name(subject),
            notBefore: noon.adding(seconds: -86_400), notAfter: noon.adding(seconds: 86_400 * 30),
            publicKey: key.subjectPublicKeyInfo, extensions: extensions)
        return try HPKICertificate(der: try template.signed(by: issuer.key))
    }

    /// A list by the root, or in its name by `key`.
    func list(
        number: UInt64 = 1, at: Instant = noon.adding(seconds: -60), validSeconds: Int64 = 96 * 3600,
        revoked: [UInt8] = [], key: DevelopmentKey? = nil
    ) throws -> [UInt8] {
        try RevocationListTemplate(
            issuer: root.subject.der, thisUpdate: at, nextUpdate: at.adding(seconds: validSeconds),
            entries: revoked.map { .init(serialNumber: [$0], revokedAt: at, reason: .keyCompromise) },
            extensions: [Extensions.crlNumber(number)]
        ).signed(by: key ?? rootKey)
    }

    /// An answer by OCSP that the leaf is good, signed by the root, or in its name by `key`.
    func answer(key: DevelopmentKey? = nil, status: [UInt8] = DER.value(.contextPrimitive(0), [])) throws -> [UInt8] {
        func time(_ instant: Instant) -> [UInt8] {
            DER.value(.generalizedTime, [0x32, 0x30] + DER.time(instant).dropFirst(2))
        }
        let id = OCSPCertificateID(of: leaf, issuedBy: root, hash: .sha1)
        let single = DER.sequence(
            id.der, status, time(noon.adding(seconds: -60)), DER.explicit(0, time(noon.adding(seconds: 86_400))))
        let toBeSigned = DER.sequence(
            DER.explicit(2, DER.octetString(root.publicKey.keyIdentifier)), time(noon.adding(seconds: -60)),
            DER.sequence(single))
        let basic = DER.sequence(
            toBeSigned, rootKey.algorithmIdentifier,
            DER.bitString(try (key ?? rootKey).signature(over: toBeSigned)))
        return DER.sequence(
            DER.value(.enumerated, [0]),
            DER.explicit(0, DER.sequence(DER.objectIdentifier(OID.ocspBasic), DER.octetString(basic))))
    }

    /// Publishes the list at the place that the certificate names.
    func publish(_ list: [UInt8]) {
        respond { _, _ in .bytes(list, type: "application/pkix-crl") }
    }

    func respond(_ reply: @escaping @Sendable (String, [UInt8]) -> TinyAuthority.Reply) {
        published.reply.withLock { $0 = reply }
    }

    /// A finder with nothing at hand but what the folder keeps.
    func data(
        crls: CRLStore = CRLStore(), isPrivateAllowed: Bool = true,
        _ change: (inout RevocationSettings) -> Void = { _ in }
    ) throws -> RevocationData {
        var settings = RevocationSettings(folder: scratch.folder)
        settings.timeoutSeconds = 120
        change(&settings)
        let realm = TrustRealm(trust: TrustStore(anchors: [root]), crls: crls)
        return RevocationData(
            settings, realms: { [realm] },
            outbound: try Outbound(
                rules: OutboundRules(allowPrivateAddresses: isPrivateAllowed, allowHTTP: true, redirects: 2)),
            clock: moved.clock, random: random)
    }

    /// What a finder says of the places that gave nothing.
    func problems(_ data: RevocationData, at instant: Instant = noon) async -> [String] {
        do throws(EvidenceError) {
            _ = try await data.material(for: leaf, at: instant)
            return []
        } catch {
            guard case .revocationUnavailable(_, let problems) = error else { return ["\(error)"] }
            return problems
        }
    }
}
