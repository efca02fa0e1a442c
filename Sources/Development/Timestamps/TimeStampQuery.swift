import Certificates
import HPKI

/// A request as the development time-stamping authority reads it (RFC 3161 §2.4.1, TimeStampReq).
struct TimeStampQuery {
    let imprint: Digest
    let policy: String?
    /// The contents octets of the nonce's INTEGER.
    let nonce: [UInt8]?
    let wantsCertificate: Bool

    /// The bits of PKIFailureInfo that refuse a request.
    enum Failure: UInt8, Error {
        case badAlg = 0
        case badRequest = 2
        case badDataFormat = 5
        case unacceptedPolicy = 15
        case unacceptedExtension = 16
        case systemFailure = 25
    }

    /// Reads one request of at most 4096 bytes.
    init(der: [UInt8]) throws(Failure) {
        guard der.count <= 4096 else { throw .badDataFormat }
        let version: Int
        let function: HashIdentifier
        let hashedMessage: [UInt8]
        let hasExtensions: Bool
        do throws(DERError) {
            var fields = try DERReader.whole(der[...]).children
            version = try fields.next(.integer).smallInteger()
            var imprint = try fields.enter()
            function = try HashIdentifier(reading: &imprint)
            hashedMessage = Array(try imprint.next(.octetString).contents)
            try imprint.end()
            policy = try fields.optional(.objectIdentifier)?.objectIdentifier()
            nonce = try fields.optional(.integer).map { element throws(DERError) in Array(try element.integer()) }
            wantsCertificate = try fields.optional(.boolean)?.boolean() ?? false
            hasExtensions = try fields.optional(.context(0)) != nil
            try fields.end()
        } catch {
            throw .badDataFormat
        }
        guard version == 1, nonce?.count ?? 0 <= 64 else { throw .badRequest }
        guard !hasExtensions else { throw .unacceptedExtension }
        guard let algorithm = function.algorithm else { throw .badAlg }
        guard let digest = Digest(algorithm: algorithm, bytes: hashedMessage) else { throw .badDataFormat }
        imprint = digest
    }
}
