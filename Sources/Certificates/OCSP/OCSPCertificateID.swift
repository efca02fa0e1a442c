internal import Crypto
import HPKI

/// Names one certificate in requests and responses by digests of its issuer's name and key (RFC 6960 §4.1.1, CertID).
package struct OCSPCertificateID: Sendable, Hashable {
    /// The digests that certificates are named with; SHA-1 is a name here, not a protection (RFC 5019 §2.1.1).
    package enum Hash: Sendable, Hashable {
        case sha1
        case sha256
    }

    /// Nil where the digests are of a kind that is not understood, so that the name fits no certificate.
    package let hash: Hash?
    package let issuerNameHash: [UInt8]
    package let issuerKeyHash: [UInt8]
    /// The contents octets of the serial number's INTEGER.
    package let serialNumber: [UInt8]

    /// The name of a certificate that `issuer` issued.
    package init(of certificate: HPKICertificate, issuedBy issuer: HPKICertificate, hash: Hash) {
        self.hash = hash
        issuerNameHash = Self.digest(issuer.subject.der, hash)
        issuerKeyHash = Self.digest(issuer.publicKey.keyOctets, hash)
        serialNumber = certificate.serialNumber
    }

    /// Reads one CertID.
    init(_ fields: inout DERReader) throws(DERError) {
        var algorithm = try fields.enter()
        switch try algorithm.next(.objectIdentifier).objectIdentifier() {
        case OID.sha1: hash = .sha1
        case OID.sha256: hash = .sha256
        default: hash = nil
        }
        if let null = try algorithm.optional(.null) {
            guard null.contents.isEmpty else { throw .invalidValue }
        }
        if hash != nil { try algorithm.end() }
        issuerNameHash = Array(try fields.next(.octetString).contents)
        issuerKeyHash = Array(try fields.next(.octetString).contents)
        serialNumber = Array(try fields.next(.integer).integer())
        guard serialNumber.count <= 64 else { throw .invalidValue }
        try fields.end()
    }

    /// The CertID in DER.
    package var der: [UInt8] {
        let algorithm = DER.sequence(DER.objectIdentifier(hash == .sha1 ? OID.sha1 : OID.sha256), DER.null)
        return DER.sequence(
            algorithm, DER.octetString(issuerNameHash), DER.octetString(issuerKeyHash),
            DER.value(.integer, serialNumber))
    }

    private static func digest(_ bytes: [UInt8], _ hash: Hash) -> [UInt8] {
        switch hash {
        case .sha1: Array(Insecure.SHA1.hash(data: bytes))
        case .sha256: Array(SHA256.hash(data: bytes))
        }
    }
}

/// A request for the status of one certificate (RFC 6960 §4.1.1).
package enum OCSPRequest {
    /// The request in DER, unsigned, with a nonce where one is given (RFC 9654: 32 octets are usual).
    package static func der(for certificate: OCSPCertificateID, nonce: [UInt8]? = nil) -> [UInt8] {
        let list = DER.sequence(DER.sequence(certificate.der))
        guard let nonce else { return DER.sequence(DER.sequence(list)) }
        let item = DER.sequence(DER.objectIdentifier(OID.ocspNonce), DER.octetString(DER.octetString(nonce)))
        return DER.sequence(DER.sequence(list, DER.explicit(2, DER.sequence(item))))
    }
}
