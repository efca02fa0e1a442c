/// The kind and size of a second key, by the word that configuration, registry and commands use.
package enum KeyType: String, Sendable, Hashable, CaseIterable {
    case rsa2048 = "rsa-2048"
    case rsa3072 = "rsa-3072"
    case rsa4096 = "rsa-4096"
    case p256 = "p-256"
    case p384 = "p-384"

    /// The modulus in bits; nil for a key on a curve.
    package var modulusBits: Int? {
        switch self {
        case .rsa2048: 2048
        case .rsa3072: 3072
        case .rsa4096: 4096
        case .p256, .p384: nil
        }
    }
    /// The algorithms that such a key signs with; the usual one first.
    package var algorithms: [SignatureAlgorithm] {
        switch self {
        case .rsa2048, .rsa3072, .rsa4096:
            [.rsaPKCS1SHA256, .rsaPSSSHA256, .rsaPKCS1SHA384, .rsaPKCS1SHA512, .rsaPSSSHA384, .rsaPSSSHA512]
        case .p256: [.ecdsaP256SHA256]
        case .p384: [.ecdsaP384SHA384]
        }
    }
}
