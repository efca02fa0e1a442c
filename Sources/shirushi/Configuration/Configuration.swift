import Core
import HPKI
import Identity
import Keys
import Policies
import Web

/// An instance's configuration: everything that `shirushi.yaml` says, checked.
struct Configuration: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case development
        case production
    }

    /// The PKCS#11 module and what may be used of it.
    struct Module: Sendable {
        var path: String
        var token: String
        var pinFile: String
        var sessions: Int
        var timeoutSeconds: Int
        /// SoftHSM is a software token; it is refused unless it is accepted by name.
        var acceptSoftwareToken: Bool
        /// Set in core's environment alone.
        var environment: [(name: String, value: String)]

        /// What receipts call the module.
        var custody: String { path.contains("softhsm") || acceptSoftwareToken ? "software token" : "hsm" }
    }

    /// Stands for a path that the configuration does not give, so that what else is wrong can be found.
    static let noFile = "/dev/null"

    var kind: Kind
    var origin: String
    var web: WebSettings
    var module: Module
    var issuers: [IssuerSettings]
    var clients: [ClientRegistration]
    var window: ActivationWindow
    var policyFile: String
    var certificates: CertificateWatch.Settings
    var certificatePolicies: Set<String>
    var inFlight: Int
    var requireSynchronisedClock: Bool
    /// Addresses that core may fetch from although they are private, and without TLS: development only.
    var allowPrivateAddresses: Bool
}

/// All faults of a configuration at once, each with its place.
struct ConfigurationFaults: Error, CustomStringConvertible {
    let faults: [String]

    var description: String {
        "the configuration cannot be used:\n" + faults.map { "  - \($0)" }.joined(separator: "\n")
    }
}
