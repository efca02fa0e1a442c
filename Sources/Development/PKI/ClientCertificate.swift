import Certificates
import HPKI

/// A TLS client's certificate, by which a development authority shows who it is, with its key.
package struct ClientCertificate: Sendable {
    /// The certificate alone, in PEM; clients and servers trust the authority of `ServerCertificate`.
    package let certificatePEM: String
    /// The private key in PKCS#8 PEM; a secret.
    package let keyPEM: String

    init(
        of authority: DevelopmentPKI.Authority, under issuer: DevelopmentAuthority, random: Random, now: Instant
    ) throws(DevelopmentPKIError) {
        let key = DevelopmentKey.p256()
        let template = CertificateTemplate(
            serialNumber: DevelopmentPKI.randomSerial(random), issuer: issuer.certificate.subject.der,
            subject: NameEncoding.encode([
                (oid: OID.organizationName, value: "Shirushi Development"),
                (oid: OID.commonName, value: "DEVELOPMENT \(authority.title) Registration Authority"),
            ]),
            notBefore: now.wholeSecond.adding(seconds: -3600), notAfter: now.wholeSecond.adding(seconds: 397 * 86_400),
            publicKey: key.subjectPublicKeyInfo,
            extensions: [
                Extensions.authorityKeyIdentifier(of: issuer.certificate),
                Extensions.subjectKeyIdentifier(try DevelopmentPKI.keyIdentifier(key)),
                Extensions.critical(OID.basicConstraints, DER.sequence()),
                Extensions.keyUsage(.digitalSignature),
                Extensions.plain(OID.extKeyUsage, DER.sequence(DER.objectIdentifier(OID.clientAuth))),
            ])
        certificatePEM = try DevelopmentPKI.read(try template.signed(by: issuer.key)).pem
        keyPEM = key.pem
    }
}
