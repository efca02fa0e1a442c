/// What a verifier will need of third parties, kept with the signature from level B-LT on; everything in DER.
package struct ValidationMaterial: Sendable, Hashable {
    /// Certificates of the path, without the signer's own.
    package var certificates: [[UInt8]]
    /// Certificate revocation lists (RFC 5280 §5).
    package var crls: [[UInt8]]
    /// Whole OCSPResponses (RFC 6960 §4.2.1).
    package var ocspResponses: [[UInt8]]

    /// Material in the order given.
    package init(certificates: [[UInt8]] = [], crls: [[UInt8]] = [], ocspResponses: [[UInt8]] = []) {
        self.certificates = certificates
        self.crls = crls
        self.ocspResponses = ocspResponses
    }
}
