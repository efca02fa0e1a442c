package import Certificates

/// In whose time stamps trust is put: authorities of their own, apart from those of signers.
package struct TimeStampTrust: Sendable {
    package var trust: TrustStore
    package var crls: CRLStore
    package var ocsp: [OCSPResponse]

    /// Trust in these authorities; by default in none, so that no time is proven.
    package init(
        trust: TrustStore = TrustStore(anchors: []), crls: CRLStore = CRLStore(), ocsp: [OCSPResponse] = []
    ) {
        self.trust = trust
        self.crls = crls
        self.ocsp = ocsp
    }
}
