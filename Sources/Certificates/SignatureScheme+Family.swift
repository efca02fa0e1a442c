package import HPKI

extension SignatureScheme {
    /// The scheme of this family with this hash function, for formats that name both in words of their own.
    package static func of(_ family: Family, _ hash: DigestAlgorithm) -> SignatureScheme {
        SignatureScheme(family: family, hash: hash)
    }
}
