/// Why a request was not done, in the one vocabulary that `Signing`, `Core` and `Web` share.
package struct Failure: Error, Sendable, Hashable {
    /// What went wrong, as far as a caller can act on it; the only switch over it to HTTP stands in `Web`.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        // The request itself.
        case malformedRequest
        case unsupportedMediaType
        case tooLarge
        case tooManyHeaders
        case tooSlow
        case notFound
        case methodNotAllowed
        // The document.
        case invalidBase64
        case invalidCSV
        case invalidXML
        case wrongDocument
        case alreadySigned
        case signatureRejected
        case prescriptionRejected
        case prescriptionIndeterminate
        case prescriptionMismatch
        case foreignNamespace
        // The caller.
        case missingToken
        case invalidToken
        case expiredToken
        case windowElapsed
        case unknownHolder
        case insufficientAuthentication
        case invalidDPoPProof
        case dpopNonceNeeded
        // Logging in, and the client systems that ask for it.
        case loginRequired
        case loginRefused
        case invalidClient
        case invalidGrant
        case unauthorizedClient
        case unsupportedGrantType
        case invalidScope
        case invalidTarget
        case invalidAuthorizationDetails
        // Permission and the key.
        case denied
        case noCredential
        case ambiguousCredential
        case credentialUnusable
        // The registry.
        case unknownAuthority
        case registryConflict
        case wrongState
        case certificateRefused
        case revocationListRefused
        case keyTypeNotOffered
        // Time stamps.
        case timeStampPolicyNotOffered
        case timeStampsNotOffered
        // Repetition.
        case idempotencyConflict
        case idempotencyInFlight
        case idempotencyInDoubt
        case invalidIdempotencyKey
        // Now is not the time.
        case tooManyRequests
        case overloaded
        case judgementTimedOut
        case keyUnavailable
        case auditUnavailable
        case revocationUnknown
        case issuerUnavailable
        case timeStampUnavailable
        case coreUnavailable
        case timedOut
        // Ourselves.
        case unexpected
    }

    package let kind: Kind
    /// One sentence for the caller: safe to show, free of secrets and patients' data.
    package let detail: String
    /// The id of the policy rule that decided, where one did.
    package let rule: String?
    /// Codes that the caller may act on, such as why a prescription's verdict is indeterminate.
    package let reasons: [String]
    /// Seconds after which trying again makes sense.
    package let retryAfter: Int?
    /// For the operator's log only: never sent to a caller, never patients' data.
    package let cause: String?

    /// A failure with what its reader needs.
    package init(
        _ kind: Kind, _ detail: String, rule: String? = nil, reasons: [String] = [], retryAfter: Int? = nil,
        cause: String? = nil
    ) {
        self.kind = kind
        self.detail = detail
        self.rule = rule
        self.reasons = reasons
        self.retryAfter = retryAfter
        self.cause = cause
    }
}
