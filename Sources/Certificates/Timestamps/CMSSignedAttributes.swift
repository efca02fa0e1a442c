internal import Crypto
import HPKI

/// What a signer signed beside the content (RFC 5652 §5.3 and §11, RFC 5035).
struct CMSSignedAttributes: Sendable {
    private static let limit = 32

    /// The SET OF with its own tag, as it was signed (RFC 5652 §5.4).
    let toBeSigned: [UInt8]
    let contentType: String
    let messageDigest: [UInt8]
    /// The signer's certificate by SigningCertificate and SigningCertificateV2; one, both or none.
    let signingCertificates: [ESSCertificateID]

    /// Reads `[0] IMPLICIT SignedAttributes`, which must be DER: ascending, no type twice.
    init(_ element: DERElement) throws(DERError) {
        var list = element.children
        var types: Set<String> = []
        var previous: ArraySlice<UInt8> = []
        var type: String?
        var digest: [UInt8]?
        var certificates: [ESSCertificateID] = []
        while !list.isAtEnd {
            let attribute = try list.next(.sequence)
            guard previous.lexicographicallyPrecedes(attribute.encoded) else { throw .invalidValue }
            previous = attribute.encoded
            var fields = attribute.children
            let name = try fields.next(.objectIdentifier).objectIdentifier()
            var values = try fields.enter(.set)
            try fields.end()
            guard types.insert(name).inserted else { throw .invalidValue }
            guard types.count <= Self.limit else { throw .tooMany }
            switch name {
            case OID.contentType: type = try values.next(.objectIdentifier).objectIdentifier()
            case OID.messageDigest: digest = Array(try values.next(.octetString).contents)
            case OID.signingCertificate:
                certificates.append(try ESSCertificateID(first: try values.enter(), version: 1))
            case OID.signingCertificateV2:
                certificates.append(try ESSCertificateID(first: try values.enter(), version: 2))
            // The signer's own claim of its time adds nothing to genTime; others are for other purposes.
            default: continue
            }
            try values.end()
        }
        guard let type, let digest else { throw .unexpectedTag }
        toBeSigned = [DERTag.set.identifier] + element.encoded.dropFirst()
        contentType = type
        messageDigest = digest
        signingCertificates = certificates
    }
}

/// A certificate by its digest and, perhaps, issuer and serial number (RFC 5035 §4 and §5, ESSCertID and ESSCertIDv2).
struct ESSCertificateID: Sendable {
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
    func names(_ certificate: HPKICertificate) -> Bool {
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
