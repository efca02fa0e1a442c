import HPKI
import Identity
import Keys
import Policies
import Storage
internal import Synchronization

/// Finds the credential that a request means.
final class CredentialChoice: Sendable {
    private let database: Database
    // Rows are read once a holder; whether a key may still be used is asked again in the intent's transaction.
    private struct Known {
        var rows: [HolderID: [Credential]] = [:]
        // Counts what was forgotten, so that rows read before are not kept behind it.
        var changes = 0
    }

    private let known = Mutex(Known())
    // About 8 KB each, with certificate and wrapped key.
    private static let limit = 2_000

    init(database: Database) {
        self.database = database
    }

    /// The credential asked for, or the only one that `fits`; where none fits, any one, so that the policy refuses it
    /// with its rule.
    func credential(
        _ wanted: CredentialID?, of caller: Caller, fits: (Credential) -> Bool
    ) async throws(Failure) -> Credential {
        let credentials = try await credentials(of: caller.holder)
        if let wanted {
            // Another holder's credential is told apart from a missing one by nothing.
            guard let credential = credentials.first(where: { $0.id == wanted }) else {
                throw Failure(.noCredential, "No credential of this name belongs to the token's holder.")
            }
            return credential
        }
        let active = credentials.filter { $0.state == .active }
        let fitting = active.filter(fits)
        guard fitting.count <= 1 else {
            throw Failure(
                .ambiguousCredential, "More than one credential fits; name one in credentialID.",
                reasons: fitting.map(\.id.description)
            )
        }
        guard let credential = fitting.first ?? active.first ?? credentials.first else {
            throw Failure(.noCredential, "The token's holder has no second key here.")
        }
        return credential
    }

    /// Reads a holder's credentials anew at the next request, since one of them changed.
    func forget(_ holder: HolderID) {
        known.withLock { known in
            known.rows[holder] = nil
            known.changes += 1
        }
    }

    /// Reads everybody's credentials anew, since their keys moved to another epoch.
    func forgetAll() {
        known.withLock { known in
            known.rows = [:]
            known.changes += 1
        }
    }

    private func credentials(of holder: HolderID) async throws(Failure) -> [Credential] {
        let (found, changes) = known.withLock { ($0.rows[holder], $0.changes) }
        if let found { return found }
        let credentials: [Credential]
        do {
            credentials = try await database.read { try CredentialStore.credentials(of: holder, in: $0) }
        } catch {
            throw Failure(
                .coreUnavailable, "The registry cannot be read at present.", retryAfter: 5, cause: "\(error)"
            )
        }
        known.withLock { known in
            guard known.changes == changes else { return }
            if known.rows.count >= Self.limit { known.rows = [:] }
            known.rows[holder] = credentials
        }
        return credentials
    }
}
