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
    private let current: Mutex<(validator: SignatureValidator, realm: TrustRealm)>

    convenience init(home: Home, policies: Set<String>) throws {
        try self.init(folder: home.trust, policies: policies)
    }

    /// Reads `folder` with its `anchors`, `intermediates` and `crls`.
    ///
    /// A signer's certificate must name one of `policies`, the OIDs of the configuration.
    init(folder: String, policies: Set<String> = PathRequirements.hpkiSigning.acceptablePolicies) throws {
        self.folder = folder
        self.policies = policies
        current = Mutex(try Self.read(folder, policies))
    }

    var validator: SignatureValidator { current.withLock { $0.validator } }

    /// The same anchors and lists, for finding revocation data.
    var realm: TrustRealm { current.withLock { $0.realm } }

    /// Reads the folder again until its task is cancelled; what cannot be read is reported and the old kept.
    func keepFresh(_ logger: Logger) async {
        while (try? await Task.sleep(for: .seconds(300))) != nil {
            do {
                let fresh = try Self.read(folder, policies)
                current.withLock { $0 = fresh }
            } catch { logger.error("the trust folder cannot be read", metadata: ["cause": "\(error)"]) }
        }
    }

    private static func read(_ folder: String, _ policies: Set<String>) throws -> (SignatureValidator, TrustRealm) {
        let trust = try TrustStore.load(folder: folder)
        let crls =
            Files.exists(folder + "/crls") ? try CRLStore.load(folder: folder + "/crls", trust: trust) : CRLStore()
        var requirements = PathRequirements.hpkiSigning
        requirements.acceptablePolicies = policies
        return (
            SignatureValidator(trust: trust, crls: crls, requirements: requirements),
            TrustRealm(trust: trust, crls: crls)
        )
    }
}
