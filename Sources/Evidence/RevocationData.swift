package import Certificates
package import Formats
package import HPKI
package import Outbound
import Synchronization

/// Finds what shows whether the certificates of a path are revoked: lists at hand, lists and OCSP answers fetched.
///
/// Places come from the certificates of a path to an anchor alone, so no stranger's certificate leads anywhere. A list
/// or answer counts after its signature was verified; what it says is for a validator to judge.
package struct RevocationData: Sendable {
    let settings: RevocationSettings
    let realms: @Sendable () -> [TrustRealm]
    let outbound: Outbound
    let clock: WallClock
    let random: Random
    let memory: Memory

    /// What all copies share.
    final class Memory: Sendable {
        let seen: SeenLists
        let lists: SingleFlight<CertificateRevocationList>
        let answers: SingleFlight<OCSPResponse>
        /// When each address last gave a list, and the answers that responders gave, by certificate.
        let fetched = Mutex<[String: Instant]>([:])
        let answered = Mutex<[Digest: OCSPResponse]>([:])

        init(_ settings: RevocationSettings, clock: WallClock) {
            seen = SeenLists(folder: settings.folder, limit: settings.keptBytes)
            lists = SingleFlight(clock: clock, retrySeconds: settings.retrySeconds)
            answers = SingleFlight(clock: clock, retrySeconds: settings.retrySeconds)
        }
    }

    /// A finder that looks for paths in each of `realms`, in their order, as they are at the moment of asking.
    package init(
        _ settings: RevocationSettings, realms: @escaping @Sendable () -> [TrustRealm], outbound: Outbound,
        clock: WallClock, random: Random
    ) {
        self.settings = settings
        self.realms = realms
        self.outbound = outbound
        self.clock = clock
        self.random = random
        memory = Memory(settings, clock: clock)
    }

    /// The certificates above `certificate` up to its anchor, and a list or answer for it and each below the anchor that
    /// was not yet to be replaced at `instant`.
    ///
    /// Throws `.noPath` and `.revocationUnavailable`.
    package func material(
        for certificate: HPKICertificate, intermediates: [HPKICertificate] = [], at instant: Instant
    ) async throws(EvidenceError) -> ValidationMaterial {
        let proof = try await proof(for: certificate, intermediates: intermediates, at: instant, in: realms())
        var material = ValidationMaterial(certificates: proof.chain.dropFirst().map(\.der))
        for found in proof.found {
            switch found {
            case .list(let list): if !material.crls.contains(list.der) { material.crls.append(list.der) }
            case .answer(let answer): material.ocspResponses.append(answer.der)
            }
        }
        return material
    }

    /// What was found for one certificate.
    enum Found: Sendable {
        case list(CertificateRevocationList)
        case answer(OCSPResponse)
    }

    /// A path from a certificate to an anchor, and what was found for each certificate but the anchor.
    struct Proof: Sendable {
        let chain: [HPKICertificate]
        let found: [Found]
    }

    func proof(
        for certificate: HPKICertificate, intermediates: [HPKICertificate], at instant: Instant, in realms: [TrustRealm]
    ) async throws(EvidenceError) -> Proof {
        let (chain, crls) = try Self.path(of: certificate, intermediates, at: instant, in: realms)
        var found: [Found] = []
        for (member, issuer) in zip(chain, chain.dropFirst()) {
            found.append(try await self.found(for: member, issuedBy: issuer, at: instant, crls))
        }
        return Proof(chain: chain, found: found)
    }

    private static func path(
        of certificate: HPKICertificate, _ intermediates: [HPKICertificate], at instant: Instant,
        in realms: [TrustRealm]
    ) throws(EvidenceError) -> ([HPKICertificate], CRLStore) {
        var requirements = PathRequirements(
            acceptablePolicies: [], keyUsage: [], keyUsageIsExact: false,
            // What the certificate is for is asked by those who judge it.
            extendedKeyUsage: certificate.extensions.isExtendedKeyUsageCritical
                ? certificate.extensions.extendedKeyUsages.first : nil,
            revocation: .notChecked)
        requirements.keyUsageMayBeAbsent = true
        requirements.mayBeAuthority = true
        var worst = PathFault.noPathToAnchor
        for realm in realms {
            let validator = PathValidator(trust: realm.trust, crls: realm.crls, requirements: requirements)
            do throws(PathFault) {
                let chain = try validator.judge(certificate, intermediates: intermediates, at: instant).holder().chain
                return (chain, realm.crls)
            } catch {
                if worst == .noPathToAnchor { worst = error }
            }
        }
        throw .noPath(worst)
    }

    /// What is at hand, then what a responder says, then a list fetched, then one fetched before that still holds.
    private func found(
        for certificate: HPKICertificate, issuedBy issuer: HPKICertificate, at instant: Instant, _ crls: CRLStore
    ) async throws(EvidenceError) -> Found {
        func isFit(_ list: CertificateRevocationList) -> Bool {
            // Lists forget certificates that have expired, as HPKI authorities' do.
            list.covers(certificate) && list.thisUpdate <= certificate.notAfter
                && list.nextUpdate.map { instant <= $0 } ?? false
        }
        let seen = memory.seen.newest(by: issuer, at: instant, isFit)
        if let list = crls.current(for: certificate, issuedBy: issuer), isFit(list) {
            guard let seen, seen.isNewer(than: list) else { return .list(list) }
            return .list(seen)
        }
        let places = certificate.crlDistributionPoints.filter(settings.permits)
        if let seen, isRecent(places) || certificate.notAfter < clock.now() { return .list(seen) }
        var problems: [String] = []
        for place in certificate.extensions.ocspResponders.prefix(4).filter(settings.permits) {
            switch await answer(of: place, about: certificate, issuedBy: issuer, at: instant, crls) {
            case .success(let response): return .answer(response)
            case .failure(let fault): problems.append("\(place): \(fault.problem)")
            }
        }
        for place in places.prefix(4) {
            switch await list(at: place, by: issuer) {
            case .success(let list) where isFit(list): return .list(list)
            case .success: problems.append("\(place): the list is not for this certificate or moment")
            case .failure(let fault): problems.append("\(place): \(fault.problem)")
            }
        }
        if let seen { return .list(seen) }
        throw .revocationUnavailable(subject: certificate.subject.text, problems: problems)
    }

    /// Whether one of the places gave a list a short while ago.
    private func isRecent(_ places: [String]) -> Bool {
        let now = clock.now()
        return memory.fetched.withLock { fetched in
            places.contains { fetched[$0].map { now < $0.adding(seconds: settings.refreshSeconds) } ?? false }
        }
    }
}
