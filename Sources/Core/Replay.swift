import Audit
import CoreProtocol
import HPKI
import Identity
import Storage

/// Answers a repeated request from what was recorded of the first.
struct Replay: Sendable {
    let database: Database
    let key: ClaimKey
    let clock: WallClock
    let origin: String
    let custody: String

    func claim(_ idempotency: Idempotency, of caller: Caller, form: DocumentForm) -> Claim {
        Claim(idempotency, of: caller, form: form, under: key)
    }

    /// The reply to an earlier request with this claim; nil when there was none, or when it is a day old.
    func reply(to claim: Claim, of caller: Caller) async throws(Failure) -> SignedReply? {
        let oldest = clock.now().adding(seconds: -SignatureStore.keepSeconds)
        let found: (claimed: SignatureStore.Claimed, appended: AuditLog.Appended?)?
        do {
            found = try await database.read { connection in
                guard let claimed = try SignatureStore.claimed(claim, in: connection) else { return nil }
                let appended = try claimed.facts.outcome.flatMap { try AuditReader.appended(at: $0, in: connection) }
                return (claimed, appended)
            }
        } catch {
            throw Failure(
                .coreUnavailable, "The store of requests cannot be read at present.", retryAfter: 5, cause: "\(error)"
            )
        }
        guard let (claimed, appended) = found else { return nil }
        guard claimed.facts.signedAt >= oldest else {
            try await forget(before: oldest)
            return nil
        }
        guard claimed.body == claim.body else {
            throw Failure(
                .idempotencyConflict, "This Idempotency-Key came with another body before; use a new key."
            )
        }
        switch claimed.facts.state {
        case .open:
            throw Failure(
                .idempotencyInFlight, "A request with the same Idempotency-Key is under way.", retryAfter: 1
            )
        case .unknown, .failed:
            throw Failure(
                .idempotencyInDoubt,
                "Whether the earlier request with this Idempotency-Key signed cannot be known; it was not given out. "
                    + "Ask with a new key if the document is still to be signed.",
                reasons: [claimed.facts.signature.description]
            )
        case .signed:
            guard let value = claimed.value, let certificate = claimed.certificate, let appended else {
                throw Failure(.unexpected, "The earlier request's record is not whole.")
            }
            return SignedReply(
                signature: claimed.facts.signature, signedAt: claimed.facts.signedAt, certificate: certificate,
                algorithm: claimed.algorithm, value: value, rule: claimed.facts.rule,
                receipt: appended.facts(origin: origin, custody: custody), isReplay: true
            )
        }
    }

    func facts(of signature: SignatureID, holder: HolderID) async throws(Failure) -> SignatureFacts? {
        do {
            return try await database.read { try SignatureStore.facts(of: signature, holder: holder, in: $0) }
        } catch {
            throw Failure(
                .coreUnavailable, "The store of signatures cannot be read at present.", retryAfter: 5,
                cause: "\(error)"
            )
        }
    }

    func forget(before moment: Instant) async throws(Failure) {
        do {
            try await database.write { try SignatureStore.forgetClaims(before: moment, in: $0) }
        } catch {
            throw Failure(
                .coreUnavailable, "The store of requests cannot be written at present.", retryAfter: 5,
                cause: "\(error)"
            )
        }
    }
}
