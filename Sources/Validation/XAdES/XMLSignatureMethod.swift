internal import Certificates
internal import Formats
internal import HPKI

/// The signature algorithms of XML Signature that are verified here (RFC 6931 §2.3, RFC 9231 §2.3).
enum XMLSignatureMethod {
    /// What is made here, and ECDSA with the longest hash.
    private static let schemes: [(identifier: String, scheme: SignatureScheme)] =
        SignatureAlgorithm.allCases.map { ($0.xmlIdentifier, $0.scheme) }
        + [
            (
                "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
                SignatureScheme(family: .ecdsa, hash: .sha512)
            )
        ]

    /// Those of the e-prescription form: what is made for it, the longer hashes for RSA among them.
    private static let ofForm = Set(SignatureAlgorithm.allCases.map(\.scheme))

    /// The scheme that `identifier` names; throws where it is not accepted.
    static func scheme(_ identifier: String, _ structure: SignatureStructure) throws(Finding) -> SignatureScheme {
        let found = schemes.first { $0.identifier.utf8.elementsEqual(identifier.utf8) }?.scheme
        guard let found, structure == .any || ofForm.contains(found) else {
            throw .notAccepted("The signature algorithm is not accepted.", structure)
        }
        return found
    }

    /// Checks a SignatureValue; that of ECDSA is r‖s, each as long as the curve's order (RFC 6931 §2.3.6).
    static func verify(
        _ value: [UInt8], over bytes: [UInt8], scheme: SignatureScheme, by key: VerificationKey
    ) throws(SignatureError) {
        guard scheme.family == .ecdsa else {
            return try key.verify(signature: value[...], over: bytes[...], scheme: scheme)
        }
        let length: Int
        switch key.kind {
        case .p256: length = 64
        case .p384: length = 96
        case .rsa: throw .wrongKey
        }
        guard value.count == length else { throw .malformed }
        let pair = DER.sequence(DER.integer(value.prefix(length / 2)), DER.integer(value.dropFirst(length / 2)))
        try key.verify(signature: pair[...], over: bytes[...], scheme: scheme)
    }
}
