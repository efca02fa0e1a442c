/// How much one registration message holds, so that what is usual fits the link's frame of 1 MiB.
///
/// What is unusual and does not fit, such as a page of certificates of many kilobytes each, is answered `.tooLarge`.
package enum RegistrationLimits {
    /// Holders of one page.
    package static let holders = 200
    /// Credentials of one page, each with its certificate.
    package static let credentials = 200
    /// Rows of one page of an import's report.
    package static let reportRows = 500
    /// Rows of one import; a larger one is several, each under its own name.
    package static let importRows = 1000
    /// Credentials that one revocation list's answer names.
    package static let revoked = 10_000
    /// Bytes of a certificate, a public key or a certification request.
    package static let certificateBytes = 16_384
    /// Bytes of a revocation list; a longer one is put into the trust folder or fetched by core.
    package static let revocationListBytes = 1_000_000
    /// Bytes of an import's name.
    package static let importNameBytes = 64
    /// Bytes of a holder's name in either writing.
    package static let nameBytes = 200
    /// Roles of one holder, and register numbers.
    package static let rolesOrNumbers = 16
    /// Bytes of a role, a register's name or a number in it.
    package static let wordBytes = 64
    /// Bytes of the sentence for a row that failed.
    package static let detailBytes = 1000
}
