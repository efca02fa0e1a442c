/// Public keys written as SubjectPublicKeyInfo in DER (RFC 5280 §4.1, RFC 3279 §2.3.1, RFC 5480 §2).
enum SubjectPublicKeyInfo {
    /// The object identifier of the curve secp256r1 in DER, as CKA_EC_PARAMS holds it.
    static let p256: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
    /// The object identifier of the curve secp384r1 in DER, as CKA_EC_PARAMS holds it.
    static let p384: [UInt8] = [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]

    private static let rsaEncryption: [UInt8] = [
        0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
    ]
    private static let ecPublicKey: [UInt8] = [0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]

    /// An RSA key; `modulus` and `exponent` are big-endian without a sign.
    static func rsa(modulus: [UInt8], exponent: [UInt8]) -> [UInt8] {
        let key = element(0x30, integer(modulus) + integer(exponent))
        return element(0x30, element(0x30, rsaEncryption) + element(0x03, [0] + key))
    }

    /// A key on P-256 or P-384; `point` is uncompressed, bare or in an OCTET STRING as modules differ in it.
    static func ec(parameters: [UInt8], point: [UInt8]) throws(PKCS11Error) -> [UInt8] {
        let size: Int
        switch parameters {
        case p256: size = 65
        case p384: size = 97
        default: throw .malformedAnswer("CKA_EC_PARAMS of another curve")
        }
        var bare = point
        if point.count == size + 2, point[0] == 0x04, Int(point[1]) == size { bare.removeFirst(2) }
        guard bare.count == size, bare[0] == 0x04 else { throw .malformedAnswer("CKA_EC_POINT") }
        return element(0x30, element(0x30, ecPublicKey + parameters) + element(0x03, [0] + bare))
    }

    /// An INTEGER that is not negative, in its shortest form.
    private static func integer(_ magnitude: [UInt8]) -> [UInt8] {
        var digits = Array(magnitude.drop { $0 == 0 })
        if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
        return element(0x02, digits)
    }

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        guard content.count >= 0x80 else { return [tag, UInt8(content.count)] + content }
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        return [tag, 0x80 | UInt8(length.count)] + length + content
    }
}
