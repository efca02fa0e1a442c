package import Certificates
package import HPKI

/// A certificate before it is signed: every field as given, so that tests can also make bad ones.
package struct CertificateTemplate: Sendable {
    /// The big-endian magnitude of the serial number.
    package var serialNumber: [UInt8]
    /// The issuer's Name in DER.
    package var issuer: [UInt8]
    /// The subject's Name in DER.
    package var subject: [UInt8]
    package var notBefore: Instant
    package var notAfter: Instant
    /// The SubjectPublicKeyInfo in DER.
    package var publicKey: [UInt8]
    /// Encoded extensions, in their order.
    package var extensions: [[UInt8]]

    /// A template of fields as given.
    package init(
        serialNumber: [UInt8], issuer: [UInt8], subject: [UInt8], notBefore: Instant, notAfter: Instant,
        publicKey: [UInt8], extensions: [[UInt8]]
    ) {
        self.serialNumber = serialNumber
        self.issuer = issuer
        self.subject = subject
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.publicKey = publicKey
        self.extensions = extensions
    }

    /// The certificate in DER, version 3, signed by `key`.
    package func signed(by key: DevelopmentKey) throws(DevelopmentPKIError) -> [UInt8] {
        let toBeSigned = DER.sequence(
            DER.explicit(0, DER.integer(2)),
            DER.integer(serialNumber),
            key.algorithmIdentifier,
            issuer,
            DER.sequence(DER.time(notBefore), DER.time(notAfter)),
            subject,
            publicKey,
            DER.explicit(3, DER.sequence(of: extensions)))
        return try key.sign(toBeSigned)
    }
}

/// A full CRL of version 2 before it is signed, in the manner of the HPKI authorities (RFC 5280 §5).
package struct RevocationListTemplate: Sendable {
    /// The issuer's Name in DER.
    package var issuer: [UInt8]
    package var thisUpdate: Instant
    package var nextUpdate: Instant?
    package var entries: [CertificateRevocationList.Entry]
    /// Encoded extensions, in their order.
    package var extensions: [[UInt8]]

    /// A template of fields as given.
    package init(
        issuer: [UInt8], thisUpdate: Instant, nextUpdate: Instant?, entries: [CertificateRevocationList.Entry],
        extensions: [[UInt8]]
    ) {
        self.issuer = issuer
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
        self.entries = entries
        self.extensions = extensions
    }

    /// The list in DER, signed by `key`.
    package func signed(by key: DevelopmentKey) throws(DevelopmentPKIError) -> [UInt8] {
        let revoked = entries.map { entry in
            let reason = entry.reason.map {
                DER.sequence(Extensions.plain(OID.reasonCode, DER.value(.enumerated, [$0.rawValue])))
            }
            return DER.sequence(
                of: [DER.integer(entry.serialNumber), DER.time(entry.revokedAt)] + (reason.map { [$0] } ?? []))
        }
        let toBeSigned = DER.sequence(
            of: [DER.integer(1), key.algorithmIdentifier, issuer, DER.time(thisUpdate)]
                + (nextUpdate.map { [DER.time($0)] } ?? [])
                // RFC 5280 §5.1.2.6: absent when nothing is revoked.
                + (revoked.isEmpty ? [] : [DER.sequence(of: revoked)])
                + [DER.explicit(0, DER.sequence(of: extensions))])
        return try key.sign(toBeSigned)
    }
}
