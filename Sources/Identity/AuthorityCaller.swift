package import HPKI

/// A registration authority that is known here: who may have keys made, certified and ended, and whose.
///
/// Only `AuthorityIdentification` makes one.
package struct AuthorityCaller: Sendable, Hashable {
    /// How the authority was told.
    package enum Ground: Sendable, Hashable {
        /// It showed a registered client certificate in TLS, by front's word; SHA-256 of its DER.
        case clientCertificate(Digest)
        /// An operator with the admin key acts in its place.
        case operatorCommand
        /// This program itself, for what falls due by time or by a revocation list.
        case itself
    }

    package let authority: AuthorityID
    package let ground: Ground

    fileprivate init(authority: AuthorityID, ground: Ground) {
        self.authority = authority
        self.ground = ground
    }

    /// The authority and its ground in the record's notation.
    package var text: String {
        switch ground {
        case .clientCertificate(let digest): "authority=\(authority)\nground=client-certificate:\(digest.hex)"
        case .operatorCommand: "authority=\(authority)\nground=operator"
        case .itself: "authority=\(authority)\nground=itself"
        }
    }
}

/// Tells authorities by what the operator registered of them.
package struct AuthorityIdentification: Sendable {
    private let byCertificate: [Digest: AuthorityID]
    private let names: Set<AuthorityID>
    private let adminKey: Digest

    /// `certificates` are the SHA-256 digests of each authority's client certificates; `adminKey` that of the admin key.
    package init(certificates: [AuthorityID: [Digest]], adminKey: Digest) {
        names = Set(certificates.keys)
        byCertificate = Dictionary(
            certificates.flatMap { name, digests in digests.map { ($0, name) } },
            uniquingKeysWith: { first, _ in first })
        self.adminKey = adminKey
    }

    /// The authority whose client certificate this is; nil for a stranger's.
    package func identify(certificate: [UInt8]) -> AuthorityCaller? {
        let digest = Digest(of: certificate)
        return byCertificate[digest].map { AuthorityCaller(authority: $0, ground: .clientCertificate(digest)) }
    }

    /// The authority in whose place an operator acts; nil where the proof is wrong or no such authority is registered.
    package func identify(operatorFor name: AuthorityID, proof: [UInt8]) -> AuthorityCaller? {
        guard Digest(of: proof) == adminKey, names.contains(name) else { return nil }
        return AuthorityCaller(authority: name, ground: .operatorCommand)
    }

    /// This program itself, acting on what an authority owns.
    package func itself(for name: AuthorityID) -> AuthorityCaller {
        AuthorityCaller(authority: name, ground: .itself)
    }
}
