import Certificates
import HPKI

// The authorities' own certificates: names, lifetimes and extensions as the real ones have them.
extension DevelopmentPKI {
    static let firstHolderSerial: UInt64 = 101
    static let rootListName = "development-root-sarl.crl"
    static let ownListName = "development-root-rarl.crl"

    private static let rootNameAttributes = [
        (oid: OID.countryName, value: "JP"), (oid: OID.organizationName, value: "Shirushi Development"),
        (oid: OID.organizationalUnitName, value: "DEVELOPMENT ONLY"),
        (oid: OID.organizationalUnitName, value: "DEVELOPMENT HPKI Root CA"),
    ]

    /// The directory name of one of the root's lists: SARL for authorities below it, RARL for the root itself.
    static func listPlace(_ commonName: String) -> [UInt8] {
        NameEncoding.encode(rootNameAttributes + [(oid: OID.commonName, value: commonName)])
    }

    static func listName(_ authority: Authority) -> String { "development-\(authority.rawValue).crl" }

    static func makeRoot(_ settings: Settings, now: Instant) throws(DevelopmentPKIError) -> DevelopmentAuthority {
        let key = try DevelopmentKey.rsa2048()
        let name = NameEncoding.encode(rootNameAttributes)
        let validity = validity(from: now, years: 30)
        let identifier = try keyIdentifier(key)
        let template = CertificateTemplate(
            serialNumber: [1], issuer: name, subject: name, notBefore: validity.from, notAfter: validity.to,
            publicKey: key.subjectPublicKeyInfo,
            extensions: [
                Extensions.authorityKeyIdentifier(identifier, issuer: name, serialNumber: [1]),
                Extensions.subjectKeyIdentifier(identifier),
                Extensions.authority(),
                Extensions.keyUsage([.keyCertSign, .cRLSign]),
                Extensions.subjectAltName(
                    directoryName: NameEncoding.encode([
                        (oid: OID.countryName, value: "JP"), (oid: OID.organizationName, value: "印 開発用"),
                        (oid: OID.organizationalUnitName, value: "開発専用ルート認証局"),
                    ])),
                Extensions.distributionPoints(
                    directoryName: listPlace("RARL"), uri: "\(settings.repository)/\(ownListName)"),
            ])
        return DevelopmentAuthority(
            certificate: try read(try template.signed(by: key)), key: key, firstSerial: 10)
    }

    static func make(
        _ authority: Authority, serial: UInt64, under root: DevelopmentAuthority, settings: Settings, now: Instant
    ) throws(DevelopmentPKIError) -> DevelopmentAuthority {
        let key = try DevelopmentKey.rsa2048()
        let validity = validity(from: now, years: 20)
        let title = authority.title
        let template = CertificateTemplate(
            serialNumber: octets(serial), issuer: root.certificate.subject.der,
            subject: NameEncoding.encode([
                (oid: OID.countryName, value: "JP"), (oid: OID.organizationName, value: "DEVELOPMENT \(title)"),
                (oid: OID.organizationalUnitName, value: "DEVELOPMENT \(title) HPKI CA"),
                (oid: OID.commonName, value: "DEVELOPMENT-HPKI-01-\(title)-SignCA-forNonRepudiation"),
            ]),
            notBefore: validity.from, notAfter: validity.to, publicKey: key.subjectPublicKeyInfo,
            extensions: [
                Extensions.authorityKeyIdentifier(of: root.certificate),
                Extensions.subjectKeyIdentifier(try keyIdentifier(key)),
                Extensions.authority(),
                Extensions.policy(OID.hpkiSigningAuthorityPolicy, statement: settings.repository + "/policy/"),
                Extensions.keyUsage([.keyCertSign, .cRLSign]),
                Extensions.distributionPoints(
                    directoryName: listPlace("SARL"), uri: "\(settings.repository)/\(rootListName)"),
            ])
        return DevelopmentAuthority(
            certificate: try read(try template.signed(by: root.key)), key: key, firstSerial: firstHolderSerial)
    }

    /// From midnight in Japan of the day of `now` to 23:59:59 of the same day `years` later.
    static func validity(from now: Instant, years: Int) -> (from: Instant, to: Instant) {
        let offset: Int64 = 9 * 3600
        let local = now.adding(seconds: offset)
        guard let day = local.civil, let midnight = Instant(year: day.year, month: day.month, day: day.day) else {
            return (now, now)
        }
        // 29 February ends its years on the 28th.
        let last =
            Instant(year: day.year + years, month: day.month, day: day.day)
            ?? Instant(year: day.year + years, month: day.month, day: 28)
            ?? midnight
        return (midnight.adding(seconds: -offset), last.adding(seconds: 86_399 - offset))
    }

    static func octets(_ number: UInt64) -> [UInt8] {
        (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }

    static func read(_ der: [UInt8]) throws(DevelopmentPKIError) -> HPKICertificate {
        do {
            return try HPKICertificate(der: der)
        } catch {
            throw .badCertificate(error)
        }
    }

    static func keyIdentifier(_ key: DevelopmentKey) throws(DevelopmentPKIError) -> [UInt8] {
        do {
            return try VerificationKey(subjectPublicKeyInfo: key.subjectPublicKeyInfo).keyIdentifier
        } catch {
            throw .badCertificate(error)
        }
    }
}

extension HolderProfile {
    /// The subject in Latin letters.
    var subject: [UInt8] {
        NameEncoding.encode(
            [(oid: OID.countryName, value: "JP")]
                + (organization.map { [(oid: OID.organizationName, value: $0)] } ?? [])
                + (organizationalUnit.map { [(oid: OID.organizationalUnitName, value: $0)] } ?? [])
                + [(oid: OID.commonName, value: romajiName), (oid: OID.serialNumber, value: identifier)])
    }

    /// The subject in Japanese.
    var alternativeName: [UInt8] {
        NameEncoding.encode(
            [(oid: OID.countryName, value: "JP")]
                + (japaneseOrganization.map { [(oid: OID.organizationName, value: $0)] } ?? [])
                + [(oid: OID.commonName, value: japaneseName), (oid: OID.serialNumber, value: identifier)])
    }
}
