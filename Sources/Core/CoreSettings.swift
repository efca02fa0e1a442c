import Audit
import HPKI
package import Identity
package import Keys
package import Policies
package import Storage

/// What core needs to know, read from the configuration by the executable.
package struct CoreSettings: Sendable {
    /// The instance's folders and files.
    package struct Paths: Sendable, Hashable {
        package var database: String
        package var auditHead: String
        package var lock: String
        package var adminSocket: String
        package var logKey: String
        package var pseudonymKey: String
        package var claimKey: String
        /// What an operator's command proves itself with; out of front's reach.
        package var adminKey: String

        /// The layout below `home`.
        package init(home: String) {
            database = home + "/data/core.sqlite"
            auditHead = home + "/data/audit.head"
            lock = home + "/run/lock"
            adminSocket = home + "/run/admin.sock"
            logKey = home + "/secrets/log.key"
            pseudonymKey = home + "/secrets/pseudonym.key"
            claimKey = home + "/secrets/claim.key"
            adminKey = home + "/secrets/admin.key"
        }
    }

    /// The PKCS#11 module and the token in it.
    package struct Token: Sendable, Hashable {
        package var module: String
        package var label: String
        /// The file that holds the user PIN.
        package var pinFile: String
        package var sessions: Int
        /// Seconds after which a call counts as hung, and core is started anew.
        package var timeoutSeconds: Int
        /// What receipts call the module: `software token` or `hsm`.
        package var custody: String

        /// A token with all its settings.
        package init(
            module: String, label: String, pinFile: String, sessions: Int, timeoutSeconds: Int, custody: String
        ) {
            self.module = module
            self.label = label
            self.pinFile = pinFile
            self.sessions = sessions
            self.timeoutSeconds = timeoutSeconds
            self.custody = custody
        }
    }

    package var paths: Paths
    /// The log's name.
    package var origin: String
    package var token: Token
    package var issuers: [IssuerSettings]
    package var clients: [ClientRegistration]
    package var window: ActivationWindow
    package var policies: PolicySet
    package var certificates: CertificateWatch.Settings
    /// Certificate policy OIDs that a holder's certificate must name one of.
    package var certificatePolicies: Set<String>
    /// Requests that may be under way at once.
    package var inFlight: Int
    /// Said in the start record: `development` or `production`.
    package var kind: String
    /// The failpoint to arm; nil in production.
    package var failpoint: String?

    /// Settings with all their parts.
    package init(
        paths: Paths, origin: String, token: Token, issuers: [IssuerSettings], clients: [ClientRegistration],
        window: ActivationWindow, policies: PolicySet, certificates: CertificateWatch.Settings,
        certificatePolicies: Set<String>, inFlight: Int, kind: String, failpoint: String?
    ) {
        self.paths = paths
        self.origin = origin
        self.token = token
        self.issuers = issuers
        self.clients = clients
        self.window = window
        self.policies = policies
        self.certificates = certificates
        self.certificatePolicies = certificatePolicies
        self.inFlight = inFlight
        self.kind = kind
        self.failpoint = failpoint
    }
}

/// The tables of core's database: registry, signatures and audit log, so that key state and intent commit together.
package enum CoreSchema {
    /// In the order in which they are made.
    package static let parts = [HolderStore.part, CredentialStore.part, SignatureStore.part, AuditSchema.part]
}
