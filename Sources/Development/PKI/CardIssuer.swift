import Certificates
import HPKI

/// An authority, under one of its two keys, that issues the certificates of cards for logging in.
package struct CardIssuer: Sendable, Hashable {
    /// What kind of card.
    package enum Kind: Sendable, Hashable {
        /// An HPKI card, by one of the three authorities.
        case hpki(DevelopmentPKI.Authority)
        /// A card like the My Number card.
        case jpki
    }

    package let kind: Kind
    package let generation: DevelopmentPKI.Generation

    /// Every authority in both generations.
    package static let all = DevelopmentPKI.Generation.allCases.flatMap { generation in
        (DevelopmentPKI.Authority.allCases.map(Kind.hpki) + [.jpki]).map { CardIssuer($0, generation) }
    }

    /// An authority under one of its keys.
    package init(_ kind: Kind, _ generation: DevelopmentPKI.Generation) {
        self.kind = kind
        self.generation = generation
    }

    /// The stem of its files, such as `hpki-jma-old` or `jpki-new`.
    package var name: String {
        switch kind {
        case .hpki(let authority): "hpki-\(authority.rawValue)-\(generation.rawValue)"
        case .jpki: "jpki-\(generation.rawValue)"
        }
    }

    /// The file name of its revocation list.
    var listName: String { "development-\(name).crl" }

    /// One name for both generations, so that the key alone tells them apart.
    var subject: [UInt8] {
        switch kind {
        case .hpki(let authority):
            NameEncoding.encode([
                (oid: OID.countryName, value: "JP"),
                (oid: OID.organizationName, value: "DEVELOPMENT \(authority.title)"),
                (oid: OID.organizationalUnitName, value: "DEVELOPMENT \(authority.title) HPKI CA"),
                (
                    oid: OID.commonName,
                    value: "DEVELOPMENT-HPKI-01-\(authority.title)-AuthCA-forAuthentication-forIndividual"
                ),
            ])
        case .jpki:
            NameEncoding.encode([
                (oid: OID.countryName, value: "JP"), (oid: OID.organizationName, value: "DEVELOPMENT JPKI"),
                (oid: OID.organizationalUnitName, value: "DEVELOPMENT JPKI for user authentication"),
                (oid: OID.organizationalUnitName, value: "Shirushi Development"),
            ])
        }
    }

    /// How many years before the instance was made the key came into use; the old one's certificate still holds.
    private var age: Int64 { generation == .old ? 8 : 0 }

    /// The first serial number for a holder: an authority gives none out twice under its one name (RFC 5280 §4.1.2.2).
    var firstSerial: UInt64 { generation == .old ? DevelopmentPKI.firstHolderSerial : 10_001 }

    /// The authority with its own certificate: below the root for HPKI, signed by itself for JPKI, as the real ones are.
    func make(
        key: DevelopmentKey, serial: [UInt8], under root: DevelopmentAuthority, repository: String, now: Instant
    ) throws(DevelopmentPKIError) -> DevelopmentAuthority {
        let start = now.adding(seconds: -age * 365 * 86_400)
        let identifier = try DevelopmentPKI.keyIdentifier(key)
        let signer: DevelopmentKey
        var template: CertificateTemplate
        switch kind {
        case .hpki:
            signer = root.key
            let validity = DevelopmentPKI.validity(from: start, years: 20)
            template = CertificateTemplate(
                serialNumber: serial, issuer: root.certificate.subject.der, subject: subject,
                notBefore: validity.from, notAfter: validity.to, publicKey: key.subjectPublicKeyInfo,
                extensions: [
                    Extensions.authorityKeyIdentifier(of: root.certificate),
                    Extensions.subjectKeyIdentifier(identifier),
                    Extensions.authority(),
                    Extensions.policy(OID.hpkiAuthenticationAuthorityPolicy, statement: repository + "/policy/"),
                    Extensions.keyUsage([.keyCertSign, .cRLSign]),
                    Extensions.distributionPoints(
                        directoryName: DevelopmentPKI.listPlace("SARL"),
                        uri: "\(repository)/\(DevelopmentPKI.rootListName)"),
                ])
        case .jpki:
            signer = key
            let validity = DevelopmentPKI.validity(from: start, years: 10)
            template = CertificateTemplate(
                serialNumber: serial, issuer: subject, subject: subject, notBefore: validity.from,
                notAfter: validity.to, publicKey: key.subjectPublicKeyInfo,
                extensions: [
                    Extensions.authorityKeyIdentifier(identifier, issuer: subject, serialNumber: serial),
                    Extensions.subjectKeyIdentifier(identifier), Extensions.authority(),
                    Extensions.keyUsage([.keyCertSign, .cRLSign]),
                ])
        }
        return DevelopmentAuthority(
            certificate: try DevelopmentPKI.read(try template.signed(by: signer)), key: key, firstSerial: firstSerial)
    }
}
