package import HPKI

/// What front asks of core: judge this token, and sign this digest in this form.
package struct SignCommand: Sendable, Hashable {
    /// The request's id as answered to the client, for logs; at most 64 bytes.
    package var requestID: String
    package var token: PresentedToken
    package var form: DocumentForm
    package var shape: SignatureShape
    /// The document's digest: all that core learns of it.
    ///
    /// One to three, each by another function, of which that of the key's algorithm is signed.
    package var digests: [Digest]
    /// The algorithm asked for; nil for the usual one of the key.
    package var algorithm: SignatureAlgorithm?
    /// The credential asked for; nil for the only fitting one.
    package var credential: CredentialID?
    package var idempotency: Idempotency?
    /// What front's validation said of the prescription inside a dispensing result; nil for a prescription.
    package var prescription: PrescriptionJudgement?

    /// A command with all its fields.
    package init(
        requestID: String, token: PresentedToken, form: DocumentForm, shape: SignatureShape = .ofForm,
        digests: [Digest],
        algorithm: SignatureAlgorithm? = nil, credential: CredentialID? = nil, idempotency: Idempotency? = nil,
        prescription: PrescriptionJudgement? = nil
    ) {
        self.requestID = requestID
        self.token = token
        self.form = form
        self.shape = shape
        self.digests = digests
        self.algorithm = algorithm
        self.credential = credential
        self.idempotency = idempotency
        self.prescription = prescription
    }
}

/// The client's `Idempotency-Key` with the digest of the body it came with.
package struct Idempotency: Sendable, Hashable {
    /// 1 to 255 bytes of printable ASCII.
    package let key: String
    /// SHA-256 over the decoded fields of the body, in the order and notation of `Signing`.
    package let body: Digest

    /// A key with its body's digest; nil for a key that is not 1 to 255 printable ASCII characters.
    package init?(key: String, body: Digest) {
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            return nil
        }
        self.key = key
        self.body = body
    }
}

/// The verdict on the prescription that a dispensing result carries, and what the pharmacist acknowledged of it.
package struct PrescriptionJudgement: Sendable, Hashable {
    /// Front refuses a failed prescription itself, so only these two reach core.
    package enum Verdict: UInt8, Sendable, Hashable {
        case passed = 1
        case indeterminate = 2
    }

    package let verdict: Verdict
    /// Why the verdict is indeterminate: stable codes such as `no-path-to-anchor`.
    package let reasons: [String]
    /// The reasons that the pharmacist acknowledged.
    package let acknowledged: [String]

    /// A verdict with its reasons.
    package init(verdict: Verdict, reasons: [String], acknowledged: [String]) {
        self.verdict = verdict
        self.reasons = reasons
        self.acknowledged = acknowledged
    }

    /// Whether every reason was acknowledged, and there is at least one.
    package var isAcknowledged: Bool {
        !reasons.isEmpty && Set(reasons).isSubset(of: Set(acknowledged))
    }
}

/// What core answers to a `SignCommand` that was carried out, now or at an earlier request with the same key.
package struct SignedReply: Sendable, Hashable {
    package let signature: SignatureID
    /// Cut to whole seconds: the SigningTime that was signed.
    package let signedAt: Instant
    /// The end-entity certificate, DER.
    package let certificate: [UInt8]
    package let algorithm: SignatureAlgorithm
    /// The raw signature value: RSA octets, or r‖s for ECDSA.
    package let value: [UInt8]
    package let rule: String
    package let receipt: ReceiptFacts
    /// Whether this is an earlier signature given again.
    package let isReplay: Bool

    /// A reply with all its fields.
    package init(
        signature: SignatureID, signedAt: Instant, certificate: [UInt8], algorithm: SignatureAlgorithm,
        value: [UInt8], rule: String, receipt: ReceiptFacts, isReplay: Bool
    ) {
        self.signature = signature
        self.signedAt = signedAt
        self.certificate = certificate
        self.algorithm = algorithm
        self.value = value
        self.rule = rule
        self.receipt = receipt
        self.isReplay = isReplay
    }
}

/// Where the audit log holds the outcome of a signature.
package struct ReceiptFacts: Sendable, Hashable {
    /// The name of the log: fixed when the instance was made.
    package let origin: String
    /// The position of the outcome's leaf, from 0.
    package let sequence: UInt64
    /// The outcome's leaf, in the notation of `docs/audit-format.md`.
    package let leaf: [UInt8]
    /// The number of leaves when the outcome became durable.
    package let treeSize: UInt64
    /// The root of the Merkle tree over that many leaves (RFC 9162 §2.1.1), 32 bytes.
    package let rootHash: [UInt8]
    /// What kind of module held the key: `software token` or `hsm`.
    package let custody: String

    /// A receipt's facts.
    package init(
        origin: String, sequence: UInt64, leaf: [UInt8], treeSize: UInt64, rootHash: [UInt8], custody: String
    ) {
        self.origin = origin
        self.sequence = sequence
        self.leaf = leaf
        self.treeSize = treeSize
        self.rootHash = rootHash
        self.custody = custody
    }
}

/// What was recorded of one signature, for its own holder.
package struct SignatureFacts: Sendable, Hashable {
    /// How the use of the key ended.
    package enum State: UInt8, Sendable, Hashable {
        /// The intent is durable and no outcome is.
        case open = 0
        case signed = 1
        case failed = 2
        /// Closed at a start after a crash: whether the key was used cannot be known.
        case unknown = 3
    }

    package let signature: SignatureID
    package let state: State
    package let form: DocumentForm
    package let digest: Digest
    package let signedAt: Instant
    package let credential: CredentialID
    package let rule: String
    /// The position of the intent's leaf.
    package let intent: UInt64
    /// The position of the outcome's leaf, once there is one.
    package let outcome: UInt64?

    /// The facts of one signature.
    package init(
        signature: SignatureID, state: State, form: DocumentForm, digest: Digest, signedAt: Instant,
        credential: CredentialID, rule: String, intent: UInt64, outcome: UInt64?
    ) {
        self.signature = signature
        self.state = state
        self.form = form
        self.digest = digest
        self.signedAt = signedAt
        self.credential = credential
        self.rule = rule
        self.intent = intent
        self.outcome = outcome
    }
}
