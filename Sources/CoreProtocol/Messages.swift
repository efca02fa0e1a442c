package import HPKI

/// What front may ask of core.
package enum CoreRequest: Sendable, Hashable {
    /// Sign one digest in a declared form.
    case sign(SignCommand)
    /// Tell the holder of `token` what was recorded of one signature.
    case lookup(token: PresentedToken, signature: SignatureID)
    /// Give the holder of `token` the evidence of one signature.
    case receipt(token: PresentedToken, signature: SignatureID)
    /// Tell whether `token` makes a known caller, for what needs one and no key.
    case identify(token: PresentedToken)
    /// Record that front refused this caller's input, where the token makes a known caller.
    case refuse(RefusalNotice)
    /// Tell whether core can sign now.
    case health
    /// What only an operator may ask: `proof` is the instance's admin key, which front cannot read.
    case admin(AdminRequest, proof: [UInt8])
    /// What a registration authority, or an operator in its place, asks of the registry.
    case registration(RegistrationCommand)
    /// What a reviewer asks of the log, or a holder of their own keys.
    case review(ReviewCommand)
    /// What front asks and tells of the log's witnesses.
    case witness(WitnessMessage)
    /// What front asks in the course of logins, tokens and logouts.
    case platform(PlatformCommand)
}

/// What front tells of a request that it refused itself, before anything was asked of core.
package struct RefusalNotice: Sendable, Hashable {
    package let requestID: String
    package let token: PresentedToken
    package let form: DocumentForm
    /// Why; nothing of the document.
    package let kind: Failure.Kind

    /// A notice with all its fields.
    package init(requestID: String, token: PresentedToken, form: DocumentForm, kind: Failure.Kind) {
        self.requestID = requestID
        self.token = token
        self.form = form
        self.kind = kind
    }
}

/// What an operator's command may ask of core over `run/admin.sock`.
package enum AdminRequest: Sendable, Hashable {
    /// Compare the token's objects with the registry, and the registry with the log.
    case auditKeys
    /// A ceremony made the wrapping key of an epoch: from now on new keys go under it, and the others are moved.
    case addEpoch(Int64, keyID: [UInt8], checkValue: [UInt8])
    /// A ceremony destroyed the wrapping key of an epoch that no key is under.
    case retireEpoch(Int64)
    /// How far the move to the current epoch is.
    case rotation
    /// A backup was taken now that counts until it expires.
    case noteBackup(String, expiresAt: Instant)
    /// Make a key that signs the log's checkpoints beside the one there is.
    case addCheckpointKey
    /// Sign with the checkpoint key of this id no more.
    case retireCheckpointKey(String)
    /// Erase details of records, or tell which would be.
    case erase(ErasureOrder)
    /// Link a My Number card, by its certificate in DER, to a holder.
    case linkCard(HolderID, certificate: [UInt8])
    /// Unlink a holder's My Number card.
    case unlinkCard(HolderID)
}

/// What core answers.
package enum CoreReply: Sendable, Hashable {
    case signed(SignedReply)
    case signature(SignatureFacts)
    /// A receipt as its holder keeps it (`docs/audit-format.md`, "Receipt"): JSON in UTF-8.
    case receipt([UInt8])
    case health(HealthFacts)
    /// A refusal was recorded or counted, or a caller is known.
    case noted
    case keysReport(KeysReport)
    case rotation(RotationFacts)
    case erasure(ErasureFacts)
    case registration(RegistrationReply)
    case review(ReviewReply)
    /// What to send to a witness; `.noted` where there is nothing.
    case submission(WitnessSubmission)
    case platform(PlatformReply)
    /// The request was not done: kind, detail, rule and retry time reach the caller; a cause never leaves core.
    case failed(Failure)
}

/// Core's own view of its health.
package struct HealthFacts: Sendable, Hashable {
    package let hsm: Bool
    package let audit: Bool
    package let clock: Bool
    /// Plain sentences for the operator: alarms such as an ageing CRL.
    package let alarms: [String]
    /// Counters and gauges by their Prometheus names.
    package let metrics: [Metric]

    /// One value with its Prometheus name.
    package struct Metric: Sendable, Hashable {
        package let name: String
        package let value: Int64

        /// A named value.
        package init(name: String, value: Int64) {
            self.name = name
            self.value = value
        }
    }

    /// Health with its metrics.
    package init(hsm: Bool, audit: Bool, clock: Bool, alarms: [String], metrics: [Metric]) {
        self.hsm = hsm
        self.audit = audit
        self.clock = clock
        self.alarms = alarms
        self.metrics = metrics
    }

    /// Whether a signature could be made now.
    package var isReady: Bool { hsm && audit && clock }
}
