package import Certificates
package import Evidence
package import Formats
package import HPKI

/// Where levels above B-B get what they need of third parties: time stamps, certificates, revocation data.
package struct LevelEvidence: Sendable {
    /// A judged time-stamp token in DER over a digest.
    package var stamp: @Sendable (Digest) async throws(Failure) -> [UInt8]
    /// Path and revocation data of a certificate, which may be found among `others`.
    package var material:
        @Sendable (_ certificate: HPKICertificate, _ others: [HPKICertificate]) async throws(Failure) ->
            ValidationMaterial
    /// False where there is no time-stamping authority at all, so that every level above B-B is refused.
    package var isOffered = true

    /// Evidence from these two places.
    package init(
        stamp: @escaping @Sendable (Digest) async throws(Failure) -> [UInt8],
        material:
            @escaping @Sendable (HPKICertificate, [HPKICertificate]) async throws(Failure) -> ValidationMaterial
    ) {
        self.stamp = stamp
        self.material = material
    }

    /// Evidence over the network, as the configuration allows it.
    package init(_ client: TimeStampClient, _ revocation: RevocationData, clock: WallClock) {
        self.init(
            stamp: { (digest) async throws(Failure) in
                do throws(EvidenceError) { return try await client.stamp(digest).token } catch { throw error.failure }
            },
            material: { (certificate, others) async throws(Failure) in
                do throws(EvidenceError) {
                    return try await revocation.material(for: certificate, intermediates: others, at: clock.now())
                } catch { throw error.failure }
            })
        isOffered = client.hasAuthority
    }

    /// No place at all: every level above B-B is refused.
    package static let none: LevelEvidence = {
        var none = LevelEvidence(
            stamp: { _ throws(Failure) in throw notOffered }, material: { _, _ throws(Failure) in throw notOffered })
        none.isOffered = false
        return none
    }()

    private static let notOffered = EvidenceError.noAuthority.failure

    /// What a verifier of a time-stamp token needs.
    func material(ofTimeStamp token: [UInt8]) async throws(Failure) -> ValidationMaterial {
        let read: TimeStampToken
        do { read = try TimeStampToken(der: token) } catch {
            throw Failure(.wrongDocument, "A time stamp of the signature cannot be read: \(error).")
        }
        guard let authority = read.signingCertificate() else {
            throw Failure(.wrongDocument, "A time stamp of the signature does not hold its authority's certificate.")
        }
        var material = try await material(authority, read.certificates)
        // Without it a verifier would have to find the authority's own certificate in the token alone.
        if !material.certificates.contains(authority.der) { material.certificates.insert(authority.der, at: 0) }
        return material
    }
}
