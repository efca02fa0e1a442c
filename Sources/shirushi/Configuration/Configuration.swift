import Audit
import Core
import Evidence
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
        /// Where the user PIN is read from: never an argument.
        var pin: PINSource
        /// What `C_Initialize` is given besides, for modules that need it.
        var initializeArguments: String?
        var sessions: Int
        var timeoutSeconds: Int
        /// SoftHSM is a software token; it is refused unless it is accepted by name.
        var acceptSoftwareToken: Bool
        /// Set in core's environment alone.
        var environment: [(name: String, value: String)]

        /// The file that holds the PIN; nil where it comes from somewhere else.
        var pinFilePath: String? { if case .file(let path) = pin { path } else { nil } }

        /// What receipts call the module.
        var custody: String { path.contains("softhsm") || acceptSoftwareToken ? "software token" : "hsm" }
    }

    /// Where a PIN comes from.
    enum PINSource: Sendable, Hashable {
        case file(String)
        /// A variable of the environment, taken out of it as soon as it is read.
        case environment(String)
        /// A file below `$CREDENTIALS_DIRECTORY` (systemd's LoadCredential and SetCredentialEncrypted).
        case credential(String)
    }

    /// An authority as the file names it; its certificates are read when core starts.
    struct Authority: Sendable {
        var name: AuthorityID
        var clientCertificates: [String]
        var issuers: [String]
        var roles: [String]
    }

    /// Where keys are kept and which are made.
    struct Keys: Sendable {
        var mode: RegistrationSettings.Mode
        var offers: [RegistrationSettings.Offer]
        var cacheSize: Int
        var cacheSeconds: Int64
        var roles: [String]
    }

    /// Time stamps and revocation data over the network.
    struct Evidence: Sendable {
        var timestamps: TimeStampSettings
        /// Time stamps a minute that each client may have; 0 for any number.
        var timestampsPerClientMinute: Int
        /// Whether authorities may have private addresses.
        var timestampsArePrivate: Bool
        var revocation: RevocationSettings
        /// Whether certificates may name private addresses.
        var revocationIsPrivate: Bool
        /// The port of the development authority; nil for none.
        var developmentPort: Int?
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
    /// What is judged by; nil for the policy that ships.
    var validationPolicyFile: String?
    var certificates: CertificateWatch.Settings
    var certificatePolicies: Set<String>
    var authorities: [Authority]
    var keys: Keys
    var evidence: Evidence
    var witnesses: Witnesses
    /// Nil where the instance is no authentication platform.
    var platform: Platform?
    /// For how long the log's details are kept.
    var retention: Retention
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
