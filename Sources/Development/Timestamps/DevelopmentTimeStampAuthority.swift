package import Certificates
internal import Foundation
package import HPKI

/// A time-stamping authority in software below the development root: for demonstrations and tests, without a network.
///
/// Its time is that of whoever calls, so it proves nothing to anybody but them; its names say DEVELOPMENT.
package struct DevelopmentTimeStampAuthority: Sendable {
    /// The policy under which it makes time stamps: an arc for examples (X.660), which no other authority has.
    package static let policy = "2.999.3161.1"
    /// What it promises: one second.
    package static let accuracySeconds: UInt64 = 1
    private static let listName = "development-tsa.crl"
    private static let authoritySerial: [UInt8] = [5]
    private static let unitSerial: UInt64 = 101

    /// The certificate that signs time stamps.
    package let certificate: HPKICertificate
    /// Its key, with which tests make bad time stamps.
    package let key: DevelopmentKey
    private var issuer: DevelopmentAuthority

    /// The certificate of the authority that certifies the one for time stamps; the development root certifies it.
    package var authorityCertificate: HPKICertificate { issuer.certificate }

    /// Makes both keys and certificates.
    init(
        under root: DevelopmentAuthority, settings: DevelopmentPKI.Settings, now: Instant
    ) throws(DevelopmentPKIError) {
        let authorityKey = DevelopmentKey.p256()
        let validity = DevelopmentPKI.validity(from: now, years: 20)
        let authority = CertificateTemplate(
            serialNumber: Self.authoritySerial, issuer: root.certificate.subject.der,
            subject: Self.name("DEVELOPMENT Time-Stamping CA"), notBefore: validity.from, notAfter: validity.to,
            publicKey: authorityKey.subjectPublicKeyInfo,
            extensions: [
                Extensions.authorityKeyIdentifier(of: root.certificate),
                Extensions.subjectKeyIdentifier(try DevelopmentPKI.keyIdentifier(authorityKey)),
                Extensions.authority(pathLength: 0),
                Extensions.keyUsage([.keyCertSign, .cRLSign]),
                Extensions.distributionPoints(
                    directoryName: DevelopmentPKI.listPlace("SARL"),
                    uri: "\(settings.repository)/\(DevelopmentPKI.rootListName)"),
            ])
        issuer = DevelopmentAuthority(
            certificate: try DevelopmentPKI.read(try authority.signed(by: root.key)), key: authorityKey,
            firstSerial: Self.unitSerial)
        let key = DevelopmentKey.p256()
        let template = try Self.template(key, by: issuer.certificate, settings: settings, now: now)
        certificate = try DevelopmentPKI.read(try template.signed(by: authorityKey))
        self.key = key
    }

    /// What certifies a key for time stamps, for tests that change a field first.
    package func template(
        _ key: DevelopmentKey, settings: DevelopmentPKI.Settings = DevelopmentPKI.Settings(), now: Instant
    ) throws(DevelopmentPKIError) -> CertificateTemplate {
        try Self.template(key, by: issuer.certificate, settings: settings, now: now)
    }

    /// The key of the authority above, with which tests make bad certificates.
    package var authorityKey: DevelopmentKey { issuer.key }

    private static func template(
        _ key: DevelopmentKey, by authority: HPKICertificate, settings: DevelopmentPKI.Settings, now: Instant
    ) throws(DevelopmentPKIError) -> CertificateTemplate {
        let validity = DevelopmentPKI.validity(from: now, years: 10)
        return CertificateTemplate(
            serialNumber: DevelopmentPKI.octets(unitSerial), issuer: authority.subject.der,
            subject: name("DEVELOPMENT Time-Stamping Unit"), notBefore: validity.from, notAfter: validity.to,
            publicKey: key.subjectPublicKeyInfo,
            extensions: [
                Extensions.authorityKeyIdentifier(of: authority),
                Extensions.subjectKeyIdentifier(try DevelopmentPKI.keyIdentifier(key)),
                Extensions.keyUsage(.digitalSignature),
                // Critical and alone (RFC 3161 §2.3).
                Extensions.critical(OID.extKeyUsage, DER.sequence(DER.objectIdentifier(OID.timeStamping))),
                Extensions.distributionPoints(uri: "\(settings.repository)/\(listName)"),
            ])
    }

    private static func name(_ commonName: String) -> [UInt8] {
        NameEncoding.encode([
            (oid: OID.countryName, value: "JP"), (oid: OID.organizationName, value: "Shirushi Development"),
            (oid: OID.organizationalUnitName, value: "DEVELOPMENT ONLY"), (oid: OID.commonName, value: commonName),
        ])
    }

    /// The current list of the authority above, in DER; the root's own lists are `DevelopmentPKI.crls`.
    package mutating func crl(now: Instant) throws(DevelopmentPKIError) -> [UInt8] { try issuer.list(now: now) }

    /// Revokes the certificate that signs time stamps; the next list has it.
    package mutating func revoke(reason: RevocationReason?, at instant: Instant) {
        issuer.revoked.append(
            .init(serialNumber: certificate.serialNumber, revokedAt: instant.wholeSecond, reason: reason))
    }
}

extension DevelopmentTimeStampAuthority {
    private struct State: Codable {
        let issuer: DevelopmentAuthorityState
        let certificate: String
        let privateKey: String
    }

    /// Everything, private keys included, as JSON; the caller keeps it in a file that only the owner can read.
    package func serialized() throws(DevelopmentPKIError) -> [UInt8] {
        let state = State(
            issuer: DevelopmentAuthorityState(issuer), certificate: certificate.pem, privateKey: key.pem)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(state) else { throw .unreadableState }
        return Array(data)
    }

    /// Takes up what `serialized` gave; throws `.unreadableState`.
    package init(restoring state: [UInt8]) throws(DevelopmentPKIError) {
        guard let state = try? JSONDecoder().decode(State.self, from: Data(state)),
            let certificate = try? HPKICertificate.read(file: Array(state.certificate.utf8)).first
        else { throw .unreadableState }
        let key = try DevelopmentKey(pem: state.privateKey)
        guard key.subjectPublicKeyInfo == certificate.publicKey.subjectPublicKeyInfo else { throw .unreadableState }
        self.certificate = certificate
        self.key = key
        issuer = try state.issuer.restored()
    }
}
