internal import Certificates
internal import Formats
internal import HPKI

/// A signature whose structure and cryptography hold, of whatever format: what the process of validation starts from.
struct CheckedSignature {
    /// A time-stamp token and what it is to be of.
    struct TimeStamp {
        let kind: TimeStampReport.Kind
        /// TimeStampToken in DER, not read yet.
        let token: [UInt8]
        /// Of kind `archive`: the tokens that it covers; nil where it covers all before it.
        var covered: Set<[UInt8]>?
        /// Of kind `archive`: the certificates (DER) that it covers, beside those inside of tokens.
        var certificates: Set<[UInt8]> = []
        /// The octets whose digest the token must hold; nil where some of them are not at hand.
        let octets: () -> [UInt8]?
    }

    let certificate: HPKICertificate
    /// Certificates that came with the signature; nothing vouches for them.
    let others: [HPKICertificate]
    let covered: [SignatureReport.Coverage]
    let claimedSigningTime: Instant?
    let scheme: SignatureScheme
    /// The functions that the data were digested by.
    let digests: Set<DigestAlgorithm>
    /// In the order in which they were added.
    let timeStamps: [TimeStamp]
    /// What was kept of third parties for the signer's certificate.
    let material: ValidationMaterial
    /// What was kept for the certificates of time-stamping authorities.
    let timeStampMaterial: ValidationMaterial
    /// Names of unsigned properties that were not looked at.
    let notExamined: [String]
    /// What keeps the signature from passing although its cryptography holds.
    let findings: [Finding]
    /// What is left for the signatures of the document.
    let budget: JudgementBudget
}
