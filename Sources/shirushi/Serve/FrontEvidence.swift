import Certificates
import Evidence
import HPKI
import Host
import Logging
import Outbound
import Synchronization

/// Front's ways to time stamps and revocation data, as the configuration allows them.
struct FrontEvidence: Sendable {
    let timestamps: TimeStampClient
    let revocation: RevocationData
    private let authorities: Authorities

    /// Reads the anchors of time-stamping authorities; throws what cannot be read.
    init(home: Home, _ configuration: Configuration, trust: TrustSnapshot, _ logger: Logger) throws {
        let settings = configuration.evidence
        let authorities = try Authorities(home.timestamps)
        self.authorities = authorities
        revocation = RevocationData(
            settings.revocation, realms: { [trust.realm, authorities.realm] },
            outbound: try Outbound(
                rules: OutboundRules(
                    allowPrivateAddresses: settings.revocationIsPrivate, allowHTTP: true, redirects: 2)),
            clock: .live, random: .live)
        timestamps = TimeStampClient(
            settings.timestamps, realm: { authorities.realm }, revocation: revocation,
            outbound: try Outbound(
                rules: OutboundRules(allowPrivateAddresses: settings.timestampsArePrivate, allowHTTP: true)),
            clock: .live, random: .live,
            report: { attempt in
                logger.warning(
                    "no time stamp by this authority",
                    metadata: ["authority": "\(attempt.authority)", "cause": "\(attempt.problem)"])
            })
    }

    /// Reads the anchors and lists again every few minutes, until its task is cancelled.
    func keepFresh(_ logger: Logger) async {
        while (try? await Task.sleep(for: .seconds(300))) != nil {
            do { try authorities.readAgain() } catch {
                logger.error(
                    "the trust folder of time-stamping authorities cannot be read", metadata: ["cause": "\(error)"])
            }
        }
    }
}

/// What is trusted for time stamps; instances made before there was such a folder trust nobody.
private final class Authorities: Sendable {
    private let folder: String
    private let current: Mutex<TrustRealm>

    init(_ folder: String) throws {
        self.folder = folder
        current = Mutex(try Self.read(folder))
    }

    var realm: TrustRealm { current.withLock { $0 } }

    func readAgain() throws {
        let fresh = try Self.read(folder)
        current.withLock { $0 = fresh }
    }

    private static func read(_ folder: String) throws -> TrustRealm {
        guard Files.exists(folder + "/anchors") else {
            return TrustRealm(trust: TrustStore(anchors: []), crls: CRLStore())
        }
        return try TrustRealm(folder: folder)
    }
}
