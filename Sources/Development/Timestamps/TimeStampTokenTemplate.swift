package import Certificates
import HPKI

/// A time-stamp token before it is signed: every field as given, so that tests can also make bad ones.
package struct TimeStampTokenTemplate: Sendable {
    /// The content's type, dotted.
    package var contentType: String
    /// TSTInfo in DER.
    package var content: [UInt8]
    /// The certificate by which the signer is named and bound.
    package var certificate: HPKICertificate
    /// Certificates in DER that come along; none for a request that does not ask for them.
    package var certificates: [[UInt8]]
    /// Encoded signed attributes; DER puts them in order.
    package var attributes: [[UInt8]]

    /// A token for `info` (TSTInfo in DER) with the attributes that it must have and the signer's certificate.
    package init(info: [UInt8], certificate: HPKICertificate) {
        contentType = OID.tSTInfo
        content = info
        self.certificate = certificate
        certificates = [certificate.der]
        attributes = [
            CMSEncoding.attribute(OID.contentType, DER.objectIdentifier(OID.tSTInfo)),
            CMSEncoding.attribute(OID.messageDigest, DER.octetString(Digest(of: info).bytes)),
            CMSEncoding.attribute(OID.signingCertificateV2, Self.signingCertificateV2(certificate)),
        ]
    }

    /// SigningCertificateV2 of one certificate by SHA-256 (the default), issuer and serial number (RFC 5035 §3).
    package static func signingCertificateV2(_ certificate: HPKICertificate) -> [UInt8] {
        let issuer = DER.sequence(DER.explicit(4, certificate.issuer.der))
        let identifier = DER.sequence(
            DER.octetString(certificate.fingerprint.bytes),
            DER.sequence(issuer, DER.value(.integer, certificate.serialNumber)))
        return DER.sequence(DER.sequence(identifier))
    }

    /// The token in DER with as many signers as given, one for each key (RFC 5652 §5.1).
    package func signed(by keys: DevelopmentKey...) throws(DevelopmentPKIError) -> [UInt8] {
        let algorithm = DigestAlgorithm.sha256.identifier
        let signedAttributes = DER.set(of: attributes)
        var signers: [[UInt8]] = []
        for key in keys {
            signers.append(
                CMSEncoding.signerInfo(
                    certificate, digestAlgorithm: algorithm, signedAttributes: signedAttributes,
                    signatureAlgorithm: key.algorithmIdentifier, value: try key.signature(over: signedAttributes)))
        }
        return CMSEncoding.contentInfo(
            digestAlgorithm: algorithm, contentType: contentType, content: content, certificates: certificates,
            signers: signers)
    }
}
