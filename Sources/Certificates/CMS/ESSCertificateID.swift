internal import Crypto
import HPKI

/// A certificate by its digest and, perhaps, issuer and serial number (RFC 5035 §4 and §5, ESSCertID and ESSCertIDv2).
package struct ESSCertificateID: Sendable {
    private enum Function {
        /// What version 1 always has: it names the certificate, and the signature over it is by another function.
        case sha1
        case sha2(DigestAlgorithm)
        case notAccepted
    }

    private let function: Function
    private let hash: [UInt8]
    private let issuer: [GeneralName]?
    private let serialNumber: [UInt8]?

    /// Reads the first of the certificates that SigningCertificate or SigningCertificateV2 lists: the signer's own.
    ///
    /// The others, and policies, would narrow down the path, which is found by its own rules here.
    init(first attribute: DERReader, version: Int) throws(DERError) {
        var attribute = attribute
        var list = try attribute.enter()
        _ = try attribute.optional(.sequence)
        try attribute.end()
        var fields = try list.enter()
        var function = version == 1 ? Function.sha1 : .sha2(.sha256)
        // The default, SHA-256, is written out by some.
        if version == 2, let algorithm = try fields.optional(.sequence) {
            var reader = DERReader(algorithm.encoded)
            function = try HashIdentifier(reading: &reader).algorithm.map(Function.sha2) ?? .notAccepted
        }
        self.function = function
        hash = Array(try fields.next(.octetString).contents)
        if var pair = try fields.enterOptional(.sequence) {
            var names = try pair.enter()
            issuer = try GeneralName.readList(&names)
            serialNumber = Array(try pair.next(.integer).integer())
            try pair.end()
        } else {
            (issuer, serialNumber) = (nil, nil)
        }
        try fields.end()
    }

    /// True where this is the name of the certificate, in all that it gives.
    package func names(_ certificate: HPKICertificate) -> Bool {
        let digest: [UInt8]
        switch function {
        case .sha1: digest = Array(Insecure.SHA1.hash(data: certificate.der))
        case .sha2(let algorithm): digest = Digest(of: certificate.der, by: algorithm).bytes
        case .notAccepted: return false
        }
        guard digest == hash else { return false }
        guard let issuer, let serialNumber else { return true }
        return issuer == [GeneralName(certificate.issuer)] && serialNumber == certificate.serialNumber
    }
}
