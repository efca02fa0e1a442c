import Certificates
package import HPKI

/// A PKCS#10 certification request (RFC 2986 §4): what the new key signs to prove that it is held, and the whole.
package struct CertificationRequest: Sendable, Hashable {
    package let algorithm: SignatureAlgorithm
    /// CertificationRequestInfo in DER.
    package let bytesToSign: [UInt8]

    /// A request for this key (SubjectPublicKeyInfo in DER) and subject (Name in DER), without attributes.
    package init(subjectPublicKeyInfo: [UInt8], subject: [UInt8], algorithm: SignatureAlgorithm) {
        self.algorithm = algorithm
        bytesToSign = DER.sequence(DER.integer(0), subject, subjectPublicKeyInfo, DER.value(.context(0), []))
    }

    /// The request in DER around the value that the key made over `bytesToSign`: RSA octets, or r‖s for ECDSA.
    package func assembled(with value: [UInt8]) -> [UInt8] {
        DER.sequence(bytesToSign, algorithm.identifier, DER.bitString(algorithm.structureValue(of: value)))
    }
}

/// The subject that a request proposes, in the shape of HPKI certificates; the authority decides what it certifies.
package enum CertificationSubject {
    private static let printable = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?".utf8)

    /// `C=JP`, `CN` the name in Latin letters, `serialNumber` the 本人ID, as a Name in DER.
    ///
    /// Throws `.subjectNotEncodable` beyond the bounds of X.520 (RFC 5280 appendix A.1: 64 characters each).
    package static func name(romajiName: String, identifier: String) throws(FormatError) -> [UInt8] {
        guard (1...64).contains(romajiName.unicodeScalars.count), (1...64).contains(identifier.utf8.count),
            identifier.utf8.allSatisfy(printable.contains)
        else { throw .subjectNotEncodable }
        let attributes = [
            (OID.countryName, DER.printableString("JP")), (OID.commonName, DER.utf8String(romajiName)),
            (OID.serialNumber, DER.printableString(identifier)),
        ]
        return DER.sequence(
            of: attributes.map { type, value in DER.set(of: [DER.sequence(DER.objectIdentifier(type), value)]) })
    }
}
