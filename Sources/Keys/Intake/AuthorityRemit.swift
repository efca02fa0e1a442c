package import Certificates
package import HPKI

/// What one certification authority may certify here.
package struct AuthorityRemit: Sendable {
    package let name: AuthorityID
    /// The certificates of the authorities from which it issues; their names and keys count.
    package let issuers: [HPKICertificate]
    /// The texts of hcRole that it may certify.
    package let roles: Set<String>

    /// A remit as the configuration has it.
    package init(name: AuthorityID, issuers: [HPKICertificate], roles: Set<String>) {
        self.name = name
        self.issuers = issuers
        self.roles = roles
    }

    /// True for a certificate that one of the remit's issuers signed.
    func hasIssued(_ certificate: HPKICertificate) -> Bool {
        issuers.contains { issuer in
            issuer.subject == certificate.issuer
                && (try? certificate.verifySignature(by: issuer.publicKey)) != nil
        }
    }
}
