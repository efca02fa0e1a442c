internal import Certificates
package import HPKI

/// What a verifier accepts, apart from whom it trusts: the operator's own rules, by name and digest.
package struct ValidationPolicy: Sendable, Hashable {
    /// The name that reports give.
    package var id: String
    /// SHA-256 of the file that it was read from.
    package var digest: Digest?
    /// Signature algorithms, such as `rsa-pkcs1-sha256`, each with the moment from which it counts no more; nil for none.
    package var signatureAlgorithms: [String: Instant?]
    /// Digest functions of the signed data, likewise.
    package var digestAlgorithms: [DigestAlgorithm: Instant?]
    /// The fewest bits of an RSA key, of signers and authorities.
    package var minimumModulusBits: Int
    /// The policies of which a signer's certificate must have one, dotted; nil where the path's requirements say so.
    package var certificatePolicies: Set<String>?
    /// The roles of which a signer must have one, by kind of document; empty for no requirement.
    package var roles: [DocumentForm: Set<String>]
    /// The authorities' policies under which time stamps count, dotted; empty for any.
    package var timeStampPolicies: Set<String>
    /// The accuracy that a time stamp must promise; nil for none.
    package var timeStampAccuracySeconds: Int64?
    /// By how much clocks may differ.
    package var toleranceSeconds: Int64
    /// Folders with further `anchors/`, `intermediates/` and `crls/`, of signers' authorities.
    package var signerTrust: [String]
    /// Likewise of time-stamping authorities.
    package var timeStampTrust: [String]

    /// The names of the signature algorithms that are known here.
    static let knownSignatureAlgorithms = [SignatureScheme.Family.rsaPKCS1, .rsaPSS, .ecdsa].flatMap { family in
        DigestAlgorithm.allCases.map { SignatureScheme(family: family, hash: $0).policyName }
    }
}

extension SignatureScheme {
    /// The scheme as policies name it.
    var policyName: String {
        let family =
            switch family {
            case .rsaPKCS1: "rsa-pkcs1"
            case .rsaPSS: "rsa-pss"
            case .ecdsa: "ecdsa"
            }
        return "\(family)-\(hash.rawValue)"
    }
}
