package import Certificates
package import HPKI
import Host
package import Logging
internal import Synchronization

/// Whether certificates hold now: chain, dates, key usage, policy and revocation lists.
package final class CertificateWatch: Sendable {
    /// Where the revocation lists come from, and how old they may grow.
    package struct Settings: Sendable, Hashable {
        /// The folder with `anchors`, `intermediates` and `crls`.
        package var folder: String
        /// Addresses polled beside the folder.
        package var sources: [String]
        /// Seconds between two polls; one hour by default.
        package var pollSeconds: Int64
        /// Seconds after `thisUpdate` from which a list's age raises an alarm; 36 hours by default.
        package var alarmSeconds: Int64

        /// Settings with the defaults of the HPKI authorities' daily lists.
        package init(
            folder: String, sources: [String] = [], pollSeconds: Int64 = 3600, alarmSeconds: Int64 = 36 * 3600
        ) {
            self.folder = folder
            self.sources = sources
            self.pollSeconds = pollSeconds
            self.alarmSeconds = alarmSeconds
        }
    }

    private struct State {
        var crls: CRLStore
        // A judgement holds for the second it was made in; a batch from one holder needs one a second.
        var judged: [CredentialID: (second: Int64, fault: PathFault?)] = [:]
        var fetchFaults: [String] = []
        var generation: UInt64 = 0
    }

    private let settings: Settings
    private let trust: TrustStore
    private let requirements: PathRequirements
    private let fetch: @Sendable (String) async throws -> [UInt8]
    private let state: Mutex<State>

    /// Loads anchors, intermediates and lists; throws for a file that cannot be read.
    package init(
        _ settings: Settings, requirements: PathRequirements,
        fetch: @escaping @Sendable (String) async throws -> [UInt8]
    ) throws(TrustStoreError) {
        self.settings = settings
        self.requirements = requirements
        self.fetch = fetch
        trust = try TrustStore.load(folder: settings.folder)
        state = Mutex(State(crls: try CRLStore.load(folder: settings.folder + "/crls", trust: trust)))
    }

    /// Throws the failure of a certificate that must not be used at `now`.
    package func check(_ credential: Credential, at now: Instant) throws(Failure) {
        let (crls, known) = state.withLock { ($0.crls, $0.judged[credential.id]) }
        let fault: PathFault?
        if let known, known.second == now.seconds {
            fault = known.fault
        } else {
            let validator = PathValidator(trust: trust, crls: crls, requirements: requirements)
            switch validator.judge(credential.certificate, at: now) {
            case .valid: fault = nil
            case .failed(let found), .indeterminate(let found): fault = found
            }
            state.withLock { state in
                if state.judged.count > 100_000 { state.judged = [:] }
                state.judged[credential.id] = (now.seconds, fault)
            }
        }
        guard let fault else { return }
        switch fault {
        case .revocationUnknown, .crlStale:
            throw Failure(
                .revocationUnknown,
                "Whether the certificate is revoked cannot be known at present: \(fault.explanation)",
                reasons: [fault.name], retryAfter: 300
            )
        default:
            throw Failure(
                .credentialUnusable, "The certificate cannot be used: \(fault.explanation)", reasons: [fault.name]
            )
        }
    }

    /// What is wrong with a certificate that is nobody's second key, such as a card's; nil where it holds at `now`.
    package func fault(of certificate: HPKICertificate, at now: Instant) -> PathFault? {
        let crls = state.withLock { $0.crls }
        switch PathValidator(trust: trust, crls: crls, requirements: requirements).judge(certificate, at: now) {
        case .valid: return nil
        case .failed(let found), .indeterminate(let found): return found
        }
    }

    /// Changes whenever lists were read anew.
    package var generation: UInt64 { state.withLock { $0.generation } }

    /// The anchors, intermediates and lists that judgements rest on now.
    package var snapshot: (trust: TrustStore, crls: CRLStore) { (trust, state.withLock { $0.crls }) }

    /// When the newest list that covers the certificate was made; nil where there is none.
    package func newestList(for certificate: HPKICertificate) -> Instant? {
        let crls = state.withLock { $0.crls }
        return (trust.anchors + trust.intermediates).filter { $0.subject == certificate.issuer }
            .compactMap { crls.current(for: certificate, issuedBy: $0)?.thisUpdate }.max()
    }

    /// Takes a list that was delivered: counts from now on, and stays in the folder for the next start and for front.
    ///
    /// Throws `CRLError` for one that no known authority signed or that is older than the one held, and what writing
    /// the file throws.
    package func take(_ list: CertificateRevocationList) throws {
        let issuers = trust.anchors + trust.intermediates
        // Under the lock, so that of two lists at once the newer one is written last.
        try state.withLock { state in
            let crls = try state.crls.adding(list, issuers: issuers)
            guard crls.all.contains(where: { $0.der == list.der }) else { throw CRLError.superseded }
            let name = "delivered-\(Hex.encode(Array(Digest(of: list.issuer.der + list.series).bytes.prefix(8)))).crl"
            try Files.write(list.der, to: settings.folder + "/crls/" + name)
            state.crls = crls
            state.generation &+= 1
            state.judged = [:]
        }
    }

    /// Polls the folder and the sources until its task is cancelled.
    package func run(log: Logger) async {
        while !Task.isCancelled {
            await poll(log: log)
            let stamp = folderStamp
            for _ in 0..<max(1, settings.pollSeconds / Self.lookSeconds) {
                do { try await Task.sleep(for: .seconds(min(settings.pollSeconds, Self.lookSeconds))) } catch { return }
                // A list that an operator lays down counts at once.
                if folderStamp != stamp { break }
            }
        }
    }

    /// How often the folder is looked at for files that have come, gone or changed, in seconds.
    private static let lookSeconds: Int64 = 5

    private var folderStamp: [String: Int64] { Files.changeTimes(in: settings.folder + "/crls") }

    /// Reads the folder again and fetches each source; what cannot be had is reported and the old list kept.
    package func poll(log: Logger) async {
        var faults: [String] = []
        var crls = state.withLock { $0.crls }
        do {
            for list in try CRLStore.load(folder: settings.folder + "/crls", trust: trust).all {
                crls = try crls.adding(list, issuers: trust.anchors + trust.intermediates)
            }
        } catch { faults.append("the folder of revocation lists: \(error)") }
        for source in settings.sources {
            do {
                let list = try await fetch(source)
                crls = try crls.adding(list, issuers: trust.anchors + trust.intermediates)
                // An older one than that held must not take its place at the next start.
                guard crls.all.contains(where: { $0.der == list }) else { continue }
                // Kept beside the others: for front, which judges prescriptions, and for core's next start.
                let name = "fetched-\(Hex.encode(Array(Digest(of: Array(source.utf8)).bytes.prefix(8)))).crl"
                try Files.write(list, to: settings.folder + "/crls/" + name)
            } catch {
                faults.append("the revocation list at \(source): \(error)")
            }
        }
        for fault in faults { log.warning("revocation list not read", metadata: ["fault": "\(fault)"]) }
        let (newLists, newFaults) = (crls, faults)
        state.withLock { state in
            state.crls = newLists
            state.generation &+= 1
            state.judged = [:]
            state.fetchFaults = newFaults
        }
    }

    /// When the first of the lists is due for its successor; nil without lists.
    package var earliestNextUpdate: Instant? {
        state.withLock { $0.crls.all.compactMap(\.nextUpdate).min() }
    }

    /// Sentences for the operator: lists that could not be read, grow old, or are past their `nextUpdate`.
    package func alarms(at now: Instant) -> [String] {
        let (crls, faults) = state.withLock { ($0.crls, $0.fetchFaults) }
        return faults
            + crls.all.compactMap { list in
                let name = list.issuer.commonName ?? list.issuer.text
                if let next = list.nextUpdate, next < now {
                    return "the revocation list of \(name) is past its next update; its keys do not sign"
                }
                if list.thisUpdate.adding(seconds: settings.alarmSeconds) < now {
                    return "the revocation list of \(name) is older than \(settings.alarmSeconds / 3600) hours"
                }
                return nil
            }
    }
}
