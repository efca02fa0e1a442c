package import Audit
import AuditIndex
import HPKI
package import Identity
package import Keys
package import PKCS11
package import Policies
package import Storage
package import Transparency

/// What core needs to know, read from the configuration by the executable.
package struct CoreSettings: Sendable {
    /// The instance's folders and files.
    package struct Paths: Sendable, Hashable {
        package var database: String
        package var auditHead: String
        /// What a start need not hash again.
        package var auditMark: String
        /// What makes the log searchable; follows from it.
        package var auditIndex: String
        package var lock: String
        package var adminSocket: String
        package var logKey: String
        /// The seeds of the keys that sign the log's checkpoints.
        package var checkpointKey: String
        package var pseudonymKey: String
        package var claimKey: String
        /// What an operator's command proves itself with; out of front's reach.
        package var adminKey: String
        /// Seals wrapped keys for the places where they stand.
        package var custodyKey: String
        /// A witness's proof that the log was rolled back or forked; no start serves while the log contradicts it.
        package var contradiction: String
        /// Left by a restore; names it.
        package var restored: String
        /// The keys that sign the platform's tokens.
        package var tokenKeys: String

        /// The layout below `home`.
        package init(home: String) {
            database = home + "/data/core.sqlite"
            auditHead = home + "/data/audit.head"
            auditMark = home + "/data/audit.mark"
            auditIndex = home + "/data/audit-index.sqlite"
            lock = home + "/run/lock"
            adminSocket = home + "/run/admin.sock"
            logKey = home + "/secrets/log.key"
            checkpointKey = home + "/secrets/checkpoint.key"
            pseudonymKey = home + "/secrets/pseudonym.key"
            claimKey = home + "/secrets/claim.key"
            adminKey = home + "/secrets/admin.key"
            custodyKey = home + "/secrets/custody.key"
            contradiction = home + "/data/audit.contradiction"
            restored = home + "/data/restored"
            tokenKeys = home + "/secrets/token.keys"
        }
    }

    /// The PKCS#11 module and the token in it.
    package struct Token: Sendable {
        package var module: String
        package var label: String
        /// Reads the user PIN: from a file, the environment or a systemd credential, as the configuration says.
        package var pin: @Sendable () throws -> PIN
        package var sessions: Int
        /// Seconds after which a call counts as hung, and core is started anew.
        package var timeoutSeconds: Int
        /// What receipts call the module: `software token` or `hsm`.
        package var custody: String
        /// What `C_Initialize` is given besides, for modules that need it.
        package var initializeArguments: String?

        /// A token with all its settings.
        package init(
            module: String, label: String, pin: @escaping @Sendable () throws -> PIN, sessions: Int,
            timeoutSeconds: Int, custody: String, initializeArguments: String? = nil
        ) {
            self.initializeArguments = initializeArguments
            self.module = module
            self.label = label
            self.pin = pin
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
    package var registration: RegistrationSettings
    /// For how long the log's details are kept.
    package var retention: Retention
    /// The keys of the witnesses that cosign the log's checkpoints.
    package var witnesses: [NoteKey]
    /// Nil where this instance is no authentication platform.
    package var platform: PlatformSettings?
    /// Said in the start record: `development` or `production`.
    package var kind: String
    /// The failpoint to arm; nil in production.
    package var failpoint: String?

    /// Settings with all their parts.
    package init(
        paths: Paths, origin: String, token: Token, issuers: [IssuerSettings], clients: [ClientRegistration],
        window: ActivationWindow, policies: PolicySet, certificates: CertificateWatch.Settings,
        certificatePolicies: Set<String>, registration: RegistrationSettings,
        retention: Retention = Retention(), inFlight: Int, kind: String, witnesses: [NoteKey] = [],
        platform: PlatformSettings? = nil, failpoint: String?
    ) {
        self.registration = registration
        self.retention = retention
        self.witnesses = witnesses
        self.platform = platform
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
    package static let parts = [
        HolderStore.part, CredentialStore.part, WrappingEpochStore.part, SignatureStore.part, ImportStore.part,
        BackupStore.part, AuditSchema.part, ErasureSchema.part, EndedLogins.part, SessionStore.part, GrantStore.part,
        CardLinkStore.part, LogoutNoticeStore.part,
    ]
}
