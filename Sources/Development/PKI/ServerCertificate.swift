import Certificates
import HPKI

/// A TLS server's certificate for this machine, with its key and the authority a client must trust.
package struct ServerCertificate: Sendable {
    /// The certificate and then its authority's, in PEM.
    package let chainPEM: String
    /// The private key in PKCS#8 PEM; a secret.
    package let keyPEM: String
    /// The authority's certificate alone, in PEM.
    package let authorityPEM: String

    /// The server's own name, and those at which it asks for an HPKI card and for a My Number card.
    private static let hostNames = ["localhost", "hpki.localhost", "jpki.localhost"]

    init(under authority: DevelopmentAuthority, random: Random, now: Instant) throws(DevelopmentPKIError) {
        let key = DevelopmentKey.p256()
        // dNSName [2] and iPAddress [7] (RFC 5280 §4.2.1.6).
        let names = DER.sequence(
            of: Self.hostNames.map { DER.value(.contextPrimitive(2), Array($0.utf8)) }
                + [DER.value(.contextPrimitive(7), [127, 0, 0, 1])])
        let template = CertificateTemplate(
            serialNumber: DevelopmentPKI.randomSerial(random), issuer: authority.certificate.subject.der,
            subject: NameEncoding.encode([
                (oid: OID.organizationName, value: "Shirushi Development"), (oid: OID.commonName, value: "localhost"),
            ]),
            notBefore: now.wholeSecond.adding(seconds: -3600), notAfter: now.wholeSecond.adding(seconds: 397 * 86_400),
            publicKey: key.subjectPublicKeyInfo,
            extensions: [
                Extensions.authorityKeyIdentifier(of: authority.certificate),
                Extensions.subjectKeyIdentifier(try DevelopmentPKI.keyIdentifier(key)),
                Extensions.critical(OID.basicConstraints, DER.sequence()),
                Extensions.keyUsage(.digitalSignature),
                Extensions.plain(OID.extKeyUsage, DER.sequence(DER.objectIdentifier(OID.serverAuth))),
                Extensions.plain(OID.subjectAltName, names),
            ])
        let certificate = try DevelopmentPKI.read(try template.signed(by: authority.key))
        chainPEM = certificate.pem + authority.certificate.pem
        keyPEM = key.pem
        authorityPEM = authority.certificate.pem
    }
}

extension DevelopmentPKI {
    static func makeServerAuthority(
        random: Random, now: Instant
    ) throws(DevelopmentPKIError) -> DevelopmentAuthority {
        let key = DevelopmentKey.p256()
        let name = NameEncoding.encode([
            (oid: OID.organizationName, value: "Shirushi Development"),
            (oid: OID.commonName, value: "DEVELOPMENT TLS CA"),
        ])
        let identifier = try keyIdentifier(key)
        let validity = validity(from: now, years: 10)
        let template = CertificateTemplate(
            serialNumber: randomSerial(random), issuer: name, subject: name, notBefore: validity.from,
            notAfter: validity.to, publicKey: key.subjectPublicKeyInfo,
            extensions: [
                Extensions.subjectKeyIdentifier(identifier), Extensions.authority(pathLength: 0),
                Extensions.keyUsage([.keyCertSign, .cRLSign]),
            ])
        return DevelopmentAuthority(
            certificate: try read(try template.signed(by: key)), key: key, firstSerial: 1)
    }

    /// 127 random bits, so that the INTEGER is positive (RFC 5280 §4.1.2.2).
    static func randomSerial(_ random: Random) -> [UInt8] {
        var serial = random.bytes(16)
        if let first = serial.first { serial[0] = first & 0x7F | 0x40 }
        return serial
    }
}
