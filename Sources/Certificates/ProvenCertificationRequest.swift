/// Why bytes are not a certification request that proves possession of its key.
package enum CertificationRequestError: Error, Sendable, Hashable {
    /// More bytes than the reader takes.
    case tooLarge
    /// Not the DER of RFC 2986 §4.
    case malformed(DERError)
    /// A key that is not used here.
    case unusableKey(CertificateError)
    /// The request is not signed by the key in it.
    case badSignature(SignatureError)
    /// A text file without one PEM block of a request.
    case invalidPEM

    /// One sentence for an operator.
    package var explanation: String {
        switch self {
        case .tooLarge: "The request is larger than \(ProvenCertificationRequest.byteLimit) bytes."
        case .malformed(let error): "The request is not valid DER (\(error))."
        case .unusableKey(let error): error.explanation
        case .badSignature(let error): "The request's own signature does not verify (\(error))."
        case .invalidPEM: "The file is neither DER nor one PEM block of a certification request."
        }
    }
}

/// A PKCS#10 certification request (RFC 2986 §4) signed by the very key that it is for.
package struct ProvenCertificationRequest: Sendable, Hashable {
    /// The most bytes a request may have.
    package static let byteLimit = 16_384
    private static let label = "CERTIFICATE REQUEST"
    private static let attributeLimit = 16

    /// What the requester would like to be called; proves nothing.
    package let subject: DistinguishedName
    package let publicKey: VerificationKey

    /// Reads a request in DER and verifies its signature.
    package init(der: [UInt8]) throws(CertificationRequestError) {
        guard der.count <= Self.byteLimit else { throw .tooLarge }
        let frame: SignedStructure
        let key: [UInt8]
        do throws(DERError) {
            frame = try SignedStructure(der: der[...])
            var fields = try DERReader.whole(frame.toBeSigned).children
            // Version 1 is written as 0.
            guard try fields.next(.integer).smallInteger() == 0 else { throw .invalidValue }
            subject = try DistinguishedName(der: try fields.next(.sequence).encoded)
            key = Array(try fields.next(.sequence).encoded)
            var attributes = try fields.enter(.context(0))
            try fields.end()
            // Their meaning does not matter here: the authority decides what it certifies.
            var count = 0
            while !attributes.isAtEnd {
                var attribute = try attributes.enter()
                _ = try attribute.next(.objectIdentifier).objectIdentifier()
                _ = try attribute.next(.set)
                try attribute.end()
                count += 1
                guard count <= Self.attributeLimit else { throw .tooMany }
            }
        } catch {
            throw .malformed(error)
        }
        do throws(CertificateError) {
            publicKey = try VerificationKey(subjectPublicKeyInfo: key)
        } catch {
            throw .unusableKey(error)
        }
        do throws(SignatureError) {
            try frame.verify(by: publicKey)
        } catch {
            throw .badSignature(error)
        }
    }

    /// Reads the request of a file, in DER or as one PEM block (RFC 7468 §7).
    package static func read(file: [UInt8]) throws(CertificationRequestError) -> ProvenCertificationRequest {
        guard file.first != DERTag.sequence.identifier else { return try ProvenCertificationRequest(der: file) }
        guard let blocks = PEM.decode(file, label: Self.label), let only = blocks.first, blocks.count == 1 else {
            throw .invalidPEM
        }
        return try ProvenCertificationRequest(der: only)
    }
}
