import Audit
import Certificates
package import CoreProtocol
import Formats
package import HPKI
import Host
import Identity
package import Keys
import Policies
import Storage

/// The one way to a signature: judge the token, ask the policy, build the bytes, record, use the key, record, answer.
///
/// Each step needs the ticket that the step before it gave, so the compiler holds the order.
package struct Sign: Sendable {
    let identification: TokenIdentification
    let policies: PolicySet
    let clients: RegisteredClients
    let choice: CredentialChoice
    let watch: CertificateWatch
    package let custody: KeyCustody
    let log: AuditLog
    let replay: Replay
    let clock: WallClock
    let random: Random
    let failpoint: Failpoint
    /// How long a request may wait for the key.
    let keyPatience: Duration

    /// The nonce that proofs of possession must have now (RFC 9449 §8).
    package var nonce: String { identification.nonce }

    /// Signs what `command` asks for, or gives the signature of an earlier request with the same `Idempotency-Key`.
    ///
    /// A refusal of a known caller is recorded before it is thrown. Behind the intent nothing is cancelled: a client
    /// that hangs up leaves no open intent.
    package func callAsFunction(_ command: SignCommand) async throws(Failure) -> SignedReply {
        let caller: Caller
        do { caller = try await identification.identify(command.token) } catch { throw error.failure }
        failpoint.pass("core.token-checked")
        do {
            return try await sign(command, as: caller)
        } catch {
            try await record(error, of: caller, command)
            throw error
        }
    }

    private func sign(_ command: SignCommand, as caller: Caller) async throws(Failure) -> SignedReply {
        let action = Action.signDocument(command.form)
        let claim = command.idempotency.map { replay.claim($0, of: caller, form: command.form) }
        let activation = try activate(caller)
        if let claim, let earlier = try await replay.reply(to: claim, of: caller) { return earlier }
        let now = clock.now()
        let credential = try await choice.credential(command.credential, of: caller) { credential in
            policies.decide(action, PolicyAsker(caller), facts(command, caller, credential, at: now)).permits
        }
        let key = try key(of: credential, for: command)
        let digest = try digest(of: command, for: key)
        let permit = try permit(action, on: digest, command, caller, activation, credential, at: now)
        try watch.check(credential, at: now)
        let id = SignatureID(random: random)
        let signature = try bytesToSign(for: permit, command.shape, key, credential, id, at: now)
        let use = use(of: credential, on: signature.bytesToSign, id, command)
        failpoint.pass("core.before-intent")
        let lease = try lease(of: credential)
        let intent = try await recordIntent(permit, use, signature, claim)
        failpoint.pass("core.after-intent")
        let value = try await useKey(intent, key, lease)
        let recorded = try await recordOutcome(value, use.signature, credential, keep: claim != nil)
        failpoint.pass("core.after-outcome")
        return SignedReply(
            signature: use.signature, signedAt: signature.signingTime, certificate: credential.certificate.der,
            algorithm: key.algorithm, value: recorded.value, rule: signature.rule,
            receipt: recorded.receipt.entry.facts(origin: log.origin, custody: custody.custody), isReplay: false
        )
    }

    // MARK: The steps

    private func activate(_ caller: Caller) throws(Failure) -> Activation {
        do { return try identification.activate(caller) } catch { throw error.failure }
    }

    /// The key with the algorithm that was asked for.
    private func key(of credential: Credential, for command: SignCommand) throws(Failure) -> SigningKey {
        guard let algorithm = command.algorithm else { return credential.key }
        guard let key = credential.key.signing(by: algorithm) else {
            throw Failure(
                .credentialUnusable,
                "The key does not sign by \(algorithm.rawValue); its usual algorithm is \(credential.algorithm.rawValue)."
            )
        }
        return key
    }

    /// CMS hashes the content and what is signed beside it with one function, which is that of the key's algorithm.
    private func digest(of command: SignCommand, for key: SigningKey) throws(Failure) -> Digest {
        let function = key.algorithm.digestAlgorithm
        let fitting =
            command.shape == .cades ? command.digests.first { $0.algorithm == function } : command.digests.first
        guard let fitting else {
            throw Failure(
                .malformedRequest,
                "The key signs by \(key.algorithm.rawValue), so the digest must be by \(function.rawValue)."
            )
        }
        return fitting
    }

    private func permit(
        _ action: Action, on digest: Digest, _ command: SignCommand, _ caller: Caller, _ activation: Activation,
        _ credential: Credential, at now: Instant
    ) throws(Failure) -> Permit {
        let facts = facts(command, caller, credential, at: now)
        do {
            return try policies.permit(action, on: digest, by: caller, with: activation, facts: facts)
        } catch {
            // Where acknowledging is all that is missing, the client must learn which reasons: a kind of its own.
            var acknowledged = facts
            acknowledged.prescription = .acknowledged
            guard let prescription = command.prescription, prescription.fact == .indeterminate,
                policies.decide(action, PolicyAsker(caller), acknowledged).permits
            else { throw error.failure }
            throw Failure(
                .prescriptionIndeterminate, error.says, rule: error.rule, reasons: prescription.reasons
            )
        }
    }

    /// The bytes to sign follow from what was permitted, never from what front says they are.
    private func bytesToSign(
        for permit: borrowing Permit, _ shape: SignatureShape, _ key: SigningKey, _ credential: Credential,
        _ id: SignatureID, at now: Instant
    ) throws(Failure) -> PermittedSignature {
        do {
            return try PermittedSignature(
                permit, in: shape, by: key, under: credential.certificate, signingTime: now, id: id)
        } catch {
            switch error {
            case .formWithoutSignature:
                throw Failure(.denied, "This document form has no such signature here.", rule: PolicySet.defaultRule)
            case .referencesNotOfForm:
                throw Failure(.malformedRequest, "A name, id or media type is not one that a signature here may have.")
            case .digestAlgorithmNotOfForm:
                throw Failure(.malformedRequest, "This form is signed over digests by SHA-256 alone.")
            case .timeOutOfRange, .contentNotOfDigest, .subjectNotEncodable, .notXAdES:
                throw Failure(.unexpected, "Something went wrong inside the service.", cause: "\(error)")
            }
        }
    }

    private func use(
        of credential: Credential, on bytes: [UInt8], _ id: SignatureID, _ command: SignCommand
    ) -> KeyUse {
        KeyUse(
            signature: id, credential: credential.id,
            certificate: credential.certificate.fingerprint, bytesToSign: bytes, custody: custody.custody,
            requestID: command.requestID, prescription: command.prescription?.recordText
        )
    }

    /// The state of holder and key is read in the transaction that records the intent, so that no key is used behind
    /// a suspension or revocation that committed before.
    private func recordIntent(
        _ permit: consuming Permit, _ use: KeyUse, _ signature: PermittedSignature, _ claim: Claim?
    ) async throws(Failure) -> Intent {
        let holder = permit.holder
        let stored = (
            form: signature.form, digest: signature.digest, time: signature.signingTime, rule: signature.rule,
            algorithm: signature.algorithm
        )
        do {
            return try await log.recordIntent(permit, use: use) { connection, sequence in
                guard try HolderStore.isEnabled(holder, in: connection),
                    try CredentialStore.state(of: use.credential, in: connection) == .active
                else { throw Failure(.credentialUnusable, "The key is suspended, revoked or its holder disabled.") }
                if let claim, try SignatureStore.claimed(claim, in: connection) != nil {
                    throw Failure(
                        .idempotencyInFlight, "A request with the same Idempotency-Key is under way.", retryAfter: 1)
                }
                try SignatureStore.insertOpen(
                    SignatureFacts(
                        signature: use.signature, state: .open, form: stored.form, digest: stored.digest,
                        signedAt: stored.time, credential: use.credential, rule: stored.rule, intent: sequence,
                        outcome: nil
                    ),
                    holder: holder, algorithm: stored.algorithm, claim: claim, in: connection
                )
            }
        } catch { throw error.failure }
    }

    /// Before the intent, so that the end of the key's life waits for this use or is seen by the intent's transaction.
    private func lease(of credential: Credential) throws(Failure) -> UseLease {
        do { return try custody.gate.enter(credential.id) } catch { throw error.failure }
    }

    private func useKey(
        _ intent: consuming Intent, _ key: SigningKey, _ lease: consuming UseLease
    ) async throws(Failure) -> SignatureValue {
        failpoint.pass("core.before-sign")
        let signature = intent.signature
        do {
            let value = try await custody.sign(
                intent, as: key, holding: lease, until: .now.advanced(by: keyPatience)
            ) { outcome in
                { connection, sequence in
                    try SignatureStore.close(
                        signature, as: outcome.state, outcome: sequence, value: nil, certificate: nil, in: connection
                    )
                }
            }
            failpoint.pass("core.after-sign")
            return value
        } catch { throw error.failure }
    }

    private func recordOutcome(
        _ value: consuming SignatureValue, _ signature: SignatureID, _ credential: Credential, keep: Bool
    ) async throws(Failure) -> RecordedSignature {
        failpoint.pass("core.before-outcome")
        let certificate = keep ? credential.certificate.der : nil
        do {
            return try await value.recorded(in: log) { bytes in
                { connection, sequence in
                    try SignatureStore.close(
                        signature, as: .signed, outcome: sequence, value: keep ? bytes : nil, certificate: certificate,
                        in: connection
                    )
                }
            }
        } catch { throw error.failure }
    }

    private func facts(
        _ command: SignCommand, _ caller: Caller, _ credential: Credential, at now: Instant
    ) -> PolicyFacts {
        PolicyFacts(
            certificateRoles: credential.certificate.roles,
            client: caller.client.flatMap { clients[$0] },
            prescription: command.prescription?.fact ?? .none,
            authenticationAge: max(0, now.seconds - caller.authenticatedAt.seconds)
        )
    }
}
