/// A signature algorithm of a holder's key, named as XML Signature and CMS need it.
package enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
    case rsaPKCS1SHA256 = "rsa-pkcs1-sha256"
    case rsaPKCS1SHA384 = "rsa-pkcs1-sha384"
    case rsaPKCS1SHA512 = "rsa-pkcs1-sha512"
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes (RFC 8017 §8.1).
    case rsaPSSSHA256 = "rsa-pss-sha256"
    /// As with SHA-256, and a salt of 48 bytes.
    case rsaPSSSHA384 = "rsa-pss-sha384"
    /// As with SHA-256, and a salt of 64 bytes.
    case rsaPSSSHA512 = "rsa-pss-sha512"
    /// ECDSA on P-256 with SHA-256, the value as r‖s in 64 bytes (FIPS 186-5).
    case ecdsaP256SHA256 = "ecdsa-p256-sha256"
    /// ECDSA on P-384 with SHA-384, the value as r‖s in 96 bytes (FIPS 186-5).
    case ecdsaP384SHA384 = "ecdsa-p384-sha384"

    /// The kind of key and padding, apart from the hash function.
    package enum Family: Sendable, Hashable {
        case rsaPKCS1
        /// With MGF1 on the same hash function and a salt as long as its digest.
        case rsaPSS
        case ecdsa
    }

    /// The kind of key and padding.
    package var family: Family {
        switch self {
        case .rsaPKCS1SHA256, .rsaPKCS1SHA384, .rsaPKCS1SHA512: .rsaPKCS1
        case .rsaPSSSHA256, .rsaPSSSHA384, .rsaPSSSHA512: .rsaPSS
        case .ecdsaP256SHA256, .ecdsaP384SHA384: .ecdsa
        }
    }

    /// The hash function that the algorithm applies to the bytes to sign.
    package var digestAlgorithm: DigestAlgorithm {
        switch self {
        case .rsaPKCS1SHA256, .rsaPSSSHA256, .ecdsaP256SHA256: .sha256
        case .rsaPKCS1SHA384, .rsaPSSSHA384, .ecdsaP384SHA384: .sha384
        case .rsaPKCS1SHA512, .rsaPSSSHA512: .sha512
        }
    }
}
