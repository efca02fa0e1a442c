package import Certificates

/// Authorities that are trusted for one purpose, with the revocation lists that the operator laid beside them.
package struct TrustRealm: Sendable {
    package let trust: TrustStore
    package let crls: CRLStore

    /// A realm of certificates and lists read before.
    package init(trust: TrustStore, crls: CRLStore) {
        self.trust = trust
        self.crls = crls
    }

    /// Reads `anchors`, `intermediates` and `crls` in `folder`; throws what reading one of them throws.
    package init(folder: String) throws(TrustStoreError) {
        trust = try TrustStore.load(folder: folder)
        crls = try CRLStore.load(folder: folder + "/crls", trust: trust)
    }
}
