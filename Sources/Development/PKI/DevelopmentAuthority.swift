import Certificates
import HPKI

/// One development authority: its certificate and key, and the book of what it issued and revoked.
struct DevelopmentAuthority: Sendable {
    let certificate: HPKICertificate
    let key: DevelopmentKey
    var nextSerial: UInt64
    var nextCRLNumber: UInt64
    var revoked: [CertificateRevocationList.Entry]
    /// The serial numbers given out where they are random ones; empty where they are counted.
    var issued: Set<[UInt8]> = []

    /// A book at its first page.
    init(certificate: HPKICertificate, key: DevelopmentKey, firstSerial: UInt64) {
        self.certificate = certificate
        self.key = key
        nextSerial = firstSerial
        nextCRLNumber = 1
        revoked = []
    }

    /// The authority's list as of `now`, valid for 96 hours as the HPKI authorities' are.
    mutating func list(now: Instant, scope: [UInt8]? = nil) throws(DevelopmentPKIError) -> [UInt8] {
        let template = RevocationListTemplate(
            issuer: certificate.subject.der, thisUpdate: now.wholeSecond,
            nextUpdate: now.wholeSecond.adding(seconds: 96 * 3600), entries: revoked,
            extensions: [
                Extensions.authorityKeyIdentifier(of: certificate), Extensions.crlNumber(nextCRLNumber),
            ] + (scope.map { [$0] } ?? []))
        nextCRLNumber += 1
        return try template.signed(by: key)
    }
}

/// The authority's book as JSON keeps it.
struct DevelopmentAuthorityState: Codable {
    struct Revoked: Codable {
        let serialNumber: String
        let milliseconds: Int64
        let reason: RevocationReason?
    }

    let certificate: String
    let privateKey: String
    let nextSerial: UInt64
    let nextCRLNumber: UInt64
    let revoked: [Revoked]
    /// Absent where serial numbers are counted, as all were in earlier states.
    let issued: [String]?

    init(_ authority: DevelopmentAuthority) {
        certificate = authority.certificate.pem
        privateKey = authority.key.pem
        nextSerial = authority.nextSerial
        nextCRLNumber = authority.nextCRLNumber
        revoked = authority.revoked.map {
            Revoked(
                serialNumber: Hex.encode($0.serialNumber), milliseconds: $0.revokedAt.milliseconds, reason: $0.reason)
        }
        issued = authority.issued.isEmpty ? nil : authority.issued.map(Hex.encode).sorted()
    }

    func restored() throws(DevelopmentPKIError) -> DevelopmentAuthority {
        guard let certificate = try? HPKICertificate.read(file: Array(certificate.utf8)).first else {
            throw .unreadableState
        }
        let key = try DevelopmentKey(pem: privateKey)
        guard key.subjectPublicKeyInfo == certificate.publicKey.subjectPublicKeyInfo else { throw .unreadableState }
        var authority = DevelopmentAuthority(certificate: certificate, key: key, firstSerial: nextSerial)
        authority.nextCRLNumber = nextCRLNumber
        for text in issued ?? [] {
            guard let serial = Hex.decode(text), !serial.isEmpty else { throw .unreadableState }
            authority.issued.insert(serial)
        }
        for item in revoked {
            guard let serial = Hex.decode(item.serialNumber), !serial.isEmpty else { throw .unreadableState }
            authority.revoked.append(
                CertificateRevocationList.Entry(
                    serialNumber: serial, revokedAt: Instant(milliseconds: item.milliseconds), reason: item.reason))
        }
        return authority
    }
}
