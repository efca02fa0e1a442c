package import HPKI

/// How each failure looks over HTTP: the only switch over `Failure.Kind`, so that a new kind does not compile
/// before its status, its problem type and its advice stand here.
package enum FailureTable {
    /// One failure's rendering.
    package struct Row: Sendable, Hashable {
        /// The HTTP status.
        package let status: Int
        /// The last part of the problem's type; stable, whatever the kind is called in Swift.
        package let slug: String
        /// The problem's title (RFC 9457 §3.1.3): the same for every occurrence.
        package let title: String
        /// What the caller does next.
        package let next: String
        /// What the operator does.
        package let operatorAction: String
        /// The error code of RFC 6749 §5.2 or RFC 6750 §3.1, where one fits.
        package let oauthError: String?
        /// Seconds of `Retry-After` unless the failure says otherwise.
        package let retryAfter: Int?

        fileprivate init(
            _ status: Int, _ slug: String, _ title: String, next: String, operator operatorAction: String = "Nothing.",
            oauth oauthError: String? = nil, retryAfter: Int? = nil
        ) {
            self.status = status
            self.slug = slug
            self.title = title
            self.next = next
            self.operatorAction = operatorAction
            self.oauthError = oauthError
            self.retryAfter = retryAfter
        }

        /// The problem's type (RFC 9457 §3.1.1).
        package var type: String { "urn:shirushi:problem:\(slug)" }
    }

    /// The row of one kind.
    package static func row(_ kind: Failure.Kind) -> Row {
        switch kind {
        // The request itself.
        case .malformedRequest:
            Row(
                400, "malformed-request", "The request is malformed", next: "Correct the request as the detail says.",
                oauth: "invalid_request"
            )
        case .unsupportedMediaType:
            Row(
                415, "unsupported-media-type", "The body is not JSON",
                next: "Send the body as JSON with Content-Type: application/json.", oauth: "invalid_request"
            )
        case .tooLarge:
            Row(
                413, "too-large", "The request is too large", next: "Send a smaller body.",
                operator: "Raise limits.bodyBytes if documents of this size are meant to be signed.",
                oauth: "invalid_request"
            )
        case .tooManyHeaders:
            Row(
                431, "too-many-headers", "The request has too many header fields",
                next: "Send fewer and shorter header fields.",
                operator: "Look for a proxy that adds fields; limits.headerCount and limits.headerBytes bound them.",
                oauth: "invalid_request"
            )
        case .tooSlow:
            Row(
                408, "too-slow", "The request did not arrive in time",
                next: "Send the whole request at once on a new connection.",
                operator: "Many of these together: a slow network, or an attack that holds connections open."
            )
        case .notFound:
            Row(404, "not-found", "Nothing is here", next: "Check the address and the identifier in it.")
        case .methodNotAllowed:
            Row(
                405, "method-not-allowed", "This address does not take this method",
                next: "Use a method that the Allow field names."
            )
        // The document.
        case .invalidBase64:
            Row(
                400, "invalid-base64", "A field is not Base64",
                next: "Encode the field with the standard alphabet and padding (RFC 4648 §4), without line breaks."
            )
        case .invalidCSV:
            Row(
                422, "invalid-csv", "The CSV is not acceptable",
                next: "Correct the CSV: UTF-8, lines ended by LF, the first line SJ1 or CJ1."
            )
        case .invalidXML:
            Row(422, "invalid-xml", "The XML is not acceptable", next: "Correct the document as the detail says.")
        case .wrongDocument:
            Row(
                422, "wrong-document", "This is another kind of document",
                next: "Read the detail. Prescriptions go to /v1/prescriptions, dispensing records to /v1/dispensings."
            )
        case .alreadySigned:
            Row(422, "already-signed", "The document is signed already", next: "Post the unsigned document.")
        case .signatureRejected:
            Row(
                422, "signature-rejected", "The signature does not hold",
                next: "Have the document judged by /v1/validations, and ask its signer for the original."
            )
        case .prescriptionRejected:
            Row(
                422, "prescription-rejected", "The prescription's signature does not hold",
                next: "Do not dispense on this prescription; ask its sender for the original."
            )
        case .prescriptionIndeterminate:
            Row(
                409, "prescription-indeterminate", "The prescription's signature cannot be judged",
                next: "If the pharmacist takes responsibility, repeat with the reasons in the field acknowledge.",
                operator: "Check the anchors, intermediates and CRLs under trust/ for the signer's authority."
            )
        case .prescriptionMismatch:
            Row(
                422, "prescription-mismatch", "The dispensing record belongs to another prescription",
                next: "Correct record 7 of the CSV, or send the prescription that it names."
            )
        case .foreignNamespace:
            Row(
                422, "foreign-namespace", "A namespace declaration would change what is signed",
                next: "Send the document without namespace declarations other than xmlns:xsi around the signed element."
            )
        // The caller.
        case .missingToken:
            Row(
                401, "missing-token", "An access token is needed",
                next: "Send one Authorization field: Bearer and the access token."
            )
        case .invalidToken:
            Row(
                401, "invalid-token", "The access token is not accepted",
                next: "Obtain an access token from a registered issuer for this service.",
                operator:
                    "If a known client is refused, compare its token's iss, aud and kid with issuers in the configuration.",
                oauth: "invalid_token"
            )
        case .expiredToken:
            Row(
                401, "expired-token", "The access token has expired", next: "Obtain a fresh access token.",
                operator: "If fresh tokens are refused, compare the clocks of issuer and service.",
                oauth: "invalid_token"
            )
        case .windowElapsed:
            Row(
                401, "window-elapsed", "The holder's authentication is too old",
                next: "Let the holder authenticate again; a refreshed token does not extend the window.",
                oauth: "invalid_token"
            )
        case .unknownHolder:
            Row(
                403, "unknown-holder", "The token's subject is not a registered holder",
                next: "Register the holder before signing.",
                operator: "Compare the token's iss and sub with the holders of that issuer.", oauth: "access_denied"
            )
        case .insufficientAuthentication:
            Row(
                401, "insufficient-authentication", "A newer or another login is needed",
                next: "Have the user log in again, with the acr_values and max_age that the answer names (RFC 9470).",
                oauth: "insufficient_user_authentication"
            )
        case .invalidDPoPProof:
            Row(
                401, "invalid-dpop-proof", "The proof of the token's key does not hold",
                next: "Make a new DPoP proof for this very request with the key that the token is bound to (RFC 9449).",
                oauth: "invalid_dpop_proof"
            )
        case .dpopNonceNeeded:
            Row(
                401, "dpop-nonce-needed", "The proof needs the nonce of this service",
                next: "Ask again with a proof that has the nonce of the answer's DPoP-Nonce field.",
                oauth: "use_dpop_nonce"
            )
        // Logging in, and the client systems that ask for it.
        case .loginRequired:
            Row(
                401, "login-required", "Somebody has to log in",
                next: "Send the user to the authorization endpoint without prompt=none.", oauth: "login_required"
            )
        case .loginRefused:
            Row(
                403, "login-refused", "The login is refused",
                next: "Look up the code of the page under /help and do what it says.", oauth: "access_denied"
            )
        case .invalidClient:
            Row(
                401, "invalid-client", "The client system is not known or did not prove who it is",
                next: "Check client_id, and the key or certificate that is registered for it.",
                operator: "See shirushi client show for what is registered.", oauth: "invalid_client"
            )
        case .invalidGrant:
            Row(
                400, "invalid-grant", "The code or refresh token is not valid (any more)",
                next: "Start the login anew at the authorization endpoint.", oauth: "invalid_grant"
            )
        case .unauthorizedClient:
            Row(
                400, "unauthorized-client", "The client system may not do this",
                next: "Use what the client's profile prescribes, such as a pushed authorization request.",
                operator: "Change the client's registration if it is to be allowed.", oauth: "unauthorized_client"
            )
        case .unsupportedGrantType:
            Row(
                400, "unsupported-grant-type", "The grant type is not offered",
                next: "Use authorization_code or refresh_token.", oauth: "unsupported_grant_type"
            )
        case .invalidScope:
            Row(
                400, "invalid-scope", "A scope is not one that the client may have",
                next: "Ask for scopes that are registered for the client.", oauth: "invalid_scope"
            )
        case .invalidTarget:
            Row(
                400, "invalid-target", "The resource is not one that the client may have tokens for",
                next: "Ask for a resource that is registered for the client (RFC 8707).", oauth: "invalid_target"
            )
        case .invalidAuthorizationDetails:
            Row(
                400, "invalid-authorization-details", "The authorization_details are not ones that the client may have",
                next: "Ask for a type that is registered for the client, with its members (RFC 9396), or for less.",
                oauth: "invalid_authorization_details"
            )
        // Permission and the key.
        case .denied:
            Row(
                403, "denied", "The policy denies this",
                next: "Read the rule that is named; a holder with the qualification must sign.",
                operator: "The rule's id leads to its text under policies/.", oauth: "access_denied"
            )
        case .noCredential:
            Row(
                409, "no-credential", "No credential fits",
                next: "Register a credential of the qualification that this document needs.", oauth: "access_denied"
            )
        case .ambiguousCredential:
            Row(
                409, "ambiguous-credential", "Several credentials fit",
                next: "Name one of them in the field credentialID.", oauth: "invalid_request"
            )
        case .credentialUnusable:
            Row(
                409, "credential-unusable", "The credential cannot be used",
                next: "Use another credential, or have this one renewed.",
                operator: "The detail says whether the certificate has expired, is revoked or was suspended.",
                oauth: "access_denied"
            )
        // The registry.
        case .unknownAuthority:
            Row(
                403, "unknown-authority", "The certificate belongs to no registered authority",
                next: "Connect with the client certificate that the operator registered for your authority.",
                operator: "Compare the certificate's SHA-256 with authorities in the configuration."
            )
        case .registryConflict:
            Row(
                409, "registry-conflict", "The registry holds something else under this name",
                next: "Read what is registered, and use another name for something new."
            )
        case .wrongState:
            Row(
                409, "wrong-state", "The credential's state does not allow this",
                next: "Read the credential's state; the detail says which states allow the act."
            )
        case .certificateRefused:
            Row(
                422, "certificate-refused", "The certificate is not accepted",
                next: "Issue a certificate without the faults that reasons names, and deliver it again.",
                operator: "Where the path is at fault: the authority's certificates belong into trust/."
            )
        case .revocationListRefused:
            Row(
                422, "revocation-list-refused", "The revocation list is not accepted",
                next: "Deliver the newest list of one of your issuers, in DER.",
                operator: "The issuer's certificate must stand in trust/."
            )
        case .keyTypeNotOffered:
            Row(
                422, "key-type-not-offered", "Keys of this type are not made here",
                next: "Order one of the types that the detail names.",
                operator: "keys.offered in the configuration names them."
            )
        // Time stamps.
        case .timeStampPolicyNotOffered:
            Row(
                422, "time-stamp-policy-not-offered", "No time stamps of this policy are made",
                next: "Name another policy in the field policy, or none.",
                operator: "timestamps.authorities in the configuration names the policies of each authority.",
                oauth: "invalid_request"
            )
        case .timeStampsNotOffered:
            Row(
                501, "time-stamps-not-offered", "This service has no time-stamping authority",
                next: "Ask the operator whether time stamps are meant to be offered here.",
                operator: "Name an authority in timestamps.authorities, and its anchor in trust/timestamps/anchors."
            )
        // Repetition.
        case .idempotencyConflict:
            Row(
                409, "idempotency-conflict", "The idempotency key was used for another body",
                next: "Use a new Idempotency-Key for a new request."
            )
        case .idempotencyInFlight:
            Row(
                409, "idempotency-in-flight", "The first request with this idempotency key is still being done",
                next: "Repeat the same request after a moment.", retryAfter: 1
            )
        case .idempotencyInDoubt:
            Row(
                409, "idempotency-in-doubt", "It cannot be known whether the first request was signed",
                next: "Decide yourself whether to sign again, and do so under a new Idempotency-Key.",
                operator: "The audit shows the intent, closed as unknown."
            )
        case .invalidIdempotencyKey:
            Row(
                400, "invalid-idempotency-key", "The idempotency key is not acceptable",
                next: "Send one Idempotency-Key of 1 to 255 printable ASCII characters.", oauth: "invalid_request"
            )
        // Now is not the time.
        case .tooManyRequests:
            Row(
                429, "too-many-requests", "This client sends too much at once",
                next: "Send fewer requests at a time, or smaller ones; repeat after Retry-After.",
                operator: "limits.perClient, limits.perClientRate and timestamps.perClientMinute bound each client.",
                oauth: "temporarily_unavailable", retryAfter: 1
            )
        case .overloaded:
            Row(
                503, "overloaded", "The service is overloaded", next: "Repeat after Retry-After.",
                operator: "limits.queue bounds the work in flight, limits.judgements what is judged at once.",
                oauth: "temporarily_unavailable", retryAfter: 1
            )
        case .judgementTimedOut:
            Row(
                503, "judgement-timed-out", "The signatures could not be judged in time",
                next: "Repeat after Retry-After. If it fails again, judge the document with shirushi verify instead.",
                operator: "limits.answerSeconds bounds it. One document alone: it was made to take long.",
                oauth: "temporarily_unavailable", retryAfter: 5
            )
        case .keyUnavailable:
            Row(
                503, "key-unavailable", "The key cannot be reached now",
                next: "Repeat the same request after Retry-After, with its Idempotency-Key if it had one.",
                operator: "Look at the HSM; the log names the fault.",
                oauth: "temporarily_unavailable", retryAfter: 5
            )
        case .auditUnavailable:
            Row(
                503, "audit-unavailable", "Nothing is signed while the audit cannot be written",
                next: "Repeat the same request after Retry-After, with its Idempotency-Key if it had one.",
                operator: "Look at the disk of the data folder: full, read-only or failing.",
                oauth: "temporarily_unavailable", retryAfter: 30
            )
        case .revocationUnknown:
            Row(
                503, "revocation-unknown", "It cannot be known whether the certificate is revoked",
                next: "Repeat the same request after Retry-After, with its Idempotency-Key if it had one.",
                operator: "Fetch a current CRL of the authority; the alarms in the log name it.",
                oauth: "temporarily_unavailable", retryAfter: 60
            )
        case .issuerUnavailable:
            Row(
                503, "issuer-unavailable", "The keys of the token's issuer cannot be fetched",
                next: "Repeat the same request after Retry-After, with its Idempotency-Key if it had one.",
                operator: "Look whether the address of the issuer's keys (issuers.jwks) answers from this machine.",
                oauth: "temporarily_unavailable", retryAfter: 10
            )
        case .timeStampUnavailable:
            Row(
                503, "time-stamp-unavailable", "No time stamp can be had now",
                next: "Repeat the same request after Retry-After, with its Idempotency-Key if it had one.",
                operator: "The log says of each time-stamping authority what was wrong with it or its answer.",
                oauth: "temporarily_unavailable", retryAfter: 30
            )
        case .coreUnavailable:
            Row(
                503, "core-unavailable", "The signing process is not available",
                next: "Repeat the same request after Retry-After, with its Idempotency-Key if it had one.",
                operator: "The supervisor restarts core by itself; the log says why it ended.",
                oauth: "temporarily_unavailable", retryAfter: 2
            )
        case .timedOut:
            Row(
                503, "timed-out", "The answer did not come in time",
                next: "Repeat with the same Idempotency-Key: nothing is signed twice under it.",
                operator: "See the latency of the HSM and of the disk in the metrics.",
                oauth: "temporarily_unavailable", retryAfter: 2
            )
        // Ourselves.
        case .unexpected:
            Row(
                500, "unexpected", "The service failed", next: "Report the request id to the operator.",
                operator: "Find the request id in the log and report the fault with its cause.", oauth: "server_error"
            )
        }
    }
}

extension FailureTable {
    /// The table of `docs/failures.md`, in the order of the kinds.
    package static var markdown: String {
        var text = """
            | Status | Type `urn:shirushi:problem:…` | Title | What the caller does | What the operator does |
            |---|---|---|---|---|

            """
        for kind in Failure.Kind.allCases {
            let row = row(kind)
            let retry = row.retryAfter.map { " (`Retry-After: \($0)`)" } ?? ""
            text += "| \(row.status) | `\(row.slug)` | \(row.title) | \(row.next)\(retry) | \(row.operatorAction) |\n"
        }
        return text
    }
}
