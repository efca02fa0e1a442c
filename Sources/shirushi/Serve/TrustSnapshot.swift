import Certificates
import Evidence
import HPKI
import Host
import Logging
import Synchronization
import Validation

/// The anchors and revocation lists that prescriptions are judged with, read again every few minutes.
final class TrustSnapshot: Sendable {
    private let folder: String
    private let policies: Set<String>
    private let policy: ValidationPolicy
    private let current: Mutex<(validator: SignatureValidator, realm: TrustRealm)>

    /// What an instance trusts, with the validation policy that it judges by.
    convenience init(home: Home, policies: Set<String>, policy: ValidationPolicy) throws {
        try self.init(folder: home.trust, policies: policies, policy: policy)
    }

    /// Reads `folder` with its `anchors`, `intermediates` and `crls`, and the same of time-stamping authorities in its
    /// `timestamps`.
    ///
    /// A signer's certificate must name one of `policies`, the OIDs of the configuration. `policy` may name more folders.
    init(
        folder: String, policies: Set<String> = PathRequirements.hpkiSigning.acceptablePolicies,
        policy: ValidationPolicy = .standard
    ) throws {
        self.folder = folder
        self.policies = policies
        self.policy = policy
        current = Mutex(try Self.read(folder, policies, policy))
    }

    var validator: SignatureValidator { current.withLock { $0.validator } }

    /// The same anchors and lists, for finding revocation data.
    var realm: TrustRealm { current.withLock { $0.realm } }

    /// Reads the folder again until its task is cancelled; what cannot be read is reported and the old kept.
    func keepFresh(_ logger: Logger) async {
        while (try? await Task.sleep(for: .seconds(300))) != nil {
            do {
                let fresh = try Self.read(folder, policies, policy)
                current.withLock { $0 = fresh }
            } catch { logger.error("the trust folder cannot be read", metadata: ["cause": "\(error)"]) }
        }
    }

    private static func read(
        _ folder: String, _ policies: Set<String>, _ policy: ValidationPolicy
    ) throws -> (SignatureValidator, TrustRealm) {
        let signers = try trust(in: [folder] + policy.signerTrust)
        let own = folder + "/timestamps"
        let stamps = try trust(in: (Files.exists(own + "/anchors") ? [own] : []) + policy.timeStampTrust)
        var requirements = PathRequirements.hpkiSigning
        requirements.acceptablePolicies = policies
        let validator = SignatureValidator(
            trust: signers.trust, crls: signers.crls,
            timeStamps: TimeStampTrust(trust: stamps.trust, crls: stamps.crls), requirements: requirements,
            policy: policy)
        return (validator, TrustRealm(trust: signers.trust, crls: signers.crls))
    }

    /// Everything in several folders together.
    private static func trust(in folders: [String]) throws -> (trust: TrustStore, crls: CRLStore) {
        var anchors: [HPKICertificate] = []
        var intermediates: [HPKICertificate] = []
        for folder in folders {
            let trust = try TrustStore.load(folder: folder)
            anchors += trust.anchors
            intermediates += trust.intermediates
        }
        let trust = TrustStore(anchors: anchors, intermediates: intermediates)
        var crls = CRLStore()
        for folder in folders where Files.exists(folder + "/crls") {
            let held = try CRLStore.load(folder: folder + "/crls", trust: trust)
            if crls.all.isEmpty {
                crls = held
            } else {
                for list in held.all { crls = try crls.adding(list, issuers: anchors + intermediates) }
            }
        }
        return (trust, crls)
    }
}
