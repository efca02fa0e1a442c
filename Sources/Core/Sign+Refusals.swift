import Audit
package import CoreProtocol
package import HPKI
import Identity

extension Sign {
    /// Records the refusal of a known caller; a request that got as far as an intent has its outcome instead.
    func record(_ failure: Failure, of caller: Caller, _ command: SignCommand) async throws(Failure) {
        guard failure.kind.isRefusal else { return }
        do {
            try await log.recordRefusal(
                of: caller, action: .signDocument(command.form), failure: failure, occurrence: command.digests.first,
                requestID: command.requestID
            )
        } catch { throw error.failure }
    }

    /// Records that front refused a known caller's input.
    package func note(_ notice: RefusalNotice) async throws(Failure) {
        let caller: Caller
        do { caller = try await identification.identify(notice.token) } catch { throw error.failure }
        do {
            try await log.recordRefusal(
                of: caller, action: .signDocument(notice.form), failure: Failure(notice.kind, ""),
                occurrence: nil, requestID: notice.requestID
            )
        } catch { throw error.failure }
    }

    /// Throws unless the token makes a known caller; nothing is recorded, since no key is used.
    package func identify(_ token: PresentedToken) async throws(Failure) {
        do { _ = try await identification.identify(token) } catch { throw error.failure }
    }

    /// What was recorded of a signature, for the holder of the token alone.
    package func lookup(_ signature: SignatureID, token: PresentedToken) async throws(Failure) -> SignatureFacts {
        let caller: Caller
        do { caller = try await identification.identify(token) } catch { throw error.failure }
        guard let facts = try await replay.facts(of: signature, holder: caller.holder) else {
            throw Failure(.notFound, "No signature of this id belongs to the token's holder.")
        }
        return facts
    }
}

extension Failure.Kind {
    /// Whether the failure is a decision against the caller, rather than a fault of ours or a matter of time.
    fileprivate var isRefusal: Bool {
        switch self {
        case .denied, .windowElapsed, .noCredential, .ambiguousCredential, .credentialUnusable, .revocationUnknown,
            .prescriptionIndeterminate, .idempotencyConflict, .idempotencyInDoubt:
            true
        default:
            false
        }
    }
}
