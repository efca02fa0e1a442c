import CoreProtocol
import HPKI
import Host
import Logging
import Outbound
import Platform
import Web

/// Tells relying systems of logouts, at the addresses that they registered.
struct FrontLogouts: Sendable {
    private static let seconds = 5
    private static let answerLimit = 4096

    private let deliveries: LogoutDeliveries

    /// Reads the authorities that the settings name; throws what cannot be read.
    init(_ settings: WebSettings.Platform, core: any CoreCalling, _ logger: Logger) throws {
        let roots = try settings.logoutAuthorities.map { try Files.read($0, atMost: 1 << 20) }
        let outbound = try Outbound(
            rules: OutboundRules(allowPrivateAddresses: settings.allowPrivateAddresses, trustRootsPEM: roots))
        deliveries = LogoutDeliveries(
            core: core,
            post: { url, form in
                let request = OutboundRequest(
                    url, method: "POST",
                    headers: [
                        OutboundHeader("Content-Type", "application/x-www-form-urlencoded"),
                        OutboundHeader("Accept", "application/json"),
                    ], body: Array(form.utf8), limit: Self.answerLimit, timeoutSeconds: Self.seconds)
                return try? await outbound.send(request).status
            },
            report: { client, cause in
                logger.warning(
                    "a relying system could not be told of a logout",
                    metadata: ["client": "\(client)", "cause": "\(cause)"])
            })
    }

    /// Until its task is cancelled.
    func run() async {
        await deliveries.run()
    }
}
